import json
import logging

import pytest
from django.test import Client

from evalapp.core.logs import ContextFilter, job_id

pytestmark = pytest.mark.django_db


def lines(caplog):
    return [record for record in caplog.records if record.name == "evalapp.request"]


def test_a_request_is_logged_with_its_id_and_without_its_query(client, caplog):
    caplog.set_level(logging.INFO)
    response = client.get("/nowhere?secret=1", headers={"X-Request-Id": "from-the-proxy"})
    (line,) = lines(caplog)
    assert (line.method, line.path, line.status) == ("GET", "/nowhere", response.status_code)
    assert line.duration_ms >= 0
    assert response["X-Request-Id"] == "from-the-proxy"
    assert "secret" not in json.dumps(line.__dict__, default=str)


def test_a_one_time_token_is_not_logged(client, caplog):
    caplog.set_level(logging.INFO)
    client.get("/accounts/password/reset/key/1-topsecret/")
    (line,) = lines(caplog)
    assert "topsecret" not in line.path


def test_an_unusable_request_id_is_replaced(caplog):
    response = Client().get("/healthz", headers={"X-Request-Id": "two\nlines"})
    assert len(response["X-Request-Id"]) == 32


def test_a_worker_s_lines_carry_the_job_s_id():
    record = logging.makeLogRecord({"msg": "half way"})
    token = job_id.set("41")
    try:
        ContextFilter().filter(record)
    finally:
        job_id.reset(token)
    assert record.job_id == "41"
