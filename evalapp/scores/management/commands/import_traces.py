"""Import a corpus of traces, notes and labels into a project."""

from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.timezone import now

from evalapp.core import payload
from evalapp.projects.models import Project
from evalapp.scores.actions import build_score, save_scores
from evalapp.scores.corpus import STEP, BadRow, judgement_of, spans_of, trace_id_of
from evalapp.traces.actions import ingest

_BETWEEN_TRACES = timedelta(minutes=1)
_TRACES_AT_ONCE = 100
_MOST_ERRORS_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Import traces.jsonl, notes.jsonl and labels.jsonl of a folder, or one such file. "
        "All or nothing; importing again changes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("path", type=Path, help="a folder, or one of its JSONL files")
        parser.add_argument("--project", required=True, metavar="ID", help="the project's id")

    def handle(self, *, path, project, **options):
        project = Project.objects.filter(pk=project).first()
        if project is None:
            raise CommandError("There is no such project. Its id is in the address of its pages: /project/<id>/…")
        files = _files(path)
        errors = []
        with transaction.atomic():
            counts = {}
            if "traces" in files:
                counts |= _import_traces(project, files["traces"], errors)
            for kind in ("notes", "labels"):
                if kind in files:
                    counts[kind] = _import_judgements(project, files[kind], errors)
            if errors:
                shown = "\n".join(errors[:_MOST_ERRORS_SHOWN])
                more = f"\n… and {len(errors) - _MOST_ERRORS_SHOWN} more" if errors[_MOST_ERRORS_SHOWN:] else ""
                raise CommandError(f"{shown}{more}\nNothing was imported.")
        for what, count in counts.items():
            self.stdout.write(f"{count:>7,} {what}")


def _files(path):
    """Return {kind: file} of what is there to import."""
    kinds = ("traces", "notes", "labels")
    found = {kind: path / f"{kind}.jsonl" for kind in kinds} if path.is_dir() else {path.stem: path}
    found = {kind: file for kind, file in found.items() if kind in kinds and file.is_file()}
    if not found:
        raise CommandError(f"{path} is neither traces.jsonl, notes.jsonl or labels.jsonl nor a folder with one.")
    return found


def _rows(file, errors):
    """Yield (place, row) of the good lines; the others go to `errors`."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{file}:{number}"
            if not line.strip():
                continue
            try:
                row = payload.load(line.decode())
            except (ValueError, RecursionError) as error:
                errors.append(f"{place}: not JSON: {error}")
                continue
            if isinstance(row, dict):
                yield place, row
            else:
                errors.append(f"{place}: not a JSON object")


def _import_traces(project, file, errors):
    prompts_file = file.with_name("system_prompts.json")
    prompts = payload.load(prompts_file.read_text()) if prompts_file.is_file() else {}
    rows = list(_rows(file, errors))
    # The order of the file is the order of time: the last trace ends now.
    starts = _starts(project, rows)
    traces = observations = 0
    batch = []
    for place, row in rows:
        try:
            spans = spans_of(row, start=starts[place], system_prompts=prompts)
        except BadRow as error:
            errors.append(f"{place}: {error}")
            continue
        batch += spans
        traces, observations = traces + 1, observations + len(spans)
        if traces % _TRACES_AT_ONCE == 0 and not errors:
            ingest(project, batch)
            batch = []
    if not errors:
        ingest(project, batch)
    return {"traces": traces, "observations": observations}


def _starts(project, rows):
    """Return {place: start}. A trace that was imported before keeps its made-up time."""
    ids = {place: trace_id_of(str(row.get("id"))) for place, row in rows}
    known = dict(project.traces.filter(id__in=ids.values()).values_list("id", "timestamp"))
    newest = now().replace(microsecond=0)
    starts = {}
    for position, (place, row) in enumerate(reversed(rows)):
        steps = len(row["observations"]) if isinstance(row.get("observations"), list) else 0
        made_up = newest - position * _BETWEEN_TRACES - steps * STEP
        starts[place] = known.get(ids[place], made_up)
    return starts


def _import_judgements(project, file, errors):
    scores = []
    for place, row in _rows(file, errors):
        try:
            scores.append(build_score(project=project, **judgement_of(row)))
        except BadRow as error:
            errors.append(f"{place}: {error}")
        except ValidationError as error:
            errors.append(f"{place}: {' '.join(error.messages)}")
    if not errors:
        save_scores(scores)
    return len(scores)
