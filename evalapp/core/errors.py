"""What actions may raise besides Django's ValidationError and PermissionDenied."""


class Conflict(Exception):
    """The change contradicts something that already exists elsewhere (409 in the API)."""
