"""Drives the API from its own document: nothing breaks, and nothing is answered that isn't documented.

Bounded and deterministic. The long form: EVALAPP_SCHEMATHESIS_EXAMPLES=500 python manage.py test tests/api
"""

import os
from datetime import UTC, datetime

import pytest
import schemathesis
from django.core.management import call_command
from django.db import connection
from django.utils.timezone import now
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from evalapp.openapi import document
from evalapp.wsgi import application
from tests import factories

EXAMPLES = int(os.environ.get("EVALAPP_SCHEMATHESIS_EXAMPLES", 6))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]

schema = schemathesis.openapi.from_wsgi("/api/public/openapi.json", application)
schema.config.seed = 3
# Headers that break HTTP itself are the web server's affair, which isn't here.
schema.config.generation.update(with_security_parameters=False)


@pytest.fixture(scope="module")
def headers(django_db_setup, django_db_blocker):
    """The headers of a key whose project holds what the document's examples name.

    Outside of a transaction, as in production: an error of the database must not spoil the requests after it.
    """
    with django_db_blocker.unblock():
        key = factories.make_api_key(factories.make_project())
        make_examples(key.project)
        yield {"Authorization": key.basic}
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE traces_observation")
        call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)


def make_examples(project):
    """Make the objects whose ids stand in the document."""
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for trace_id in (
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "0af7651916cd43dd8448eb211c80319c",
        "5b8aa5a2d2c872e8321cf37308d69df2",
    ):
        observation = {"id": trace_id[:16], "type": "GENERATION", "usage": '{"input": 12, "output": 8}'}
        factories.make_trace(project, id=trace_id, start=start, session_id="chat-1", observations=[observation])
    factories.make_trace(
        project, id="b" * 32, start=start, observations=[{"id": "00f067aa0ba902b7", "metadata": '{"a": [1]}'}]
    )
    project.sessions.create(id="chat-1", first_seen=start, last_seen=start)
    for model_id in ("model-1", "model-2"):
        project.model_definitions.create(
            id=model_id, name=model_id, match_pattern=model_id, prices={"input": 0.000001}
        )
    for score_id in ("score-1", "score-2"):
        factories.make_score(project, id=score_id, trace_id="b" * 32)
    config = factories.make_config(project, id="config-1")
    factories.make_queue(project, id="queue-2", configs=[config])
    queue = factories.make_queue(project, id="queue-1", configs=[config])
    for number in (1, 2):
        queue.items.create(id=f"item-{number}", project=project, object_id=f"{number}", position=number)
    reviewer = factories.make_user("reviewer", id=7)
    project.memberships.create(user=reviewer, role=factories.Role.REVIEWER)
    project.comments.create(id="cm-1", object_type="TRACE", object_id="b" * 32, content="Why?")
    project.media.create(
        id="zQwFkTq3mYxW8nRb2LsD7a",
        sha256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        content_type="image/png",
        content_length=0,
        uploaded_at=now(),
    )
    dataset = project.datasets.create(id="ds-1", name="support/refunds")
    project.dataset_items.create(dataset=dataset, item_id="refund-1", valid_from=start, input='{"question": 1}')
    project.dataset_runs.create(
        key="5c6bd84e0f0b52a1", dataset=dataset, name="shorter prompt", created_at=start, updated_at=start
    )
    prompt = project.prompts.create(name="support/answer", type="text")
    version = prompt.versions.create(project=project, number=1, body='"Hello"')
    prompt.labels.create(version=version, name="production")


@pytest.mark.django_db
def test_the_examples_of_the_document_can_be_made(project):
    """Also tells pytest-django, which looks at marks alone, that this module needs its database."""
    make_examples(project)
    assert project.datasets.get().runs.exists()


@pytest.fixture(scope="module")
def statuses():
    """What was answered, per operation: the test below wants more than refusals."""
    return {}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_an_operation_answers_as_documented(case, headers, statuses):
    response = case.call_and_validate(headers=headers, checks=CHECKS)
    statuses.setdefault(case.operation.label, set()).add(response.status_code)


def test_every_operation_succeeded_at_least_once(statuses):
    """Else the responses that matter were never checked."""
    if not statuses:
        pytest.skip("Needs the tests above.")
    never = {label: sorted(codes) for label, codes in statuses.items() if not any(code < 300 for code in codes)}
    assert never == {}
    assert len(statuses) == sum(len(methods) for methods in document()["paths"].values())
