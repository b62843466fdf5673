"""Members, keys, the project itself and its audit log."""

import re
import threading

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection, connections
from rest_framework.exceptions import AuthenticationFailed

from annotation.models import QueueItem
from evalapp.core import jobs
from evalapp.core.models import Job
from evalapp.projects import actions
from evalapp.projects.authentication import authenticate
from evalapp.projects.keys import basic_token
from evalapp.projects.models import ApiKey, Membership, Organization, Project
from evalapp.traces.models import Observation, Trace
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(name="visit")
def browser_of_ada(client, project, ada):
    """`visit.get("settings/members")`, below the project."""
    client.force_login(ada)

    class Browser:
        def get(self, path):
            return client.get(f"/project/{project.pk}/{path}")

        def post(self, path, data=None, **extra):
            return client.post(f"/project/{project.pk}/{path}", data or {}, **extra)

    return Browser()


def role_of(user, project):
    return project.memberships.get(user=user).role


def test_settings_lead_to_general(visit, project):
    assert visit.get("settings").headers["Location"] == f"/project/{project.pk}/settings/general"


def test_a_role_is_changed(visit, project, mel):
    pk = project.memberships.get(user=mel).pk
    visit.post(f"settings/members/{pk}/role", {"role": "admin"})
    assert role_of(mel, project) == "admin"
    entry = project.audit_entries.latest("id")
    assert (entry.action, entry.before["role"], entry.after["role"]) == ("change role", "member", "admin")


def test_an_unknown_role_is_refused(visit, project, mel):
    pk = project.memberships.get(user=mel).pk
    response = visit.post(f"settings/members/{pk}/role", {"role": "emperor"}, headers=HTMX)
    assert response.status_code == 422
    assert response.content.decode().lstrip().startswith('<div class="stack" id="people">')


def test_the_last_owner_is_neither_demoted_nor_removed(visit, project, ada):
    pk = project.memberships.get(user=ada).pk
    for path, data in ((f"{pk}/role", {"role": "admin"}), (f"{pk}/remove", {})):
        response = visit.post(f"settings/members/{path}", data)
        assert response.status_code == 422
        assert "Ada is the last owner. Make somebody else an owner first." in response.content.decode()
    visit.post("leave")
    assert role_of(ada, project) == "owner"


def test_one_of_two_owners_may_leave(visit, project, ada, mel):
    actions.change_role(membership=project.memberships.get(user=mel), role="owner", by=ada)
    assert visit.post("leave").headers["Location"] == "/projects"
    assert not project.memberships.filter(user=ada).exists()


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_do_not_both_go(project, ada, mel):
    actions.change_role(membership=project.memberships.get(user=mel), role="owner", by=ada)
    memberships = list(project.memberships.filter(role="owner"))
    gate, refused = threading.Barrier(2), []

    def leave(membership):
        gate.wait()
        try:
            actions.remove_member(membership=membership, by=membership.user)
        except ValidationError:
            refused.append(membership)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=leave, args=[membership]) for membership in memberships]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert project.memberships.filter(role="owner").count() == 1


def test_an_admin_makes_no_owner_and_touches_none(client, project, ada, adam, mel):
    client.force_login(adam)
    base = f"/project/{project.pk}/settings/members"
    mel_pk, ada_pk = (project.memberships.get(user=user).pk for user in (mel, ada))
    assert client.post(f"{base}/{mel_pk}/role", {"role": "owner"}).status_code == 422
    assert client.post(f"{base}/{ada_pk}/role", {"role": "viewer"}).status_code == 403
    assert client.post(f"{base}/{ada_pk}/remove").status_code == 403
    assert client.post(f"{base}/invite", {"email": "x@example.com", "role": "owner"}).status_code == 422
    assert (role_of(mel, project), role_of(ada, project)) == ("member", "owner")


def test_a_member_is_removed_and_loses_sight_of_the_project(client, visit, project, mel):
    visit.post(f"settings/members/{project.memberships.get(user=mel).pk}/remove")
    client.force_login(mel)
    assert client.get(f"/project/{project.pk}").status_code == 404


def test_an_invitation_shows_its_link_once(visit, project):
    response = visit.post("settings/members/invite", {"email": "new@example.com", "role": "reviewer"})
    assert "/invitations/" in response.content.decode()
    again = visit.get("settings/members").content.decode()
    assert "new@example.com" in again
    assert "/invitations/" not in again.replace("/settings/invitations/", "")


def test_an_invitation_of_a_member_names_the_field(visit, mel):
    response = visit.post("settings/members/invite", {"email": mel.email, "role": "viewer"}, headers=HTMX)
    assert response.status_code == 422
    assert "is a member already" in response.content.decode()


def test_an_invitation_is_revoked(visit, project):
    visit.post("settings/members/invite", {"email": "new@example.com", "role": "reviewer"})
    visit.post(f"settings/invitations/{project.invitations.get().pk}/revoke")
    assert not project.invitations.exists()
    assert project.audit_entries.latest("id").action == "revoke"


