"""Every change to tenants, members, keys and links. Each leaves its trace in the audit log."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.timezone import now

from evalapp.core.jobs import enqueue
from evalapp.core.mail import send_later
from evalapp.projects.keys import hash_secret, hint, new_key_pair, new_token
from evalapp.projects.models import (
    ApiKey,
    AuditEntry,
    Invitation,
    Membership,
    Organization,
    Project,
    Role,
    SignInLink,
    User,
)

INVITATION_LIFETIME = timedelta(days=7)
SIGN_IN_LINK_LIFETIME = timedelta(minutes=15)
_after_purge = []


def audit(*, project, by, action, target, before=None, after=None):
    """Note who changed what. `by` is a User, an ApiKey or None (the system); `target` a row, or (type, id).

    `before` and `after` hold the values that changed, never a secret.
    """
    kind, pk = (target._meta.model_name, target.pk) if isinstance(target, Model) else target
    return AuditEntry.objects.create(
        project=project,
        user=by if isinstance(by, User) else None,
        api_key=by if isinstance(by, ApiKey) else None,
        action=action,
        object_type=kind,
        object_id=str(pk),
        before=before,
        after=after,
    )


def audit_update(*, project, by, target, before, after):
    """Note which values of {name: value} changed; nothing when none did."""
    changed = {name for name in after if before[name] != after[name]}
    if changed:
        audit(
            project=project,
            by=by,
            action="update",
            target=target,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )


@transaction.atomic
def create_project(*, name, by, organization=None, organization_name="", **fields):
    """Create a project that `by` owns, in an organization or in a new one of that name."""
    if organization is None:
        organization = Organization.objects.create(name=organization_name)
    project = Project.objects.create(name=name, organization=organization, **fields)
    Membership.objects.create(project=project, user=by, role=Role.OWNER)
    audit(project=project, by=by, action="create", target=project, after={"name": name})
    return project


@transaction.atomic
def rename_project(*, project, name, by):
    """Give the project another name; its id, which links and SDKs use, stays."""
    before, project.name = project.name, name
    project.save(update_fields=["name"])
    if before != name:
        audit(
            project=project, by=by, action="rename", target=project, before={"name": before}, after={"name": name}
        )
    return project


@transaction.atomic
def delete_project(*, project, by):
    """Make the project unreachable at once, and delete all that it holds in the background."""
    project.memberships.all().delete()
    project.invitations.all().delete()
    project.api_keys.all().delete()
    return enqueue(
        "projects.purge", {"project_id": project.pk, "by": by.pk}, key=f"purge:{project.pk}", project_id=project.pk
    )


def run_after_purge(kind):
    """Have a job of this kind run once a project's rows are deleted: {"project_id": …} is its payload.

    For apps that keep things outside the database, to be called when the app is ready.
    """
    _after_purge.append(kind)


def purge_project(*, project_id):
    """Delete every row of the project, whatever app it belongs to; run in a transaction, it is all or nothing.

    Returns the number of rows by table.
    """
    # New traces wait for this lock, and then fail: their project is gone.
    project = Project.objects.select_for_update().filter(pk=project_id).first()
    if project is None:
        return {}
    deleted = {}
    with connection.cursor() as cursor:
        for table, condition in tables_of_a_project():
            cursor.execute(f"DELETE FROM {table} WHERE {condition}", [project_id])
            deleted[table] = cursor.rowcount
        cursor.execute("DELETE FROM projects_project WHERE id = %s", [project_id])
    Organization.objects.filter(pk=project.organization_id, projects=None).delete()
    for kind in _after_purge:
        enqueue(kind, {"project_id": project_id}, project_id=project_id)
    return deleted


def tables_of_a_project():
    """Return [(table, condition on %s = the project's id)], those that hang on others first.

    A table belongs to the project when a required foreign key leads there, over however many tables.
    """
    found = [_way_to_project(model) for model in apps.get_models(include_auto_created=True)]
    ways = sorted((way for way in found if way), key=lambda way: -way[0])
    return [(table, condition) for depth, table, condition in ways if depth]


def _way_to_project(model, seen=()):
    """Return (number of steps to the project, table, condition) by the shortest way, or None."""
    table = model._meta.db_table
    if model is Project:
        return 0, table, "id = %s"
    ways = []
    for field in model._meta.concrete_fields:
        if not field.is_relation or field.null or field.related_model in (*seen, model):
            continue
        if way := _way_to_project(field.related_model, (*seen, model)):
            depth, parent, condition = way
            inner = f"IN (SELECT {field.target_field.column} FROM {parent} WHERE {condition})" if depth else "= %s"
            ways.append((depth + 1, table, f"{field.column} {inner}"))
    return min(ways, default=None)


@transaction.atomic
def invite(*, project, email, role, by):
    """Invite an address, in place of an earlier invitation; returns it and the link, which is kept nowhere.

    The e-mail is sent by a worker. Raises ValidationError for somebody who is a member already.
    """
    email = email.strip().lower()
    if project.memberships.filter(user__email__iexact=email).exists():
        raise ValidationError({"email": f"{email} is a member already. Change their role in the list."})
    project.invitations.filter(email=email, accepted_at=None).delete()
    token = new_token()
    invitation = Invitation.objects.create(
        project=project,
        email=email,
        role=role,
        token_hash=hash_secret(token),
        invited_by=by,
        expires_at=now() + INVITATION_LIFETIME,
    )
    audit(project=project, by=by, action="invite", target=invitation, after={"email": email, "role": str(role)})
    link = settings.BASE_URL + reverse("invitation_accept", args=[token])
    context = {"invitation": invitation, "link": link}
    message = EmailMessage(
        f"{by} invites you to {project.name}".replace("\n", " "),
        render_to_string("projects/email/invitation.txt", context),
        settings.DEFAULT_FROM_EMAIL,
        [email],
    )
    send_later(message, project_id=project.pk)
    return invitation, link


@transaction.atomic
def revoke_invitation(*, invitation, by):
    """Make the link useless."""
    before = {"email": invitation.email, "role": invitation.role}
    audit(project=invitation.project, by=by, action="revoke", target=invitation, before=before)
    invitation.delete()


@transaction.atomic
def accept_invitation(*, invitation, user):
    """Make `user` a member and use the invitation up.

    Raises ValidationError when it is not theirs, or when it was used or revoked meanwhile.
    """
    if user.email.lower() != invitation.email.lower():
        raise ValidationError(f"This invitation is for {invitation.email}, and you are {user.email}.")
    used = Invitation.objects.open().filter(pk=invitation.pk).update(accepted_at=now())
    if not used:
        raise ValidationError("This invitation was used, revoked or has expired. Ask for a new one.")
    membership, created = Membership.objects.get_or_create(
        project=invitation.project, user=user, defaults={"role": invitation.role}
    )
    if created:
        after = {"email": user.email, "role": invitation.role}
        audit(project=invitation.project, by=user, action="join", target=membership, after=after)
    return membership


@transaction.atomic
def join_by_invitation(*, invitation, name, password):
    """Make the account of somebody new, whose address the invitation's link has proved, and let them join."""
    user = create_user(email=invitation.email, name=name, password=password)
    accept_invitation(invitation=invitation, user=user)
    return user


@transaction.atomic
def create_user(*, email, name="", password=None):
    """Create a person with a verified address."""
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@transaction.atomic
def change_role(*, membership, role, by):
    """Give a member another role. Raises ValidationError for the last owner."""
    membership = _locked(membership)
    before = membership.role
    if before == role:
        return membership
    if before == Role.OWNER:
        _require_another_owner(membership, "role")
    membership.role = role
    membership.save(update_fields=["role"])
    audit(
        project=membership.project,
        by=by,
        action="change role",
        target=membership,
        before={"email": membership.user.email, "role": before},
        after={"email": membership.user.email, "role": str(role)},
    )
    return membership


@transaction.atomic
def remove_member(*, membership, by):
    """End a membership, by somebody else or by themselves. Raises ValidationError for the last owner."""
    membership = _locked(membership)
    if membership.role == Role.OWNER:
        _require_another_owner(membership)
    before = {"email": membership.user.email, "role": membership.role}
    action = "leave" if membership.user == by else "remove"
    audit(project=membership.project, by=by, action=action, target=membership, before=before)
    membership.delete()


def _locked(membership):
    # All changes of one project's members go through this lock: two owners who leave at once would both see the
    # other one stay.
    Project.objects.select_for_update().get(pk=membership.project_id)
    return Membership.objects.select_related("project", "user").get(pk=membership.pk)


def _require_another_owner(membership, field=None):
    others = membership.project.memberships.filter(role=Role.OWNER).exclude(pk=membership.pk)
    if not others.exists():
        words = f"{membership.user} is the last owner. Make somebody else an owner first."
        raise ValidationError({field: words} if field else words)


@transaction.atomic
def create_api_key(*, project, by, note="", public_key=None, secret=None):
    """Create a key and return it with its secret, which is kept nowhere."""
    if public_key is None:
        public_key, secret = new_key_pair()
    key = ApiKey.objects.create(
        project=project,
        note=note,
        public_key=public_key,
        secret_hash=hash_secret(secret),
        secret_hint=hint(secret),
        created_by=by,
    )
    audit(project=project, by=by, action="create", target=key, after={"public_key": public_key, "note": note})
    return key, secret


@transaction.atomic
def revoke_api_key(*, key, by):
    """Refuse the key from now on; its row stays, so that the audit log can name it."""
    if key.project.api_keys.active().filter(pk=key.pk).update(revoked_at=now(), revoked_by=by):
        before = {"public_key": key.public_key, "note": key.note}
        audit(project=key.project, by=by, action="revoke", target=key, before=before)


def make_sign_in_link(*, user, lifetime=SIGN_IN_LINK_LIFETIME):
    """Return the path of a link that signs `user` in once."""
    token = new_token()
    SignInLink.objects.create(user=user, token_hash=hash_secret(token), expires_at=now() + lifetime)
    return reverse("sign_in_link", args=[token])


def use_sign_in_link(*, token):
    """Return the person whom this link signs in, and use it up; None when it is unknown, used or expired."""
    links = SignInLink.objects.filter(token_hash=hash_secret(token))
    if not links.filter(used_at=None, expires_at__gt=now(), user__is_active=True).update(used_at=now()):
        return None
    return links.select_related("user").get().user


def rename_user(*, user, name):
    """Set the name that others see."""
    user.name = name
    user.save(update_fields=["name"])
