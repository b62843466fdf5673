"""Bring the static files and the database up to date, for `up`."""

import hashlib
import io
import json
import os
import time

import psycopg
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """A line that begins with "{" is for `up` itself, the others are progress."""

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser):
        """Take what concerns the first start."""
        parser.add_argument("--no-demo", action="store_true", help="make no demo project")

    def handle(self, *, no_demo, **options):
        """Do each step, telling only what is news."""
        # First what needs no database, which is being started meanwhile.
        self.collect_static()
        self.wait_for_database()
        self.migrate()
        self.stdout.write(json.dumps({"migrated": True}))
        self.stdout.flush()
        # Makes the first administrator and the demo project, and reports them as one line of JSON.
        call_command("provision", no_demo=no_demo, json=True, stdout=self.stdout)

    def collect_static(self):
        """Collect, hash and compress the static files, unless none has changed since the last time."""
        stamp = settings.STATIC_ROOT / "collected"
        digest = hashlib.sha256()
        for finder in get_finders():
            for path, storage in finder.list([]):
                with open(storage.path(path), "rb") as file:
                    digest.update(f"{path}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(digest.hexdigest())

    def wait_for_database(self):
        """Wait until it answers. The embedded one may take long after a crash, and `up` watches over it."""
        deadline = time.monotonic() + (30 if os.environ.get("DATABASE_URL") else 24 * 3600)
        while True:
            try:
                psycopg.connect(settings.DATABASE_URL, connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise CommandError(f"The database at DATABASE_URL does not answer: {error}") from error
            time.sleep(0.05)

    def migrate(self):
        """Apply the migrations, and say how many there were."""
        output = io.StringIO()
        call_command("migrate", interactive=False, stdout=output)
        applied = output.getvalue().count("... OK")
        if applied:
            self.stdout.write(f"Applied {applied} database migrations.")
