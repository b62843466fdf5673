"""Files that an SDK has uploaded are shown where it left a reference."""

import json

import pytest

from evalapp.traces.render import blocks, preview
from tests import factories

MEDIA = "TEtqO-ExSrhhOL70MU3eAi"


def _reference(mime="image/png"):
    return f"@@@langfuseMedia:type={mime}|id={MEDIA}|source=base64_data_uri@@@"


@pytest.mark.parametrize(
    ("mime", "drawn"),
    [
        ("image/png", "image"),
        ("audio/wav", "audio"),
        ("video/mp4", "video"),
        ("image/svg+xml", "file"),
        ("application/pdf", "file"),
    ],
)
def test_a_reference_alone_is_the_file(mime, drawn):
    [block] = blocks(_reference(mime))
    assert (block.kind, block.src, block.label, block.text) == ("upload", MEDIA, mime, drawn)


@pytest.mark.parametrize(
    "value",
    [
        {"image": _reference(), "again": _reference()},
        f"Look at this: {_reference()} Nice?",
        [{"type": "text", "text": _reference()}],
    ],
)
def test_a_reference_inside_of_something_is_shown_after_it_once(value):
    shown = blocks(value)
    assert [block.kind for block in shown[1:]] == ["upload"]
    assert "langfuseMedia" not in shown[0].text + shown[0].html


def test_a_preview_names_the_kind_of_file():
    assert preview({"image": _reference()}) == '{"image":"[image/png]"}'


def test_the_page_shows_the_image_of_its_own_project(project, ada, client):
    message = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": _reference()}}]}]
    trace = factories.make_trace(
        project, observations=[{"type": "GENERATION", "input": json.dumps(message), "output": "A cat."}]
    )
    client.force_login(ada)
    page = client.get(f"/project/{project.pk}/traces/{trace.id}").content.decode()
    assert f'<img class="block-image" src="/project/{project.pk}/media/{MEDIA}"' in page
