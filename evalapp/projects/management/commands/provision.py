"""What `up` needs in the database before the first visit: cache table, local admin, demo project, sign-in link."""

import json
import re
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import connection, transaction

from evalapp.env import env_str
from evalapp.projects import actions
from evalapp.projects.keys import hash_secret
from evalapp.projects.models import ApiKey, Membership, Organization, Project, Role, User

LOCAL_ADMIN = "admin@localhost.localdomain"
DEMO_PROJECT = "demo"
_LINK_LIFETIME = timedelta(hours=24)
_INIT = ("PROJECT_ID", "PROJECT_NAME", "PUBLIC_KEY", "SECRET_KEY", "USER_EMAIL", "USER_PASSWORD")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
# Any number that no other part of the program locks.
_LOCK = 0x70726F76


class Command(BaseCommand):
    help = "Create, once, what an installation starts with. Safe to run at every start."

    def add_arguments(self, parser):
        parser.add_argument("--no-demo", action="store_true", help="make no demo project")
        parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
        parser.add_argument("--base-url", help="address that the sign-in link starts with")
        parser.add_argument(
            "--no-local-admin", action="store_true", help="no admin without a password and no sign-in link"
        )

    def handle(self, **options):
        init = read_init()
        call_command("createcachetable", verbosity=0)
        report = {"sign_in_url": None, "demo": None, "init": None, "messages": []}
        with transaction.atomic(), connection.cursor() as cursor:
            # Two machines that start at once would both make the demo project.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            admin, is_first = (None, False) if options["no_local_admin"] else ensure_local_admin(report)
            if admin and not options["no_demo"]:
                report["demo"] = ensure_demo(admin, report, is_first)
            if init:
                report["init"] = ensure_init(init, admin, report)
            if admin:
                path = actions.make_sign_in_link(user=admin, lifetime=_LINK_LIFETIME)
                report["sign_in_url"] = (options["base_url"] or settings.BASE_URL).rstrip("/") + path
        if report["demo"]:
            # Each time, because the first start may have died here; a project that was filled is left alone.
            call_command("create_demo", project=report["demo"]["project_id"], verbosity=0)
        self.stdout.write(json.dumps(report) if options["json"] else _as_text(report))


def read_init():
    """Return EVALAPP_INIT_… as a dict, empty when none is set. Raises CommandError saying what to set."""
    values = {name: env_str(f"EVALAPP_INIT_{name}") for name in _INIT}
    if not any(values.values()):
        return {}
    if not values["PROJECT_ID"]:
        raise CommandError("EVALAPP_INIT_… is set without EVALAPP_INIT_PROJECT_ID. Set it, or unset the others.")
    if not _ID.fullmatch(values["PROJECT_ID"]):
        raise CommandError("EVALAPP_INIT_PROJECT_ID: use up to 64 letters, digits, dots, dashes and underscores.")
    if bool(values["PUBLIC_KEY"]) != bool(values["SECRET_KEY"]):
        raise CommandError("Set EVALAPP_INIT_PUBLIC_KEY and EVALAPP_INIT_SECRET_KEY, or neither.")
    if ":" in values["PUBLIC_KEY"]:
        raise CommandError("EVALAPP_INIT_PUBLIC_KEY may hold no colon: it is the user name of HTTP Basic.")
    if values["USER_PASSWORD"] and not values["USER_EMAIL"]:
        raise CommandError("EVALAPP_INIT_USER_PASSWORD is set without EVALAPP_INIT_USER_EMAIL.")
    if values["USER_EMAIL"]:
        try:
            validate_email(values["USER_EMAIL"])
        except ValidationError as error:
            raise CommandError("EVALAPP_INIT_USER_EMAIL is not an e-mail address.") from error
    return values


def ensure_local_admin(report):
    """Return the person whom the printed link signs in, and whether this is the first start."""
    admin = User.objects.filter(email=LOCAL_ADMIN).first()
    if admin is not None:
        return admin, False
    report["messages"].append(f"Created the local admin {LOCAL_ADMIN}.")
    return actions.create_user(email=LOCAL_ADMIN, name="Local admin"), True


