"""Probes for supervisors and load balancers."""

import logging

from celery import current_app
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse

log = logging.getLogger(__name__)


@login_not_required
def healthz(request):
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
def readyz(request):
    """Say whether database, migrations and broker are there; 503 names what is not."""
    checks = {"database": _database, "migrations": _migrations, "broker": _broker}
    report = {}
    for name, check in checks.items():
        try:
            check()
            report[name] = "ok"
        except Exception as error:  # whatever it is, it makes this process unready
            log.warning("not ready: %s", name, exc_info=True)
            report[name] = f"{type(error).__name__}; the log says more"  # anybody may ask: no host, no user here
    ready = all(value == "ok" for value in report.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", **report}, status=200 if ready else 503)


def _database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations():
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise RuntimeError(f"{len(waiting)} migrations are not applied; run manage.py migrate.")


def _broker():
    with current_app.connection_for_read() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
