"""Pages of this app, below /project/<project_id>/."""

from django.urls import path

from evalapp.projects.views import api_keys, jobs, members, settings, site

app_name = "projects"
urlpatterns = [
    path("settings", settings.settings, name="settings"),
    path("settings/general", settings.general, name="general"),
    path("settings/general/rename", settings.project_rename, name="project_rename"),
    path("settings/general/delete", settings.project_delete, name="project_delete"),
    path("settings/members", members.members, name="members"),
    path("settings/members/invite", members.invitation_create, name="invitation_create"),
    path("settings/members/<int:pk>/role", members.membership_change, name="membership_change"),
    path("settings/members/<int:pk>/remove", members.membership_remove, name="membership_remove"),
    path("settings/invitations/<int:pk>/revoke", members.invitation_revoke, name="invitation_revoke"),
    path("settings/api-keys", api_keys.api_key_list, name="api_key_list"),
    path("settings/api-keys/new", api_keys.api_key_create, name="api_key_create"),
    path("settings/api-keys/<str:pk>/revoke", api_keys.api_key_revoke, name="api_key_revoke"),
    path("settings/audit-log", settings.audit_log, name="audit_log"),
    path("leave", site.membership_leave, name="membership_leave"),
    path("jobs/<int:pk>", jobs.job_status, name="job_status"),
    path("jobs/<int:pk>/cancel", jobs.job_cancel, name="job_cancel"),
]
