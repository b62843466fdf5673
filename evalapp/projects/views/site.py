"""Pages outside of a project: where to go, how to come in, who one is."""

from allauth.account.internal import flows
from allauth.account.models import Login
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from evalapp.core.htmx import render_fragment
from evalapp.projects import actions
from evalapp.projects.access import allows, requires
from evalapp.projects.forms import JoinForm, NewProjectForm, PersonForm
from evalapp.projects.models import Invitation


def home(request):
    """Lead to the project that was visited last."""
    membership = request.user.memberships.latest_visited().first()
    if membership is None:
        return redirect("project_list")
    return redirect("project_home", membership.project_id)


@requires("project.read")
def project_home(request, project_id):
    """Lead to the first page of the project that this role may open."""
    page = "traces:trace_list" if allows(request.membership, "traces.read") else "annotation:queue_list"
    return redirect(page, project_id)


@require_GET
def project_list(request):
    """The projects of the person, or what to do when there is none."""
    context = {
        "memberships": request.user.memberships.latest_visited(),
        "may_create": request.user.may_found_organization,
    }
    return render(request, "projects/project_list.html", context)


@require_http_methods(["GET", "POST"])
def project_create(request):
    """A new project: in an organization where one owns a project; the first one founds an organization."""
    if not request.user.may_found_organization:
        raise PermissionDenied("Only people who own a project may make another one. Ask an owner.")
    form = NewProjectForm(request.POST or None, organizations=request.user.owned_organizations)
    if form.is_valid():
        project = actions.create_project(by=request.user, **form.cleaned_data)
        return redirect("projects:api_key_list", project.pk)
    status = 422 if form.is_bound else 200
    return render_fragment(request, "projects/project_create.html", {"form": form}, fragment="form", status=status)


@require_POST
@requires("project.read")
def membership_leave(request, project_id):
    """End one's own membership."""
    try:
        actions.remove_member(membership=request.membership, by=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, f"You left {request.project.name}.")
    return redirect("project_list")


@never_cache
@require_GET
@login_not_required
def sign_in_link(request, token):
    """Sign in by a one-time link, through the same steps as a password (a second factor is asked for)."""
    if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        return render(request, "projects/sign_in_link.html", status=425)  # a preview must not use the link up
    user = actions.use_sign_in_link(token=token)
    target = _safe_next(request)
    if user is not None:
        return flows.login.perform_login(request, Login(user=user, redirect_url=target))
    if request.user.is_authenticated:
        return redirect(target)  # a second click on one's own link
    return render(request, "projects/sign_in_link.html", status=410)


def _safe_next(request):
    target = request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return reverse("home")


@never_cache
@require_http_methods(["GET", "POST"])
@login_not_required
def invitation_accept(request, token):
    """Join a project: at once when signed in, else by making an account or signing in to the one there is."""
    invitation = Invitation.with_token(token)
    if invitation is None:
        return render(request, "projects/invitation_gone.html", status=410)
    context = {"invitation": invitation}
    form = None
    if request.user.is_authenticated:
        context["is_theirs"] = request.user.email.lower() == invitation.email
        if request.method == "POST" and context["is_theirs"]:
            actions.accept_invitation(invitation=invitation, user=request.user)
            return redirect("project_home", invitation.project_id)
    elif invitation.addressee:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    else:
        form = JoinForm(request.POST or None, email=invitation.email)
        if form.is_valid():
            user = actions.join_by_invitation(invitation=invitation, **form.cleaned_data)
            target = reverse("project_home", args=[invitation.project_id])
            return flows.login.perform_login(request, Login(user=user, redirect_url=target))
    status = 422 if request.method == "POST" else 200
    return render(request, "projects/invitation_accept.html", {**context, "form": form}, status=status)


@require_http_methods(["GET", "POST"])
def account(request):
    """One's name, ways to sign in, and sessions."""
    form = PersonForm(request.POST or None, initial={"name": request.user.name})
    if form.is_valid():
        actions.rename_user(user=request.user, **form.cleaned_data)
        messages.success(request, "Your name is changed.")
        return redirect("account")
    sessions = UserSession.objects.purge_and_list(request.user)[::-1]
    status = 422 if form.is_bound else 200
    return render(request, "projects/account.html", {"form": form, "sessions": sessions}, status=status)


@require_POST
def sessions_end(request):
    """Sign out everywhere else."""
    end_other_sessions(request, request.user)
    messages.success(request, "You are signed out everywhere else.")
    return redirect("account")
