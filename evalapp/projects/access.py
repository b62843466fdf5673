"""Who may do what: the one place that knows roles."""

from functools import wraps

from django.core.exceptions import PermissionDenied

from evalapp.projects.models import Role

_EVERYONE = frozenset(Role)
_READERS = _EVERYONE - {Role.REVIEWER}
_BUILDERS = frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER})
_ADMINS = frozenset({Role.OWNER, Role.ADMIN})

PERMISSIONS = {
    "project.read": _EVERYONE,
    "traces.read": _READERS,
    "traces.write": _BUILDERS,  # tag, bookmark, delete
    "scores.read": _READERS,
    "scores.write": _BUILDERS,  # score from a trace page
    "queues.read": _EVERYONE,  # a reviewer sees the queues that are open to them
    "queues.review": _BUILDERS | {Role.REVIEWER},
    "queues.fill": _BUILDERS,  # add and remove items
    "queues.manage": _ADMINS,
    "queues.export": _READERS,
    "settings.read": _READERS,
    "settings.manage": _ADMINS,
    "members.manage": _ADMINS,
    "owners.manage": frozenset({Role.OWNER}),  # make, change and remove owners; delete the project
    "audit.read": _ADMINS,
    "jobs.cancel": _BUILDERS,
}


def allows(membership, permission):
    """Whether this membership carries the permission. Raises KeyError for a permission that does not exist."""
    return membership is not None and Role(membership.role) in PERMISSIONS[permission]


def may_manage(membership, role):
    """Whether this member may invite, change or remove people of that role: only owners touch owners."""
    return allows(membership, "owners.manage" if role == Role.OWNER else "members.manage")


def requires(permission):
    """Refuse the view (403) to members whose role lacks `permission`; strangers were already given a 404.

    The permission stays readable on the view, for the test that sweeps every route.
    """
    if permission not in PERMISSIONS:
        raise KeyError(permission)

    def decorate(view):
        @wraps(view)
        def checked(request, *args, **kwargs):
            if not allows(request.membership, permission):
                raise PermissionDenied(f"Your role may not do this ({permission}).")
            return view(request, *args, **kwargs)

        checked.permission = permission
        return checked

    return decorate
