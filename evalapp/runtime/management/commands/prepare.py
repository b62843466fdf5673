"""Bring the database and the static files up to date, for `up`."""

import hashlib
import io

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """A line that begins with "{" is for the greeting of `up`, the others are progress."""

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser):
        """Take what concerns the first start."""
        parser.add_argument("--no-demo", action="store_true", help="make no demo project")

    def handle(self, *, no_demo, **options):
        """Do each step, telling only what is news."""
        self.migrate()
        self.collect_static()
        # Makes the first administrator and the demo project, and reports them as one line of JSON.
        call_command("provision", no_demo=no_demo, json=True, stdout=self.stdout)

    def migrate(self):
        """Apply the migrations, naming them."""
        output = io.StringIO()
        call_command("migrate", interactive=False, stdout=output)
        applied = output.getvalue().count("... OK")
        if applied:
            self.stdout.write(f"Applied {applied} database migrations.")

    def collect_static(self):
        """Collect, hash and compress the static files, unless none has changed since the last time."""
        stamp = settings.STATIC_ROOT / "collected"
        digest = hashlib.sha256()
        for finder in get_finders():
            for path, storage in finder.list([]):
                found = storage.path(path)
                with open(found, "rb") as file:
                    digest.update(f"{path}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(digest.hexdigest())
