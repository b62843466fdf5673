"""Media in dataset items."""

import json

from django.test import Client

from evalapp.datasets.media import references
from evalapp.media.models import Media

REFERENCE = "@@@langfuseMedia:type=image/png|id=p1gT02qDTFfqPYClYKqBLD|source=bytes@@@"


def test_references_are_found_at_their_json_paths():
    value = {"img": REFERENCE, "list": [1, {"it's": REFERENCE}], "text": f"see {REFERENCE}", REFERENCE: None}
    assert [path for path, _, _ in references(value)] == ["$['img']", "$['list'][1]['it's']"]
    assert references(REFERENCE) == [("$", REFERENCE, "p1gT02qDTFfqPYClYKqBLD")]


def test_an_item_tells_where_its_media_are(project, other_project, api_key):
    for owner, length in ((other_project, 1), (project, 5)):
        Media.objects.create(
            project=owner,
            id="p1gT02qDTFfqPYClYKqBLD",
            sha256="x",
            content_type="image/png",
            content_length=length,
            uploaded_at="2026-11-21T12:00:00Z",
        )
    api = Client(headers={"Authorization": api_key.basic})
    post = {"content_type": "application/json"}
    api.post("/api/public/v2/datasets", json.dumps({"name": "qa"}), **post)
    item = {
        "datasetName": "qa",
        "id": "i",
        "input": {"img": REFERENCE},
        "metadata": [REFERENCE.replace("p1", "p2")],
    }
    posted = api.post("/api/public/dataset-items", json.dumps(item), **post).json()
    listed = api.get("/api/public/dataset-items", {"datasetName": "qa"}).json()["data"][0]
    for shown in (posted, listed):
        (reference,) = shown["mediaReferences"]
        media = reference.pop("media")
        assert reference == {"field": "input", "referenceString": REFERENCE, "jsonPath": "$['img']"}
        assert media.pop("url").startswith("http://testserver/")
        assert media.pop("urlExpiry").endswith("Z")
        assert media == {"mediaId": "p1gT02qDTFfqPYClYKqBLD", "contentType": "image/png", "contentLength": 5}
