"""Prompts: append-only versions of text or chat templates, and the labels that point at them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from evalapp.core.ids import new_id
from evalapp.projects.models import Project

LATEST = "latest"
PRODUCTION = "production"


class PromptType(models.TextChoices):
    TEXT = "text"
    CHAT = "chat"


class Prompt(models.Model):
    """A named prompt. Type and tags are shared by all of its versions; folders are slashes in the name."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="prompts")
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=4, choices=PromptType)
    tags = ArrayField(models.TextField(), default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="prompt_names_are_unique")]

    def __str__(self):
        return self.name


class PromptVersion(models.Model):
    """One wording. `body` is JSON text: a string, or a list of messages and placeholders; `config` any JSON."""

    id = models.CharField(primary_key=True, max_length=64, default=new_id)
    project = models.ForeignKey(Project, models.CASCADE, related_name="prompt_versions", db_index=False)
    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    body = models.TextField()
    config = models.TextField(default="{}")
    commit_message = models.CharField(max_length=500, blank=True)
    created_by = models.CharField(max_length=254, default="API", help_text="An e-mail address, or API.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prompt", "number"], name="prompt_version_numbers_are_unique")
        ]
        indexes = [models.Index(fields=["project", "-updated_at"], name="prompt_version_newest_first")]

    def __str__(self):
        return f"{self.prompt} v{self.number}"


class PromptLabel(models.Model):
    """A pointer to one version, such as production. `latest` is no row: it is always the highest number."""

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="labels", db_index=False)
    version = models.ForeignKey(PromptVersion, models.CASCADE, related_name="labels")
    name = models.CharField(max_length=36)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prompt", "name"], name="a_label_is_on_one_version")]

    def __str__(self):
        return f"{self.name} of {self.prompt}"