def created_key(response):
    return re.findall(r"[ps]k-lf-[0-9a-f-]{36}", response.content.decode())[:2]


def test_a_key_s_secret_is_shown_once_and_works(visit, project):
    response = visit.post("settings/api-keys/new", {"note": "production"})
    public_key, secret = created_key(response)
    assert authenticate(f"Basic {basic_token(public_key, secret)}").project == project
    assert basic_token(public_key, secret) in response.content.decode()  # the ready OTLP header
    assert "no-store" in response.headers["Cache-Control"]
    listed = visit.get("settings/api-keys").content.decode()
    assert public_key in listed and secret not in listed
    assert secret not in str(list(ApiKey.objects.values()) + list(project.audit_entries.values()))


def test_a_revoked_key_is_refused(visit, project):
    public_key, secret = created_key(visit.post("settings/api-keys/new", {"note": ""}))
    visit.post(f"settings/api-keys/{project.api_keys.get().pk}/revoke")
    with pytest.raises(AuthenticationFailed):
        authenticate(f"Basic {basic_token(public_key, secret)}")
    assert f">{public_key}<" not in visit.get("settings/api-keys").content.decode()


def test_a_project_is_renamed(visit, project):
    visit.post("settings/general/rename", {"name": "Support bot"})
    project.refresh_from_db()
    assert project.name == "Support bot"
    response = visit.post("settings/general/rename", {"name": ""}, headers=HTMX)
    assert response.status_code == 422
    assert "This field is required" in response.content.decode()


def test_deleting_a_project_needs_its_name(visit, project):
    response = visit.post("settings/general/delete", {"confirmation": "yes"}, headers=HTMX)
    assert response.status_code == 422
    assert f"Type: {project.name}" in response.content.decode()
    assert project.memberships.exists()


def run_jobs():
    for pk in Job.objects.due().values_list("pk", flat=True):
        jobs.run(pk)


def test_a_deleted_project_is_gone_at_once_and_wholly(visit, client, project, other_project, ada, api_key):
    """Every table that hangs on a project is filled for two projects; one of them has to be empty afterwards."""
    for owner in (project, other_project):
        trace = factories.make_trace(owner, observations=[{"type": "TOOL", "name": "lookup"}])
        queue = factories.make_queue(owner, traces=[trace])
        queue.reviewers.add(ada)
    assert visit.post("settings/general/delete", {"confirmation": project.name}).headers["Location"] == "/projects"
    assert client.get(f"/project/{project.pk}").status_code == 404
    with pytest.raises(AuthenticationFailed):
        authenticate(api_key.basic)
    organization = project.organization_id
    run_jobs()
    assert Job.objects.get(kind="projects.purge").state == "done"
    for model in (Trace, Observation, QueueItem, Membership):
        assert not model.objects.filter(project_id=project.pk).exists()
    assert not Project.objects.filter(pk=project.pk).exists()
    assert not Organization.objects.filter(pk=organization).exists()
    assert other_project.observations.count() == 2
    assert other_project.queue_items.get().queue.fields.count() == 2
    assert other_project.annotation_queues.get().reviewers.count() == 1


def test_no_table_that_refers_to_a_project_is_forgotten_at_deletion():
    """Looks at the database's own foreign keys, not at the models."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
            " WHERE contype = 'f'"
        )
        references = set(cursor.fetchall())
    covered = {"projects_project"}
    while new := {table for table, to in references if to in covered and table not in covered}:
        covered |= new
    deleted = {table for table, _ in actions.tables_of_a_project()}
    assert covered - {"projects_project"} <= deleted
    assert "traces_observation" in deleted  # it has no constraint
    assert "projects_user" not in deleted
    assert deleted <= {model._meta.db_table for model in apps.get_models(include_auto_created=True)}


def test_the_audit_log_shows_before_and_after_page_by_page(visit, project):
    for number in range(60):
        actions.rename_project(project=project, name=f"Name {number}", by=None)
    first = visit.get("settings/audit-log").content.decode()
    assert "Name 59" in first and "Name 58" in first
    older = re.search(r'href="(\?[^"]+)"[^>]*rel="next"', first)[1].replace("&amp;", "&")
    assert "Name 3<" in visit.get(f"settings/audit-log{older}").content.decode()


def test_a_job_s_fragment_polls_until_it_has_ended(client, project, ada):
    client.force_login(ada)
    job = jobs.enqueue("projects.purge", {"project_id": "nobody"}, project_id=project.pk)
    url = f"/project/{project.pk}/jobs/{job.pk}"
    assert "every 1s" in client.get(url).content.decode()
    jobs.run(job.pk)
    ended = client.get(url).content.decode()
    assert "Done" in ended and "hx-trigger" not in ended


def test_a_job_is_cancelled_from_its_fragment(client, project, ada, vera):
    job = jobs.enqueue("projects.purge", {"project_id": "nobody"}, project_id=project.pk)
    url = f"/project/{project.pk}/jobs/{job.pk}/cancel"
    client.force_login(vera)
    assert client.post(url).status_code == 403
    client.force_login(ada)
    assert "Cancelled" in client.post(url).content.decode()
