"""OpenTelemetry's own exporters and the instrumentors of others show as much as the native SDK does."""

import pytest
from django.test import Client

from tests.openai_server import ANSWER, RESPONSE_MODEL, UNKNOWN_MODEL, openai_server
from tests.sdk.environments import python_with
from tests.sdk.running import HERE, langfuse_settings, needs_node, run, run_node

PACKAGES = [
    "openai==3.54.0",
    "langfuse==5.0.4",
    "openinference-instrumentation-openai==0.1.66",
    "opentelemetry-instrumentation-openai==0.62.4",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
]
pytestmark = pytest.mark.process


def _settings(address, api_key, **more):
    """The environment of any OpenTelemetry exporter."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={api_key.basic.replace(' ', '%20')}",
        **more,
    }


def _page(ada, project, trace_id, query=""):
    client = Client()
    client.force_login(ada)
    response = client.get(f"/project/{project.pk}/traces/{trace_id}{query}")
    assert response.status_code == 200
    return response.content.decode()


def _assert_hand_made_spans_are_there(api, ada, project, told):
    trace = api.get(f"/traces/{told['trace_id']}").json()
    assert (trace["name"], trace["userId"], trace["sessionId"]) == ("support-agent", "u1", "s1")
    assert trace["totalCost"] == pytest.approx(0.0035)
    found = {row["type"]: row for row in trace["observations"]}
    assert found.keys() == {"AGENT", "GENERATION", "TOOL", "SPAN"}
    assert all(
        row["parentObservationId"] == found["AGENT"]["id"] for name, row in found.items() if name != "AGENT"
    )
    generation = found["GENERATION"]
    assert (generation["model"], generation["usageDetails"]) == (
        "gpt-4o",
        {"input": 1000, "output": 100, "total": 1100},
    )
    assert (found["TOOL"]["name"], found["TOOL"]["input"], found["TOOL"]["output"]) == (
        "lookup_order",
        {"order": "o-17"},
        {"status": "shipped"},
    )
    assert found["SPAN"]["level"] == "ERROR" and "the index is away" in found["SPAN"]["statusMessage"]
    page = _page(ada, project, told["trace_id"])
    for text in ("Where is order o-17?", "It was shipped on Monday.", "lookup_order", "shipped", "index is away"):
        assert text in page


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("path", ["/api/public/otel", ""])
def test_the_plain_python_exporter(path, compression, server, api, ada, project, api_key):
    settings = _settings(f"{server}{path}", api_key, OTEL_EXPORTER_OTLP_COMPRESSION=compression)
    told, complaints = run(python_with(*PACKAGES), HERE / "drive_otel.py", **settings)
    assert told["flushed"] and complaints == ""
    _assert_hand_made_spans_are_there(api, ada, project, told)


@needs_node
@pytest.mark.parametrize("exporter, compression", [("http", "none"), ("http", "gzip"), ("proto", "none")])
def test_the_plain_javascript_exporters(exporter, compression, server, api, ada, project, api_key):
    settings = _settings(f"{server}/api/public/otel", api_key, OTEL_EXPORTER=exporter)
    told, complaints = run_node("drive_otel.mjs", **settings, OTEL_EXPORTER_OTLP_COMPRESSION=compression)
    assert complaints == ""
    _assert_hand_made_spans_are_there(api, ada, project, told)


@pytest.mark.parametrize("instrumentor", ["langfuse", "openinference", "openllmetry"])
def test_an_instrumented_openai_application(instrumentor, server, api, ada, project, api_key):
    with openai_server() as provider:
        settings = _settings(f"{server}/api/public/otel", api_key, OPENAI_BASE_URL=provider, OPENAI_API_KEY="sk-x")
        if instrumentor == "langfuse":
            settings |= langfuse_settings(server, api_key)
        told, complaints = run(python_with(*PACKAGES), HERE / "drive_openai.py", instrumentor, **settings)
    assert (told["streamed"], told["flushed"]) == (ANSWER, True)
    assert "export" not in complaints.lower()

    trace = api.get(f"/traces/{told['trace_id']}").json()
    assert trace["name"] == "support-agent"
    generations = sorted(
        (row for row in trace["observations"] if row["type"] == "GENERATION"), key=lambda row: row["startTime"]
    )
    asked, answered, streamed, failed = generations
    for row in (asked, answered, streamed):
        assert (row["model"], row["usageDetails"]["total"]) == (RESPONSE_MODEL, 1100)
        assert row["calculatedTotalCost"] == pytest.approx(0.0035)
        assert row["level"] == "DEFAULT"
    assert trace["totalCost"] == pytest.approx(3 * 0.0035)
    assert asked["modelParameters"]["temperature"] == 0.2
    assert failed["level"] == "ERROR" and UNKNOWN_MODEL in failed["statusMessage"]
    assert failed["model"] == "gpt-unknown"
    [tool] = (row for row in trace["observations"] if row["type"] == "TOOL")
    assert (tool["name"], tool["output"]) == ("lookup_order", {"status": "shipped"})

    page = _page(ada, project, told["trace_id"])
    for text in ("You are brief.", "Where is order o-17?", "Once more, streamed?", "lookup_order", "o-17"):
        assert text in page
    assert page.count(ANSWER) >= 2
    assert "does not exist" in page
    for row, text in ((asked, "lookup_order"), (answered, ANSWER), (streamed, ANSWER)):
        panel = _page(ada, project, told["trace_id"], f"?view=tree&observation={row['id']}")
        assert text in panel and RESPONSE_MODEL in panel and "1,100" in panel
