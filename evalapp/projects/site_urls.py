"""Pages outside of any project."""

from django.urls import path

from evalapp.projects.views import site

urlpatterns = [
    path("", site.home, name="home"),
    path("projects", site.project_list, name="project_list"),
    path("projects/new", site.project_create, name="project_create"),
    path("project/<str:project_id>", site.project_home, name="project_home"),
    path("sign-in/<str:token>", site.sign_in_link, name="sign_in_link"),
    path("invitations/<str:token>", site.invitation_accept, name="invitation_accept"),
    path("account", site.account, name="account"),
    path("account/sessions/end", site.sessions_end, name="sessions_end"),
]
