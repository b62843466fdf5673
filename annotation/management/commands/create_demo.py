"""Fill a project with the synthetic demo: traces, scores, score configs and a queue that is ready to review."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.timezone import now

from annotation.actions import add_items, create_queue
from annotation.demo import setup
from annotation.demo.project import build
from evalapp.projects.models import Project, Role, User
from evalapp.scores.actions import build_score, create_score_config, save_scores
from evalapp.scores.models import DataType
from evalapp.traces.actions import ingest
from evalapp.traces.partitions import ensure_partitions


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--project", required=True, metavar="ID", help="the project to fill")

    def handle(self, *, project, verbosity=1, **options):
        ensure_partitions(weeks_back=2)
        with transaction.atomic():
            # The lock makes a second command wait, and then find everything done.
            project = Project.objects.select_for_update(no_key=True).filter(pk=project).first()
            if project is None:
                raise CommandError("There is no such project.")
            if "demo_made_at" in project.metadata:
                return self._say(f"The demo is already in project {project.pk}.", verbosity)
            moment = now()
            demo = build(project.pk, moment)
            ingest(project, demo.spans)
            save_scores(list(_scores(project, demo)))
            _fill_queue(project, demo.to_review)
            # Marked, so that a later start does not bring back what people have deleted.
            project.is_demo, project.metadata["demo_made_at"] = True, moment.isoformat()
            project.save(update_fields=["is_demo", "metadata"])
        self._say(f"{len(demo.trace_ids)} synthetic traces are in project {project.pk}.", verbosity)

    def _say(self, text, verbosity):
        if verbosity:
            self.stdout.write(text)


def _scores(project, demo):
    for feedback in demo.feedback:
        yield build_score(
            project=project,
            id=feedback.id,
            trace_id=feedback.trace_id,
            name=feedback.name,
            data_type=DataType.BOOLEAN,
            value=feedback.value,
            comment=feedback.comment,
            environment="production",
            metadata={"synthetic": True},
            timestamp=feedback.at,
        )


def _fill_queue(project, trace_ids):
    owner = User.objects.filter(memberships__project=project, memberships__role=Role.OWNER).order_by("pk").first()
    try:
        configs = [create_score_config(project=project, by=owner, **fields) for fields in setup.CONFIGS]
        queue = create_queue(
            project=project,
            by=owner,
            name=setup.QUEUE,
            description=setup.DESCRIPTION,
            instructions=setup.INSTRUCTIONS,
            fields=[(config, False) for config in configs if config.name in setup.IN_QUEUE],
        )
    except ValidationError as error:
        raise CommandError(f"Project {project.pk} is in use: {' '.join(error.messages)}") from error
    add_items(queue, object_ids=trace_ids, by=owner)
