"""What the API's document says about prompts."""

from rest_framework import serializers

from evalapp.core.api import JSONValue, Text
from evalapp.core.openapi import (
    document,
    hide,
    number_query,
    operation,
    page,
    paging,
    path_text,
    text_query,
    time_query,
)
from evalapp.prompts import api

_NAME = path_text("name", "Name of the prompt; it may lie in folders.", "support/answer")
_WHICH = [
    number_query("version", "One version by its number.", minimum=1, maximum=2**31 - 1),
    text_query("label", "The version with this label; without both, `production`."),
]


class PromptOutput(serializers.Serializer):
    """One version of a prompt."""

    id = Text()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    projectId = Text()
    createdBy = Text()
    name = Text()
    version = serializers.IntegerField()
    type = serializers.ChoiceField(["text", "chat"])
    prompt = JSONValue(required=True)
    config = JSONValue(required=True)
    labels = serializers.ListField(child=Text())
    tags = serializers.ListField(child=Text())
    commitMessage = Text(allow_null=True)
    isActive = serializers.BooleanField()
    resolutionGraph = JSONValue(required=True)

    EXAMPLE = {
        "id": "pv-1",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
        "projectId": "support-agent",
        "createdBy": "API",
        "name": "support/answer",
        "version": 1,
        "type": "text",
        "prompt": "Answer {{question}} politely.",
        "config": {"temperature": 0.2},
        "labels": ["latest", "production"],
        "tags": ["support"],
        "commitMessage": None,
        "isActive": True,
        "resolutionGraph": None,
    }


class PromptSummaryOutput(serializers.Serializer):
    """A prompt with the numbers of its versions."""

    name = Text()
    type = serializers.ChoiceField(["text", "chat"])
    versions = serializers.ListField(child=serializers.IntegerField())
    labels = serializers.ListField(child=Text())
    tags = serializers.ListField(child=Text())
    lastUpdatedAt = serializers.DateTimeField()
    lastConfig = JSONValue(required=True)

    EXAMPLE = {
        "name": "support/answer",
        "type": "text",
        "versions": [1],
        "labels": ["production", "latest"],
        "tags": ["support"],
        "lastUpdatedAt": "2026-11-20T12:00:00.000Z",
        "lastConfig": {},
    }


document(
    api.PromptList,
    tag="Prompts",
    get=operation(
        "listPrompts",
        "List prompts by name",
        answers=page(PromptSummaryOutput),
        query=[
            *paging(default=10),
            text_query("name", "Exactly this name."),
            text_query("label", "Prompts with a version of this label."),
            text_query("tag", "Prompts with this tag."),
            time_query("fromUpdatedAt", "Changed at or after."),
            time_query("toUpdatedAt", "Changed before."),
        ],
    ),
    post=operation(
        "createPromptVersion",
        "Add a version of a prompt",
        about="A prompt of a new name is created. Labels move to the new version; `latest` does so by itself.",
        body=api.PromptInput,
        answers={201: PromptOutput},
        example={
            "name": "support/answer",
            "type": "text",
            "prompt": "Answer {{question}} politely.",
            "labels": ["production"],
            "tags": ["support"],
            "config": {"temperature": 0.2},
        },
    ),
)
document(
    api.PromptDetail,
    tag="Prompts",
    get=operation(
        "getPrompt",
        "Get a version of a prompt",
        answers=PromptOutput,
        path=[_NAME],
        query=[
            *_WHICH,
            text_query(
                "resolve", "`false` leaves references to other prompts as they are.", choices=["true", "false"]
            ),
        ],
    ),
    delete=operation(
        "deletePrompt",
        "Delete a prompt, or some of its versions",
        answers={204: None},
        path=[_NAME],
        query=_WHICH,
    ),
)
document(
    api.PromptVersionDetail,
    tag="Prompts",
    patch=operation(
        "addPromptLabels",
        "Put labels on a version",
        body=api.LabelsInput,
        answers=PromptOutput,
        path=[_NAME, path_text("number", "Number of the version.", 1, kind="integer")],
        example={"newLabels": ["production"]},
    ),
)
# They answer for prompts whose names end like this path, and are described there.
hide(api.PromptVersionDetail, "get", "delete")
