"""The API reference page."""

import re

from tests.api.test_openapi import operations


def test_it_shows_every_operation_with_a_command(client):
    page = client.get("/api/reference").content.decode()
    for path, _, described in operations():
        assert f'id="{described["operationId"]}"' in page
        assert f">{path}</code>" in page
    assert len(re.findall(r'id="curl-', page)) == len(operations())


def test_a_body_of_several_shapes_lists_the_fields_of_one(client):
    page = client.get("/api/reference").content.decode()
    part = page[page.index('id="writeScores"') : page.index('id="curl-writeScores"')]
    assert "<code>observationId</code>" in part


def test_a_command_is_whole(client):
    page = client.get("/api/reference").content.decode()
    (command,) = re.findall(r'id="curl-createComment">(.*?)</pre>', page, re.S)
    for part in (
        "curl -X POST",
        "http://127.0.0.1:8000/api/public/comments",
        "Content-Type: application/json",
        "TRACE",
    ):
        assert part in command
    (command,) = re.findall(r'id="curl-getDatasetRun">(.*?)</pre>', page, re.S)
    assert "/api/public/datasets/support%2Frefunds/runs/shorter%20prompt" in command
