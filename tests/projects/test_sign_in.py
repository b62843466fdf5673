"""Coming in: one-time links, invitations, passwords, the way home."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils.timezone import now

from evalapp.core import jobs
from evalapp.core.models import Job
from evalapp.projects import actions
from evalapp.projects.models import Invitation, Membership, SignInLink, User
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db


def run_jobs():
    for pk in Job.objects.due().values_list("pk", flat=True):
        jobs.run(pk)


def signed_in_as(client):
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk) if pk else None


def test_a_sign_in_link_works_once(client, ada):
    link = actions.make_sign_in_link(user=ada)
    assert client.get(link).headers["Location"] == "/"
    assert signed_in_as(client) == ada
    client.logout()
    assert client.get(link).status_code == 410
    assert signed_in_as(client) is None


def test_a_second_click_of_somebody_signed_in_goes_on(client, ada):
    link = actions.make_sign_in_link(user=ada)
    client.get(link)
    assert client.get(link).headers["Location"] == "/"


def test_an_expired_sign_in_link_says_so(client, ada):
    link = actions.make_sign_in_link(user=ada)
    SignInLink.objects.update(expires_at=now() - timedelta(seconds=1))
    response = client.get(link)
    assert response.status_code == 410
    assert "no longer works" in response.content.decode()


def test_a_link_preview_does_not_use_the_link_up(client, ada):
    link = actions.make_sign_in_link(user=ada)
    client.get(link, headers={"Sec-Purpose": "prefetch;prerender"})
    assert SignInLink.objects.get().used_at is None


def test_a_sign_in_link_does_not_lead_to_another_host(client, ada):
    link = actions.make_sign_in_link(user=ada)
    assert client.get(link, {"next": "https://evil.example/"}).headers["Location"] == "/"


def test_a_sign_in_link_asks_for_the_second_factor(client, ada):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(ada, generate_totp_secret())
    response = client.get(actions.make_sign_in_link(user=ada))
    assert response.headers["Location"] == reverse("mfa_authenticate")
    assert signed_in_as(client) is None


def test_the_link_of_somebody_deactivated_is_refused(client, ada):
    link = actions.make_sign_in_link(user=ada)
    User.objects.update(is_active=False)
    assert client.get(link).status_code == 410


def test_home_leads_to_the_project_visited_last(client, project, ada):
    second = make_project("Second")
    make_member(second, "ada", "viewer")
    client.force_login(ada)
    for visited in (second, project, second):
        client.get(f"/project/{visited.pk}/settings/general")
        assert client.get("/").headers["Location"] == f"/project/{visited.pk}"


def test_somebody_without_a_project_is_told_what_to_do(client, db):
    client.force_login(make_user("newcomer"))
    response = client.get("/", follow=True)
    assert "You are in no project yet" in response.content.decode()


def test_anonymous_is_sent_to_sign_in(client, db):
    assert client.get("/").headers["Location"] == "/accounts/login/?next=/"


def test_nobody_signs_up_by_themselves(client, db):
    client.post(
        "/accounts/signup/", {"email": "x@example.com", "password1": "correct horse", "password2": "correct horse"}
    )
    assert not User.objects.exists()


def test_a_password_reset_is_a_job_and_works(client, ada):
    client.post("/accounts/password/reset/", {"email": ada.email})
    assert mail.outbox == []
    run_jobs()
    (message,) = mail.outbox
    assert message.to == [ada.email]
    link = re.search(r"https?://[^/]+(/\S+)", message.body)[1]
    response = client.get(link, follow=True)
    form = response.redirect_chain[-1][0]
    client.post(form, {"password1": "a new long one", "password2": "a new long one"})
    ada.refresh_from_db()
    assert ada.check_password("a new long one")


def test_a_password_signs_in_and_guessing_is_slowed_down(client, ada):
    ada.set_password("the right one")
    ada.save()
    wrong = {"login": ada.email, "password": "wrong"}
    for _ in range(6):
        response = client.post("/accounts/login/", wrong)
    assert "too many" in response.content.decode().lower()
    client.post("/accounts/login/", {"login": ada.email, "password": "the right one"})
    assert signed_in_as(client) is None  # even the right one has to wait now


def test_the_right_password_signs_in(client, ada):
    ada.set_password("the right one")
    ada.save()
    response = client.post("/accounts/login/", {"login": ada.email.upper(), "password": "the right one"})
    assert response.headers["Location"] == "/"
    assert signed_in_as(client) == ada


def invite(project, by, email="new@example.com", role="member"):
    _, link = actions.invite(project=project, email=email, role=role, by=by)
    return "/" + link.split("/", 3)[3]


def test_somebody_new_joins_by_an_invitation(client, project, ada):
    link = invite(project, ada)
    assert "Create account and join" in client.get(link).content.decode()
    response = client.post(link, {"name": "New Person", "password": "something long"})
    assert response.headers["Location"] == f"/project/{project.pk}"
    user = signed_in_as(client)
    assert (user.name, user.email) == ("New Person", "new@example.com")
    assert project.memberships.get(user=user).role == "member"
    assert client.get(link).status_code == 410


def test_a_weak_password_is_refused_at_its_field(client, project, ada):
    response = client.post(invite(project, ada), {"name": "New", "password": "short"})
    assert response.status_code == 422
    assert "at least 10 characters" in response.content.decode()
    assert not User.objects.filter(email="new@example.com").exists()


def test_somebody_with_an_account_signs_in_and_joins(client, project, other_project, ada, mallory):
    link = invite(project, ada, mallory.email.upper())
    assert client.get(link).headers["Location"] == f"/accounts/login/?next={link}"
    client.force_login(mallory)
    assert "Join" in client.get(link).content.decode()
    client.post(link)
    assert project.memberships.filter(user=mallory, role="member").exists()


def test_an_invitation_is_for_its_address_alone(client, project, ada, mallory):
    link = invite(project, ada)
    client.force_login(mallory)
    assert "is for new@example.com" in client.get(link).content.decode()
    assert client.post(link).status_code == 422
    assert not project.memberships.filter(user=mallory).exists()


@pytest.mark.parametrize("end", ["revoke", "expire", "replace"])
def test_an_ended_invitation_is_refused(client, project, ada, end):
    link = invite(project, ada)
    invitation = Invitation.objects.get()
    if end == "revoke":
        actions.revoke_invitation(invitation=invitation, by=ada)
    elif end == "expire":
        Invitation.objects.update(expires_at=now())
    else:
        invite(project, ada)
    response = client.post(link, {"name": "New", "password": "something long"})
    assert response.status_code == 410
    assert Membership.objects.count() == 1


def test_the_invitation_mail_carries_the_link_and_the_job_forgets_it(client, project, ada):
    link = invite(project, ada)
    run_jobs()
    (message,) = mail.outbox
    assert link in message.body
    assert message.to == ["new@example.com"]
    assert Job.objects.get().payload == {}


def test_the_first_project_founds_an_organization(client, db):
    newcomer = make_user("newcomer")
    client.force_login(newcomer)
    response = client.post("/projects/new", {"name": "Mine", "organization_name": "Ours"})
    project = newcomer.memberships.get().project
    assert response.headers["Location"] == f"/project/{project.pk}/settings/api-keys"
    assert (project.name, project.organization.name) == ("Mine", "Ours")
    assert newcomer.memberships.get().role == "owner"


def test_a_project_needs_an_organization_of_one_s_own(client, ada, other_project):
    client.force_login(ada)
    theirs = other_project.organization
    response = client.post("/projects/new", {"name": "Mine", "organization": theirs.pk})
    assert response.status_code == 422
    assert not theirs.projects.filter(name="Mine").exists()


def test_members_who_own_nothing_make_no_project(client, mel):
    client.force_login(mel)
    assert client.post("/projects/new", {"name": "Mine", "organization_name": "Ours"}).status_code == 403


def test_somebody_signs_out_everywhere_else(client, ada):
    from django.test import Client

    other = Client()
    for browser in (client, other):
        browser.get(actions.make_sign_in_link(user=ada))
    assert other.get("/projects").status_code == 200
    assert "Sign out everywhere else" in client.get("/account").content.decode()
    client.post("/account/sessions/end")
    assert other.get("/projects").status_code == 302
    assert client.get("/projects").status_code == 200


def test_somebody_changes_their_name(client, ada):
    client.force_login(ada)
    client.post("/account", {"name": "Ada Lovelace"})
    ada.refresh_from_db()
    assert ada.name == "Ada Lovelace"
    assert client.post("/account", {"name": ""}).status_code == 422
