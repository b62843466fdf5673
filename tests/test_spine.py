from tests import factories


def test_a_trace_and_a_queue_can_be_made(project, ada):
    trace = factories.make_trace(project, observations=[{"type": "TOOL", "name": "lookup"}])
    queue = factories.make_queue(project, traces=[trace])
    assert [o.name for o in project.observations.of_trace(trace)] == [trace.name, "lookup"]
    assert queue.items.get().object_id == trace.id
