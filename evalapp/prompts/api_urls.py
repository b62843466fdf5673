"""This app's part of the public API."""

urlpatterns = []
