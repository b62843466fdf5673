import io
import json

import pytest
from django.core.management import CommandError, call_command

from evalapp.projects import actions
from evalapp.projects.authentication import authenticate
from evalapp.projects.keys import basic_token
from evalapp.projects.models import ApiKey, Project, User

pytestmark = pytest.mark.django_db
INIT = {
    "PROJECT_ID": "acme-prod",
    "PROJECT_NAME": "Acme",
    "PUBLIC_KEY": "pk-lf-acme",
    "SECRET_KEY": "sk-lf-acme",
    "USER_EMAIL": "Owner@acme.example",
    "USER_PASSWORD": "correct horse battery",
}


def provision(*arguments):
    output = io.StringIO()
    call_command("provision", "--json", *arguments, stdout=output)
    return json.loads(output.getvalue())


@pytest.fixture
def init(monkeypatch):
    def set_to(**values):
        for name in INIT:
            monkeypatch.delenv(f"EVALAPP_INIT_{name}", raising=False)
        for name, value in values.items():
            monkeypatch.setenv(f"EVALAPP_INIT_{name}", value)

    set_to(**INIT)
    return set_to


def test_the_first_start_makes_a_demo_project_whose_key_and_link_work(client, db):
    report = provision()
    demo = report["demo"]
    key = authenticate(f"Basic {basic_token(demo['public_key'], demo['secret_key'])}")
    assert key.project_id == demo["project_id"]
    client.get(report["sign_in_url"])
    assert client.get(f"/project/{demo['project_id']}/settings/members").status_code == 200


def test_the_second_start_makes_only_a_new_link(db):
    first, second = provision(), provision()
    assert second["demo"]["public_key"] == first["demo"]["public_key"]
    assert second["demo"]["secret_key"] is None
    assert second["sign_in_url"] != first["sign_in_url"]
    assert second["messages"] == []
    assert (Project.objects.count(), ApiKey.objects.count(), User.objects.count()) == (1, 1, 1)


def test_a_deleted_demo_project_does_not_come_back(db):
    demo = Project.objects.get(pk=provision()["demo"]["project_id"])
    actions.purge_project(project_id=demo.pk)
    assert provision()["demo"] is None
    assert not Project.objects.exists()


def test_a_start_without_demo_has_a_link_and_no_project(db):
    report = provision("--no-demo")
    assert report["demo"] is None
    assert report["sign_in_url"].startswith("http")
    assert not Project.objects.exists()


def test_the_words_for_the_greeting_hold_the_secret_once(db):
    outputs = [io.StringIO(), io.StringIO()]
    for output in outputs:
        call_command("provision", stdout=output)
    assert "Secret key: sk-lf-" in outputs[0].getvalue()
    assert "sk-lf-" not in outputs[1].getvalue()
    assert "/sign-in/" in outputs[1].getvalue()


def test_the_environment_provisions_a_project_its_owner_and_key(client, init):
    provision("--no-demo", "--no-local-admin")
    assert authenticate(f"Basic {basic_token('pk-lf-acme', 'sk-lf-acme')}").project_id == "acme-prod"
    client.post("/accounts/login/", {"login": "owner@acme.example", "password": "correct horse battery"})
    assert client.get("/project/acme-prod/settings/general").status_code == 200
    assert User.objects.get().memberships.get().role == "owner"


def test_provisioning_again_changes_nothing(init):
    provision("--no-demo")
    assert provision("--no-demo")["messages"] == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"SECRET_KEY": "sk-lf-other"}, "Kept the secret of pk-lf-acme"),
        ({"USER_PASSWORD": "another long password"}, "Kept the password of owner@acme.example"),
        ({"PROJECT_NAME": "Other"}, "Kept the project's name 'Acme'"),
    ],
)
def test_a_changed_value_is_not_taken_over_silently(init, changed, words):
    provision("--no-demo")
    init(**{**INIT, **changed})
    assert words in " ".join(provision("--no-demo")["messages"])
    assert authenticate(f"Basic {basic_token('pk-lf-acme', 'sk-lf-acme')}")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"PROJECT_NAME": "x"}, "without EVALAPP_INIT_PROJECT_ID"),
        ({"PROJECT_ID": "a b"}, "EVALAPP_INIT_PROJECT_ID: use"),
        ({"PROJECT_ID": "a", "PUBLIC_KEY": "pk"}, "or neither"),
        ({"PROJECT_ID": "a", "PUBLIC_KEY": "p:k", "SECRET_KEY": "s"}, "no colon"),
        ({"PROJECT_ID": "a", "USER_PASSWORD": "secret"}, "without EVALAPP_INIT_USER_EMAIL"),
        ({"PROJECT_ID": "a", "USER_EMAIL": "nobody"}, "not an e-mail address"),
    ],
)
def test_a_half_set_environment_is_refused_in_words(init, values, words):
    init(**values)
    with pytest.raises(CommandError, match=words):
        provision()


def test_a_key_of_another_project_is_refused(init):
    provision("--no-demo")
    init(**{**INIT, "PROJECT_ID": "other"})
    with pytest.raises(CommandError, match="another project"):
        provision("--no-demo")
    assert not Project.objects.filter(pk="other").exists()
