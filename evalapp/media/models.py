"""Files that traces and dataset items show: images, sound, documents. One row a content and project."""

from django.db import models
from django.db.models import Q

from evalapp.core.ids import new_id
from evalapp.projects.models import Project


class Media(models.Model):
    """One content. The id is the start of its SHA-256, as the SDKs compute it, so that equal files are one."""

    pk = models.CompositePrimaryKey("project_id", "id")
    project = models.ForeignKey(Project, models.CASCADE, related_name="media", db_index=False)
    id = models.CharField(max_length=22)
    sha256 = models.CharField(max_length=44, help_text="Base 64.")
    content_type = models.CharField(max_length=255)
    content_length = models.PositiveBigIntegerField(help_text="Bytes.")
    created_at = models.DateTimeField(auto_now_add=True)
    uploaded_at = models.DateTimeField(null=True)
    upload_error = models.TextField(blank=True)

    def __str__(self):
        return f"{self.content_type} {self.id}"

    @property
    def storage_name(self):
        """Return where the storage keeps the content."""
        return f"{self.project_id}/{self.id}"


class MediaUse(models.Model):
    """Where a content appears; there is no foreign key to the trace, which may arrive later."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="media_uses")
    media_id = models.CharField(max_length=22)
    trace_id = models.CharField(max_length=255, blank=True, default="")
    observation_id = models.CharField(max_length=255, blank=True, default="")
    dataset_id = models.CharField(max_length=255, blank=True, default="")
    dataset_item_id = models.CharField(max_length=255, blank=True, default="")
    field = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "project",
                    "media_id",
                    "trace_id",
                    "observation_id",
                    "dataset_id",
                    "dataset_item_id",
                    "field",
                ],
                name="a_media_use_is_noted_once",
            )
        ]
        indexes = [
            models.Index(fields=["project", "trace_id"], condition=~Q(trace_id=""), name="media_use_by_trace")
        ]

    def __str__(self):
        return f"{self.media_id} in {self.field}"
