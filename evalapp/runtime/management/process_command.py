"""Show the commands of evalapp/runtime/cli.py in `manage.py help`, and run them through Django as well."""

from types import SimpleNamespace

from django.core.management.base import BaseCommand


class ProcessCommand(BaseCommand):
    """A command that becomes, or supervises, other processes."""

    module = None
    requires_system_checks = []

    @property
    def help(self):
        """Say what the module says of itself."""
        return self.module.__doc__

    def add_arguments(self, parser):
        """Take the module's arguments."""
        self.module.add_arguments(parser)

    def handle(self, **options):
        """Run, and end with the exit code."""
        raise SystemExit(self.module.run(SimpleNamespace(**options)))
