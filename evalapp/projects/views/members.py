"""Who is in the project."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from evalapp.core.htmx import render_fragment
from evalapp.projects import actions
from evalapp.projects.access import allows, may_manage, requires
from evalapp.projects.forms import InvitationForm, RoleForm


def _members_page(request, *, status=200, **extra):
    """Answer with the page, or with its list when htmx asked."""
    with_owner = allows(request.membership, "owners.manage")
    people = [
        {
            "membership": membership,
            "form": RoleForm(
                initial={"role": membership.role}, with_owner=with_owner, auto_id=f"id_{membership.pk}_%s"
            ),
            "manageable": may_manage(request.membership, membership.role),
        }
        for membership in request.project.memberships.with_people()
    ]
    context = {
        "people": people,
        "invitations": request.project.invitations.waiting(),
        "form": InvitationForm(with_owner=with_owner),
        **extra,
    }
    return render_fragment(request, "projects/members.html", context, fragment="people", status=status)


@require_GET
@requires("settings.read")
def members(request, project_id):
    """The members and the open invitations."""
    return _members_page(request)


@require_POST
@requires("members.manage")
def invitation_create(request, project_id):
    """Invite an address; the link is shown once, and sent by e-mail."""
    form = InvitationForm(request.POST, with_owner=allows(request.membership, "owners.manage"))
    if form.is_valid():
        try:
            invitation, link = actions.invite(project=request.project, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _members_page(request, invited=invitation, link=link)
    return _members_page(request, form=form, status=422)


@require_POST
@requires("members.manage")
def invitation_revoke(request, project_id, pk):
    """Take an invitation back."""
    invitation = get_object_or_404(request.project.invitations.waiting(), pk=pk)
    _refuse_unless(may_manage(request.membership, invitation.role))
    actions.revoke_invitation(invitation=invitation, by=request.user)
    messages.success(request, f"The invitation of {invitation.email} is revoked.")
    return redirect("projects:members", project_id)


@require_POST
@requires("members.manage")
def membership_change(request, project_id, pk):
    """Give somebody another role."""
    membership = get_object_or_404(request.project.memberships, pk=pk)
    _refuse_unless(may_manage(request.membership, membership.role))
    form = RoleForm(request.POST, with_owner=allows(request.membership, "owners.manage"))
    if form.is_valid():
        try:
            actions.change_role(membership=membership, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"{membership.user} is {form.cleaned_data['role']} now.")
            return redirect("projects:members", project_id)
    return _members_page(request, problems=form.errors["role"], status=422)


@require_POST
@requires("members.manage")
def membership_remove(request, project_id, pk):
    """Take somebody out of the project."""
    membership = get_object_or_404(request.project.memberships, pk=pk)
    _refuse_unless(may_manage(request.membership, membership.role))
    try:
        actions.remove_member(membership=membership, by=request.user)
    except ValidationError as error:
        return _members_page(request, problems=error.messages, status=422)
    messages.success(request, f"{membership.user} is no longer a member.")
    if membership.user == request.user:
        return redirect("home")
    return redirect("projects:members", project_id)


def _refuse_unless(allowed):
    if not allowed:
        raise PermissionDenied("Only owners may change owners. Ask one of them.")
