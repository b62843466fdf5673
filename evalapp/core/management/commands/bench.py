"""Measure this installation, or one of its own."""

import importlib
import json
import pkgutil
from pathlib import Path

from django.apps import apps
from django.core.management.base import BaseCommand

from evalapp.core.bench import Target, own_product, table
from evalapp.runtime import paths


class Command(BaseCommand):
    help = (
        "Measure what the product can do. Without --url it starts a product of its own in a temporary folder. "
        "A bench is a module bench_<name>.py of an app, whose run(target, quick=…) returns figures."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        benches = _benches()
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(benches)} (default: all)")
        parser.add_argument("--quick", action="store_true", help="fewer repetitions, rougher figures")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
        parser.add_argument(
            "--url", help="address of a running product to measure instead (it will be written to)"
        )
        parser.add_argument("--public-key", help="of an API key of the project to write to")
        parser.add_argument("--secret-key")
        parser.add_argument("--project", help="the project's id")
        parser.add_argument("--database-url", help="of that product, for what is measured in the database")

    def handle(self, *, names, quick, url, **options):
        benches = _benches()
        for name in names:
            if name not in benches:
                self.stderr.write(f"There is no bench {name!r}; there are {', '.join(benches)}.")
                raise SystemExit(2)
        chosen = {name: benches[name] for name in names or benches}
        if url:
            if not all(
                (options["public_key"], options["secret_key"], options["project"], options["database_url"])
            ):
                self.stderr.write("--url needs --public-key, --secret-key, --project and --database-url.")
                raise SystemExit(2)
            target = Target(
                url.rstrip("/"),
                options["public_key"],
                options["secret_key"],
                options["database_url"],
                options["project"],
                paths.home(),
            )
            results = self._measure(chosen, target, quick)
        else:
            self.stdout.write("Starting a product to measure …")
            with own_product() as target:
                results = self._measure(chosen, target, quick)
        if options["json"]:
            options["json"].write_text(json.dumps(results, indent=2) + "\n")

    def _measure(self, benches, target, quick):
        results = {}
        for name, module in benches.items():
            self.stdout.write(f"\n{name}: {module.__doc__.strip().splitlines()[0]}")
            figures = module.run(target, quick=quick)
            for line in table(figures):
                self.stdout.write(line)
            results[name] = [figure.as_json() for figure in figures]
        return results


def _benches():
    """Return {name: module} of every bench_<name>.py in the apps of this project."""
    found = {}
    for config in apps.get_app_configs():
        for module in (
            pkgutil.iter_modules([config.path]) if config.name.startswith(("evalapp", "annotation")) else ()
        ):
            if module.name.startswith("bench_"):
                name = module.name.removeprefix("bench_")
                found[name] = importlib.import_module(f"{config.name}.{module.name}")
    return dict(sorted(found.items()))
