"""Pages of this app, below /project/<project_id>/."""

app_name = "scores"
urlpatterns = []
