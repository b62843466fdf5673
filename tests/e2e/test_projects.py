"""Settings, keys, invitations and ways to sign in, in a real browser."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value
from playwright.sync_api import expect

from evalapp.projects import actions
from evalapp.projects.authentication import authenticate
from evalapp.projects.keys import basic_token
from tests.e2e.pages import assert_accessible, assert_no_console_errors

pytestmark = pytest.mark.e2e
PASSWORD = "a long enough password"


@pytest.mark.parametrize("path", ["general", "members", "api-keys", "audit-log"])
def test_settings_pages_are_accessible_and_quiet(as_ada, live_server, project, mel, path):
    actions.invite(project=project, email="new@example.com", role="viewer", by=mel)
    actions.create_api_key(project=project, by=mel, note="production")
    as_ada.goto(f"{live_server.url}/project/{project.pk}/settings/{path}")
    assert_accessible(as_ada)
    assert_no_console_errors(as_ada)


@pytest.mark.parametrize("path", ["projects", "projects/new", "account"])
def test_one_s_own_pages_are_accessible_and_quiet(as_ada, live_server, path):
    as_ada.goto(f"{live_server.url}/{path}")
    assert_accessible(as_ada)
    assert_no_console_errors(as_ada)


def test_the_pages_of_dead_links_are_accessible(page, live_server):
    for path in ("sign-in/unknown", "invitations/unknown"):
        page.goto(f"{live_server.url}/{path}")
        expect(page.get_by_role("heading", name="no longer works")).to_be_visible()
        assert_accessible(page)


def test_a_key_is_made_copied_and_revoked(as_ada, live_server, project):
    as_ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    as_ada.goto(f"{live_server.url}/project/{project.pk}/settings/api-keys")
    as_ada.get_by_label("Note").fill("production")
    as_ada.get_by_role("button", name="Create key").click()
    expect(as_ada.get_by_role("heading", name="Your new key")).to_be_visible()
    assert_accessible(as_ada)
    as_ada.get_by_role("button", name="Copy the variables for a Langfuse SDK").click()
    expect(as_ada.get_by_text("Copied.")).to_be_visible()
    copied = as_ada.evaluate("navigator.clipboard.readText()")
    public_key = re.search(r"LANGFUSE_PUBLIC_KEY=(\S+)", copied)[1]
    secret = re.search(r"LANGFUSE_SECRET_KEY=(\S+)", copied)[1]
    assert authenticate(f"Basic {basic_token(public_key, secret)}").project == project
    as_ada.get_by_role("button", name=f"Revoke {public_key}").click()
    expect(as_ada.get_by_text("No API key yet")).to_be_visible()
    assert_no_console_errors(as_ada)


def test_an_invitation_error_appears_in_place(as_ada, live_server, project, mel):
    as_ada.goto(f"{live_server.url}/project/{project.pk}/settings/members")
    as_ada.get_by_label("E-mail address").fill(mel.email)
    as_ada.get_by_role("button", name="Send invitation").click()
    expect(as_ada.get_by_text("is a member already")).to_be_visible()
    expect(as_ada.get_by_label("E-mail address")).to_have_attribute("aria-invalid", "true")
    assert_accessible(as_ada)
    assert_no_console_errors(as_ada)


def test_somebody_new_joins_and_is_taken_to_the_project(page, live_server, project, ada):
    _, link = actions.invite(project=project, email="new@example.com", role="viewer", by=ada)
    page.goto(live_server.url + "/" + link.split("/", 3)[3])
    assert_accessible(page)
    page.get_by_label("Name").fill("New Person")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    expect(page).to_have_url(re.compile(rf"/project/{project.pk}/traces"))
    expect(page.get_by_text("New Person")).to_be_visible()


def totp(secret):
    return f"{hotp_value(secret, int(time.time()) // 30):06}"


@pytest.fixture
def person():
    """Somebody with a password and a verified address, which second factors ask for."""
    user = actions.create_user(email="nora@example.com", name="Nora", password=PASSWORD)
    actions.create_project(name="Nora's", by=user, organization_name="Nora's")
    return user


def test_a_second_factor_is_set_up_and_then_asked_for(page, live_server, person):
    sign_in_by_password(page, live_server, person)
    page.goto(f"{live_server.url}/accounts/2fa/totp/activate/")
    confirm(page)
    assert_accessible(page)
    secret = re.search(r"\b[A-Z2-7]{32}\b", page.content())[0]
    page.locator("input[name=code]").fill(totp(secret))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile("/2fa/(?!totp)"))
    assert secret not in str(list(Authenticator.objects.values()))
    page.goto(f"{live_server.url}/accounts/2fa/recovery-codes/")
    recovery_code = page.get_by_label("Unused codes").input_value().split()[0]
    page.context.clear_cookies()
    sign_in_by_password(page, live_server, person)
    expect(page).to_have_url(re.compile("/accounts/2fa/authenticate/"))
    assert_accessible(page)
    page.locator("input[name=code]").fill(recovery_code)
    page.locator("form:has(input[name=code]) button[type=submit]").first.click()
    expect(page).to_have_url(re.compile(r"/(project|traces)"))


def sign_in_by_password(page, live_server, user):
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def confirm(page):
    """Type the password again, which is asked for before a change to how one signs in."""
    assert_accessible(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url(lambda url: "reauthenticate" not in url)


def test_a_passkey_is_added_and_signs_in(page, live_server, person):
    """With Chromium's virtual authenticator, which does the real WebAuthn ceremony."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in_by_password(page, live_server, person)
    page.goto(f"{live_server.url}/accounts/2fa/webauthn/add/")
    confirm(page)
    assert_accessible(page)
    page.locator("input[name=name]").fill("Laptop")
    if page.locator("input[name=passwordless]").count():
        page.locator("input[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(lambda url: "/webauthn/add/" not in url)
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/project/"))
