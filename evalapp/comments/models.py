"""What people and programs say to each other about a trace, observation, session or prompt."""

from django.db import models

from evalapp.core.ids import new_id
from evalapp.projects.models import Project, User


class CommentTarget(models.TextChoices):
    TRACE = "TRACE"
    OBSERVATION = "OBSERVATION"
    SESSION = "SESSION"
    PROMPT = "PROMPT"


class Comment(models.Model):
    """A remark in markdown. Its object is named by id only, since it may arrive later."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="comments", db_index=False)
    object_type = models.CharField(max_length=11, choices=CommentTarget)
    object_id = models.CharField(max_length=255)
    content = models.CharField(max_length=5000)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="comments")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at", "-id"], name="comment_newest_first"),
            models.Index(fields=["project", "object_id", "object_type"], name="comment_by_object"),
        ]

    def __str__(self):
        return self.content[:60]
