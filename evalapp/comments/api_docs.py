"""What the API's document says about comments."""

from rest_framework import serializers

from evalapp.comments import api
from evalapp.comments.models import CommentTarget
from evalapp.core.openapi import Created, document, operation, page, paging, path_text, text_query


class CommentOutput(serializers.Serializer):
    """What somebody wrote about a trace, an observation, a session or a prompt."""

    id = serializers.CharField()
    projectId = serializers.CharField()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    objectType = serializers.ChoiceField(CommentTarget.values)
    objectId = serializers.CharField()
    content = serializers.CharField()
    authorUserId = serializers.CharField(allow_null=True)

    EXAMPLE = {
        "id": "cm-1",
        "projectId": "support-agent",
        "createdAt": "2026-11-20T12:00:00.000Z",
        "updatedAt": "2026-11-20T12:00:00.000Z",
        "objectType": "TRACE",
        "objectId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "content": "The tool was called twice.",
        "authorUserId": None,
    }


document(
    api.CommentList,
    tag="Comments",
    get=operation(
        "listComments",
        "List comments, newest first",
        answers=page(CommentOutput),
        query=[
            *paging(),
            text_query("objectType", "Kind of the object.", choices=CommentTarget.values),
            text_query("objectId", "Its id; needs `objectType`."),
            text_query("authorUserId", "Id of the author."),
        ],
    ),
    post=operation(
        "createComment",
        "Write a comment",
        body=api.CommentInput,
        answers=Created,
        example={
            "objectType": "TRACE",
            "objectId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "content": "The tool was called twice.",
        },
    ),
)
document(
    api.CommentDetail,
    tag="Comments",
    get=operation(
        "getComment",
        "Get a comment",
        answers=CommentOutput,
        path=[path_text("comment_id", "Id of the comment.", "cm-1")],
    ),
)