def ensure_demo(admin, report, is_first):
    """Make the demo project with a key at the first start; somebody who deleted it does not get it back."""
    project = Project.objects.filter(is_demo=True).order_by("created_at").first()
    if project is None and not is_first:
        return None
    if project is None:
        organization = Organization.objects.create(name="Local")
        project = actions.create_project(
            id=DEMO_PROJECT, name="Demo: support agent", organization=organization, by=admin, is_demo=True
        )
        key, secret = actions.create_api_key(project=project, by=admin, note="made by the first start")
        report["messages"].append("Created the demo project. Its secret key is shown only this time.")
        return {"project_id": project.pk, "public_key": key.public_key, "secret_key": secret, "is_new": True}
    key = project.api_keys.active().order_by("created_at").first()
    return {
        "project_id": project.pk,
        "public_key": key.public_key if key else None,
        "secret_key": None,
        "is_new": False,
    }


def ensure_init(init, admin, report):
    """Make the project, owner and key of EVALAPP_INIT_…; what exists is kept, and differences are named."""
    messages = report["messages"]
    name = init["PROJECT_NAME"] or init["PROJECT_ID"]
    project = Project.objects.filter(pk=init["PROJECT_ID"]).first()
    if project is None:
        organization = Organization.objects.create(name=name)
        project = Project.objects.create(pk=init["PROJECT_ID"], name=name, organization=organization)
        actions.audit(project=project, by=None, action="create", target=project, after={"name": name})
        messages.append(f"Created the project {project.pk}.")
        if admin:
            Membership.objects.create(project=project, user=admin, role=Role.OWNER)
    elif init["PROJECT_NAME"] and project.name != name:
        messages.append(f"Kept the project's name {project.name!r}; EVALAPP_INIT_PROJECT_NAME is {name!r}.")
    if init["USER_EMAIL"]:
        _ensure_owner(project, init, messages)
    if init["PUBLIC_KEY"]:
        _ensure_key(project, init, messages)
    return {"project_id": project.pk}


def _ensure_owner(project, init, messages):
    email = init["USER_EMAIL"].strip().lower()
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = actions.create_user(email=email, password=init["USER_PASSWORD"] or None)
        messages.append(f"Created the user {email}.")
        if not init["USER_PASSWORD"]:
            messages.append(f"{email} has no password: set EVALAPP_INIT_USER_PASSWORD, or reset it by e-mail.")
    elif init["USER_PASSWORD"] and not user.check_password(init["USER_PASSWORD"]):
        messages.append(f"Kept the password of {email}; it is not EVALAPP_INIT_USER_PASSWORD.")
    membership, created = Membership.objects.get_or_create(
        project=project, user=user, defaults={"role": Role.OWNER}
    )
    if not created and membership.role != Role.OWNER:
        messages.append(f"Kept {email} as {membership.role} of {project.pk}.")


def _ensure_key(project, init, messages):
    key = ApiKey.objects.filter(public_key=init["PUBLIC_KEY"]).first()
    if key is None:
        actions.create_api_key(
            project=project,
            by=None,
            note="from EVALAPP_INIT_PUBLIC_KEY",
            public_key=init["PUBLIC_KEY"],
            secret=init["SECRET_KEY"],
        )
        messages.append(f"Created the API key {init['PUBLIC_KEY']}.")
    elif key.project_id != project.pk:
        raise CommandError("EVALAPP_INIT_PUBLIC_KEY belongs to another project. Choose another key.")
    elif key.revoked_at is not None:
        messages.append(f"The API key {key.public_key} was revoked and stays so. Choose another key.")
    elif key.secret_hash != hash_secret(init["SECRET_KEY"]):
        messages.append(
            f"Kept the secret of {key.public_key}; it is not EVALAPP_INIT_SECRET_KEY. Programs that send the new"
            " one get 401: revoke the key in the settings, or choose another public key."
        )


def _as_text(report):
    lines = list(report["messages"])
    if report["demo"]:
        lines.append(f"Demo project: {report['demo']['project_id']}, public key {report['demo']['public_key']}")
        if report["demo"]["secret_key"]:
            lines.append(f"Secret key: {report['demo']['secret_key']}")
    if report["sign_in_url"]:
        lines.append(f"Sign in (works once, for 24 hours): {report['sign_in_url']}")
    return "\n".join(lines)
