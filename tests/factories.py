"""One maker per model, with defaults that tests need not care about."""

import base64
import itertools
from datetime import timedelta

from django.utils.timezone import now

from annotation.models import AnnotationQueue, QueueItem, QueueScoreConfig
from evalapp.projects.keys import hash_secret
from evalapp.projects.models import ApiKey, Membership, Organization, Project, Role, User
from evalapp.scores.models import DataType, Score, ScoreConfig, Source
from evalapp.traces.models import Observation, Trace

_number = itertools.count(1)


def make_user(name="somebody", **fields):
    """A person without a password: hashing one is what makes Django's tests slow."""
    return User.objects.create(email=fields.pop("email", f"{name}@example.com"), name=name.title(), **fields)


def make_project(name="Support agent", organization=None):
    organization = organization or Organization.objects.create(name="Acme")
    return Project.objects.create(name=name, organization=organization)


def make_member(project, name, role):
    user = User.objects.filter(email=f"{name}@example.com").first() or make_user(name)
    Membership.objects.create(project=project, user=user, role=role)
    return user


def make_api_key(project, secret="sk-lf-secret"):
    """An API key; `key.basic` is its Authorization header."""
    key = ApiKey.objects.create(
        project=project,
        public_key=f"pk-lf-{next(_number)}",
        secret_hash=hash_secret(secret),
        secret_hint=secret[-4:],
    )
    key.basic = "Basic " + base64.b64encode(f"{key.public_key}:{secret}".encode()).decode()
    return key


def make_trace(project, *, observations=(), start=None, **fields):
    """A trace with a root observation; `observations` are dicts of further Observation fields."""
    start = start or now() - timedelta(minutes=5)
    number = next(_number)
    fields.setdefault("id", f"{number:032x}")
    fields.setdefault("name", f"trace {number}")
    input_, output = fields.pop("root_input", "Where is my order?"), fields.pop("root_output", "On its way.")
    root = {"id": f"{number:08x}00000000", "type": "AGENT", "name": fields["name"], "is_root": True}
    rows = [{**root, "input": input_, "output": output}]
    rows += [
        {"parent_id": root["id"], "id": f"{number:08x}{index:08x}", **row}
        for index, row in enumerate(observations, 1)
    ]
    for index, row in enumerate(rows):
        row.setdefault("start_time", start + timedelta(seconds=index))
        row.setdefault("end_time", row["start_time"] + timedelta(seconds=1))
    trace = Trace.objects.create(
        project=project,
        timestamp=start,
        end_time=max(row["end_time"] for row in rows),
        input_preview=input_[:300],
        output_preview=output[:300],
        root_observation_id=root["id"],
        observation_count=len(rows),
        **fields,
    )
    Observation.objects.bulk_create(Observation(project=project, trace_id=trace.id, **row) for row in rows)
    return trace


def make_config(project, name="Correct", data_type=DataType.BOOLEAN, **fields):
    return ScoreConfig.objects.create(project=project, name=name, data_type=data_type, **fields)


def make_score(project, *, value=1.0, name="Correct", data_type=DataType.NUMERIC, **fields):
    return Score.objects.create(
        project=project, name=name, data_type=data_type, source=Source.API, value=value, **fields
    )


def make_queue(project, *, configs=None, traces=(), name=None, **fields):
    """A queue with a TEXT note and a BOOLEAN verdict unless told otherwise, holding `traces` in order."""
    queue = AnnotationQueue.objects.create(project=project, name=name or f"Queue {next(_number)}", **fields)
    if configs is None:
        configs = [
            make_config(project, f"Note {queue.pk[-6:]}", DataType.TEXT),
            make_config(project, f"Pass {queue.pk[-6:]}"),
        ]
    QueueScoreConfig.objects.bulk_create(
        QueueScoreConfig(queue=queue, config=config, position=position) for position, config in enumerate(configs)
    )
    QueueItem.objects.bulk_create(
        QueueItem(project=project, queue=queue, object_id=trace.id, position=position)
        for position, trace in enumerate(traces)
    )
    return queue


ROLES = {"ada": Role.OWNER, "adam": Role.ADMIN, "mel": Role.MEMBER, "ben": Role.REVIEWER, "vera": Role.VIEWER}
