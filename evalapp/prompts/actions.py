"""What can be done to prompts."""

import re

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from evalapp.core import payload
from evalapp.prompts.models import LATEST, PRODUCTION, Prompt, PromptLabel, PromptType, PromptVersion
from evalapp.prompts.references import references_in, resolve

_LABEL = re.compile(r"[a-z0-9_\-.]{1,36}")
_RESERVED_NAMES = {"new", "metrics", "prompt-detail"}
_VARIABLE = re.compile(r"\{\{\s*([A-Za-z]\w*)\s*\}\}")


@transaction.atomic
def create_version(
    *, project, name, body, type=None, labels=(), tags=None, config=None, commit_message="", by="API"
):
    """Add a version of the prompt, made when it is new, and return it.

    `body` is a string for a text prompt, a list of messages and placeholders for a chat prompt. Labels move here
    from older versions. `tags` of None keeps the prompt's tags; any list replaces them for all versions.
    Raises ValidationError naming the field.
    """
    type = type or (PromptType.CHAT if isinstance(body, list) else PromptType.TEXT)
    _check_name(name)
    _check_body(body, type)
    _check_labels(labels)
    Prompt.objects.bulk_create(
        [Prompt(project=project, name=name, type=type, tags=tags or [])], ignore_conflicts=True
    )
    # The row is locked, so that two writers get two numbers.
    prompt = project.prompts.select_for_update().get(name=name)
    if prompt.type != type:
        raise ValidationError({"type": f"{name!r} is a {prompt.type} prompt; its versions cannot be {type}."})
    if tags is not None and prompt.tags != tags:
        prompt.tags = tags
        prompt.save(update_fields=["tags"])
    newest = prompt.versions.aggregate(newest=Max("number"))["newest"] or 0
    version = PromptVersion.objects.create(
        project=project,
        prompt=prompt,
        number=newest + 1,
        body=payload.dump(body),
        config=payload.dump({} if config is None else config),
        commit_message=commit_message,
        created_by=by,
    )
    _check_references(project, body)
    add_labels(version=version, labels=labels)
    return version


@transaction.atomic
def add_labels(*, version, labels):
    """Point the labels at this version, away from any other; `latest` follows by itself.

    Raises ValidationError for an ill-formed label.
    """
    _check_labels(labels)
    for label in dict.fromkeys(labels):
        if label != LATEST:
            PromptLabel.objects.update_or_create(
                prompt_id=version.prompt_id, name=label, defaults={"version": version}
            )


@transaction.atomic
def delete_versions(*, prompt, version=None, label=None):
    """Delete one version, the version with a label, or all of them; return how many went.

    The prompt goes with its last version.
    """
    versions = prompt.versions.all()
    if version is not None:
        versions = versions.filter(number=version)
    if label is not None:
        found = find_version(prompt=prompt, label=label)
        versions = versions.filter(pk=found.pk if found else "")
    count = versions.count()
    versions.delete()
    if not prompt.versions.exists():
        prompt.delete()
    return count


def find_version(*, prompt, version=None, label=None):
    """Return the version by number or label (`production` when neither is named), or None."""
    versions = prompt.versions.select_related("prompt", "project").order_by("-number")
    if version is not None:
        return versions.filter(number=version).first()
    if label == LATEST:
        return versions.first()
    return versions.filter(labels__name=label or PRODUCTION).first()


def labels_of(version):
    """Return the version's labels, `latest` last when it is the newest."""
    labels = sorted(label.name for label in version.labels.all())
    newest = version.prompt.versions.aggregate(newest=Max("number"))["newest"]
    return [*labels, LATEST] if version.number == newest else labels


def resolved_body(version):
    """Return the body with prompt references filled in. Raises ValidationError naming what cannot be resolved."""

    def fetch(reference):
        found = _referenced(version.project, reference)
        if found is None:
            raise ValidationError({"prompt": f"The referenced prompt {reference.name!r} does not exist."})
        body = payload.load(found.body)
        if not isinstance(body, str):
            raise ValidationError({"prompt": f"{reference.name!r} is a chat prompt; only text can be inserted."})
        return body

    try:
        return resolve(payload.load(version.body), fetch)
    except ValueError as error:
        raise ValidationError({"prompt": str(error)}) from error


def _referenced(project, reference):
    prompt = project.prompts.filter(name=reference.name).first()
    return prompt and find_version(prompt=prompt, version=reference.version, label=reference.label)


def _check_references(project, body):
    try:
        references = references_in(body)
    except ValueError as error:
        raise ValidationError({"prompt": str(error)}) from error
    for reference in references:
        if _referenced(project, reference) is None:
            raise ValidationError({"prompt": f"The referenced prompt {reference.name!r} does not exist."})


def _check_name(name):
    if not name or len(name) > 255 or "|" in name or name in _RESERVED_NAMES or "\x00" in name:
        raise ValidationError(
            {"name": "A name has 1 to 255 characters without |, and is not new, metrics or prompt-detail."}
        )


def _check_labels(labels):
    for label in labels:
        if not isinstance(label, str) or not _LABEL.fullmatch(label):
            raise ValidationError(
                {"labels": f"{label!r} is not a label: use up to 36 of a–z, 0–9, _, - and . (lower case)."}
            )


def _check_body(body, type):
    if type == PromptType.TEXT:
        if not isinstance(body, str):
            raise ValidationError({"prompt": "A text prompt is a string."})
        return
    if not isinstance(body, list):
        raise ValidationError({"prompt": "A chat prompt is a list of messages."})
    placeholders, variables = set(), set()
    for index, message in enumerate(body):
        if not isinstance(message, dict):
            raise ValidationError({"prompt": f"Message {index} is not an object."})
        if message.get("type") == "placeholder":
            if not isinstance(message.get("name"), str) or not message["name"]:
                raise ValidationError({"prompt": f"Placeholder {index} has no name."})
            placeholders.add(message["name"])
        elif not isinstance(message.get("role"), str) or "content" not in message:
            raise ValidationError({"prompt": f"Message {index} needs a role and content."})
        elif isinstance(message["content"], str):
            variables.update(_VARIABLE.findall(message["content"]))
    if clash := placeholders & variables:
        raise ValidationError({"prompt": f"{sorted(clash)[0]!r} is both a variable and a placeholder."})
