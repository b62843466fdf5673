"""Sample objects for the access sweep: for every route with an id in its path, whose id to put there.

A route that takes more than `project_id` needs a line in SAMPLES: its name, and a function from a World to the
path's arguments. The sweep calls it with the project's own world, and with that of somebody else's project.
"""

from datetime import timedelta
from functools import cached_property

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.timezone import now

from evalapp.core.models import Job
from evalapp.projects.models import Invitation
from tests import factories


class World:
    """One project, and one of each kind of object in it, made when asked for."""

    def __init__(self, project):
        self.project = project

    @cached_property
    def membership(self):
        name = f"colleague-{self.project.pk}"
        return self.project.memberships.get(user=factories.make_member(self.project, name, "member"))

    @cached_property
    def invitation(self):
        return Invitation.objects.create(
            project=self.project,
            email="new@example.com",
            role="member",
            token_hash=f"hash-{self.project.pk}",
            expires_at=now(),
        )

    @cached_property
    def api_key(self):
        return factories.make_api_key(self.project)

    @cached_property
    def job(self):
        return Job.objects.create(kind="projects.purge", project_id=self.project.pk)

    @cached_property
    def trace(self):
        return factories.make_trace(self.project)

    @cached_property
    def observation(self):
        return self.project.observations.get(trace_id=self.trace.id)

    @cached_property
    def session(self):
        session = f"session of {self.project.pk}"
        factories.make_trace(self.project, session_id=session)
        return self.project.sessions.create(id=session, first_seen=now(), last_seen=now())

    @cached_property
    def model(self):
        return self.project.model_definitions.create(name="ours", match_pattern="ours")

    @cached_property
    def config(self):
        return factories.make_config(self.project)

    @cached_property
    def score(self):
        return factories.make_score(self.project, trace_id=self.trace.id)

    @cached_property
    def queue(self):
        return factories.make_queue(self.project, traces=[self.trace])

    @cached_property
    def queue_item(self):
        """An item that every member of the project has reserved."""
        item = self.queue.items.get()
        for membership in self.project.memberships.all():
            item.reviews.create(
                project=self.project,
                queue=self.queue,
                reviewer=membership.user,
                reserved_until=now() + timedelta(minutes=5),
            )
        return item

    @cached_property
    def media(self):
        media = self.project.media.create(
            id=f"media-{self.project.pk[-16:]}",
            sha256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            content_type="image/png",
            content_length=0,
            uploaded_at=now(),
        )
        default_storage.save(media.storage_name, ContentFile(b""))
        return media

    @cached_property
    def comment(self):
        return self.project.comments.create(object_type="TRACE", object_id=self.trace.id, content="Why?")

    @cached_property
    def dataset(self):
        return self.project.datasets.create(name=f"dataset of {self.project.pk}")

    @cached_property
    def dataset_item(self):
        return self.project.dataset_items.create(dataset=self.dataset, valid_from=now())

    @cached_property
    def dataset_run(self):
        return self.project.dataset_runs.create(
            key="run", dataset=self.dataset, name="run", created_at=now(), updated_at=now()
        )

    @cached_property
    def prompt(self):
        prompt = self.project.prompts.create(name=f"prompt of {self.project.pk}", type="text")
        version = prompt.versions.create(project=self.project, number=1, body="Hello")
        prompt.labels.create(version=version, name="production")
        return prompt


def _queue(world):
    return {"queue_id": world.queue.pk}


def _item(world):
    return {"queue_id": world.queue.pk, "item_id": world.queue_item.pk}


def _config(world):
    return {"config_id": world.config.pk}


def _trace(world):
    return {"trace_id": world.trace.id}


