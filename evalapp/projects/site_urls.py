"""Pages outside of any project."""

urlpatterns = []
