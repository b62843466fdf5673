import os
import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db
ASK = """
import django; django.setup()
from django.test import Client
response = Client(SERVER_NAME="localhost").get("/readyz")
print(response.status_code, response.content.decode())
"""


def ready_with(**environment):
    """Ask a process whose services are where `environment` says."""
    result = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "evalapp.settings", **environment},
        capture_output=True,
        text=True,
    )
    return result.stdout


def test_a_living_process_says_so(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_process_with_all_its_services_is_ready(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "migrations": "ok", "broker": "ok"}


def test_a_broker_that_is_away_is_named_without_its_address(tmp_path):
    answer = ready_with(CELERY_BROKER_URL=f"redis+socket://{tmp_path}/nobody.sock")
    assert answer.startswith("503")
    assert '"broker": "OperationalError' in answer
    assert str(tmp_path) not in answer


def test_a_database_that_is_away_is_named_without_its_address(tmp_path):
    answer = ready_with(DATABASE_URL=f"postgresql://evalapp@/evalapp?host={tmp_path}")
    assert answer.startswith("503")
    assert '"database": "' in answer and '"database": "ok"' not in answer
    assert str(tmp_path) not in answer
