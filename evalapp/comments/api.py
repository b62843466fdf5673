"""Comments over the API."""

from django.core.exceptions import ValidationError
from django.http import Http404
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from evalapp.comments import actions
from evalapp.comments.models import CommentTarget
from evalapp.core.api import iso, page_of


class CommentInput(serializers.Serializer):
    """A new comment; `projectId` is checked against the key's project."""

    projectId = serializers.CharField(required=False, allow_null=True)
    objectType = serializers.ChoiceField(CommentTarget.values)
    objectId = serializers.CharField(max_length=255)
    content = serializers.CharField(max_length=5000)
    authorUserId = serializers.CharField(required=False, allow_null=True)


class CommentList(APIView):
    """GET lists comments, newest first; POST writes one."""

    def get(self, request):
        comments = request.auth.project.comments.order_by("-created_at", "-id")
        params = request.query_params
        if object_type := params.get("objectType"):
            if object_type not in CommentTarget.values:
                raise ValidationError(
                    {"objectType": f"{object_type!r} is none of {', '.join(CommentTarget.values)}."}
                )
            comments = comments.filter(object_type=object_type)
        if object_id := params.get("objectId"):
            if not object_type:
                raise ValidationError({"objectType": "Say which kind of object objectId names."})
            comments = comments.filter(object_id=object_id)
        if author := params.get("authorUserId"):
            comments = comments.filter(author_id=_user_id(author))
        return page_of(comments, request, lambda rows: [comment_json(row) for row in rows])

    def post(self, request):
        data = CommentInput(data=request.data)
        data.is_valid(raise_exception=True)
        values, project = data.validated_data, request.auth.project
        if values.get("projectId") not in (None, project.pk):
            raise ValidationError({"projectId": "The API key belongs to another project."})
        author = None
        if values.get("authorUserId"):
            membership = project.memberships.filter(user_id=_user_id(values["authorUserId"])).first()
            if membership is None:
                raise ValidationError({"authorUserId": "No member of this project has this id."})
            author = membership.user
        comment = actions.write_comment(
            project=project,
            object_type=values["objectType"],
            object_id=values["objectId"],
            content=values["content"],
            author=author,
        )
        return Response({"id": comment.pk})


class CommentDetail(APIView):
    """One comment."""

    def get(self, request, comment_id):
        comment = request.auth.project.comments.filter(pk=comment_id).first()
        if comment is None:
            raise Http404(f"Comment {comment_id} not found within authorized project")
        return Response(comment_json(comment))


def comment_json(comment):
    """Return a comment in the API's shape."""
    return {
        "id": comment.pk,
        "projectId": comment.project_id,
        "createdAt": iso(comment.created_at),
        "updatedAt": iso(comment.updated_at),
        "objectType": comment.object_type,
        "objectId": comment.object_id,
        "content": comment.content,
        "authorUserId": str(comment.author_id) if comment.author_id else None,
    }


def _user_id(text):
    # Ids of people are numbers here; any other text names nobody.
    return int(text) if text.isdecimal() and len(text) < 19 else 0
