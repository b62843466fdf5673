"""Single sign-on with an OpenID Connect provider that really answers over HTTP."""

import os
import subprocess
import sys

import pytest

from evalapp.projects.models import User
from tests.factories import make_user
from tests.projects.identity_provider import identity_provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings):
    with identity_provider() as one:
        app = {
            "provider_id": "sso",
            "name": "Acme sign-in",
            "client_id": one.client_id,
            "secret": one.secret,
            "settings": {"server_url": one.url, "oauth_pkce_enabled": True},
        }
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
        yield one


def sign_in(client, provider):
    """Follow the button of the sign-in page there and back."""
    page = client.get("/accounts/login/").content.decode()
    assert "Acme sign-in" in page
    assert 'href="/accounts/oidc/sso/login/' in page
    there = client.get("/accounts/oidc/sso/login/").headers["Location"]
    return client.get("/accounts/oidc/sso/login/callback/", provider.authorize(there), follow=True)


def signed_in_as(client):
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk) if pk else None


def test_somebody_new_gets_an_account_in_no_project(client, provider):
    response = sign_in(client, provider)
    assert signed_in_as(client).name == "Nora Brandt"
    assert "You are in no project yet" in response.content.decode()


def test_somebody_known_by_a_verified_address_signs_in_to_their_account(client, provider):
    nora = make_user("nora")
    sign_in(client, provider)
    assert signed_in_as(client) == nora
    client.logout()
    provider.person["email"] = "nora.brandt@example.com"  # the provider's own id counts from now on
    sign_in(client, provider)
    assert signed_in_as(client) == nora


def test_an_unverified_address_takes_over_no_account(client, provider):
    nora = make_user("nora")
    provider.person["email_verified"] = False
    sign_in(client, provider)
    assert signed_in_as(client) != nora


def test_strangers_are_refused_when_sign_up_is_closed(client, provider, settings):
    settings.OIDC_SIGN_UP = False
    sign_in(client, provider)
    assert signed_in_as(client) is None
    assert not User.objects.exists()


def test_an_answer_that_nobody_asked_for_is_refused(client, provider):
    client.get("/accounts/oidc/sso/login/callback/", {"code": "the-code", "state": "forged"})
    assert signed_in_as(client) is None


def configured(**environment):
    code = "from django.conf import settings; print(settings.SOCIALACCOUNT_PROVIDERS)"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment, "DJANGO_SETTINGS_MODULE": "evalapp.settings"},
        capture_output=True,
        text=True,
    )


def test_the_environment_configures_it():
    result = configured(
        EVALAPP_OIDC_SERVER_URL="https://id.example",
        EVALAPP_OIDC_CLIENT_ID="evalapp",
        EVALAPP_OIDC_CLIENT_SECRET="secret",
    )
    assert "'server_url': 'https://id.example'" in result.stdout


def test_half_a_configuration_stops_the_program():
    result = configured(EVALAPP_OIDC_SERVER_URL="https://id.example")
    assert result.returncode != 0
    assert "EVALAPP_OIDC_SERVER_URL needs EVALAPP_OIDC_CLIENT_ID" in result.stderr