SAMPLES = {
    "traces:trace_detail": _trace,
    "traces:trace_download": _trace,
    "traces:trace_payload": _trace,
    "scores:trace_scores": _trace,
    "traces:session_detail": lambda world: {"session_id": world.session.id},
    "traces:model_edit": lambda world: {"model_id": world.model.pk},
    "traces:model_delete": lambda world: {"model_id": world.model.pk},
    "api_trace": _trace,
    "api_observation": lambda world: {"observation_id": world.observation.id},
    "api_session": lambda world: {"session_id": world.session.id},
    "api_model": lambda world: {"model_id": world.model.pk},
    "annotation:queue_detail": _queue,
    "annotation:queue_edit": _queue,
    "annotation:queue_delete": _queue,
    "annotation:queue_export": lambda world: {**_queue(world), "kind": "csv"},
    "annotation:items_remove": _queue,
    "annotation:review_next": _queue,
    "annotation:review_end": _queue,
    "annotation:review_go": _queue,
    "annotation:review_undo": _queue,
    "annotation:review_item": _item,
    "annotation:review_draft": _item,
    "annotation:review_heartbeat": _item,
    "annotation:review_complete": _item,
    "annotation:review_skip": _item,
    "annotation:review_defer": _item,
    "scores:config_edit": _config,
    "scores:config_archive": _config,
    "scores:config_restore": _config,
    "projects:membership_change": lambda world: {"pk": world.membership.pk},
    "projects:membership_remove": lambda world: {"pk": world.membership.pk},
    "projects:invitation_revoke": lambda world: {"pk": world.invitation.pk},
    "projects:api_key_revoke": lambda world: {"pk": world.api_key.pk},
    "projects:job_status": lambda world: {"pk": world.job.pk},
    "projects:job_cancel": lambda world: {"pk": world.job.pk},
    "media:media_show": lambda world: {"media_id": world.media.id},
    "api_annotation_queue": _queue,
    "api_queue_items": _queue,
    "api_queue_item": _item,
    "api_queue_assignments": _queue,
    "api_media": lambda world: {"media_id": world.media.id},
    "api_comment": lambda world: {"comment_id": world.comment.pk},
    "api_dataset_detail": lambda world: {"name": world.dataset.name},
    "api_dataset_item_detail": lambda world: {"item_id": world.dataset_item.item_id},
    "api_dataset_runs": lambda world: {"rest": f"{world.dataset_run.dataset.name}/runs/{world.dataset_run.name}"},
    "api_score": lambda world: {"score_id": world.score.id},
    "api_score_v2": lambda world: {"score_id": world.score.id},
    "api_score_config": lambda world: {"config_id": world.config.pk},
    "api_prompt": lambda world: {"name": world.prompt.name},
    "api_prompt_version": lambda world: {"name": world.prompt.name, "number": 1},
}

# What a route needs in its query string to answer at all.
QUERIES = {
    "traces:trace_payload": lambda world: {"observation": world.trace.root_observation_id, "field": "input"},
}

# Routes that anybody may ask for, each with the reason.
PUBLIC = {
    "sign_in_link": "the token is the credential",
    "invitation_accept": "the token is the credential",
    "media_content": "the signed token is the credential",
    "api_not_found": "says that the API has no such path",
    "healthz": "load balancers",
    "readyz": "load balancers",
    "api_reference": "the same description, as a page",
    "api_openapi": "a description of the API, with nothing of any project in it",
    "api_health": "SDKs ask it before they have a key",
    "account_login": "signing in",
    "account_logout": "signing out twice is no error",
    "account_inactive": "tells why signing in failed",
    "account_signup": "says that sign-up is closed",
    "account_email_verification_sent": "e-mail confirmation",
    "account_confirm_email": "the key is the credential",
    "account_confirm_login_code": "signing in",
    "account_reset_password": "password reset",
    "account_reset_password_done": "password reset",
    "account_reset_password_from_key": "the key is the credential",
    "account_reset_password_from_key_done": "password reset",
    "mfa_authenticate": "the second step of signing in",
    "mfa_login_webauthn": "signing in",
    "socialaccount_login_cancelled": "single sign-on",
    "socialaccount_signup": "single sign-on",
    "openid_connect_login": "single sign-on",
    "openid_connect_callback": "single sign-on",
}

# Plain views (not DRF) that authenticate an API key themselves.
API_KEY_VIEWS = {"otlp_traces", "otlp_traces_alias", "otlp_metrics", "otlp_logs"}
