"""What can be done with comments."""

from django.core.exceptions import ValidationError

from evalapp.comments.models import Comment, CommentTarget


def write_comment(*, project, object_type, object_id, content, author=None):
    """Add a comment and return it. Raises ValidationError naming the field.

    An author who is no member of the project could not read what they are said to have written.
    """
    if object_type not in CommentTarget.values:
        raise ValidationError({"objectType": f"{object_type!r} is none of {', '.join(CommentTarget.values)}."})
    content = content.replace("\x00", "").strip()
    if not 1 <= len(content) <= 5000:
        raise ValidationError({"content": "A comment has 1 to 5000 characters."})
    if author is not None and not project.memberships.filter(user=author).exists():
        raise ValidationError({"authorUserId": "No member of this project has this id."})
    return Comment.objects.create(
        project=project, object_type=object_type, object_id=object_id, content=content, author=author
    )
