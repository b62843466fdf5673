"""What the review page shows: the item, the fields, and where in the queue the reviewer is."""

import secrets
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Count, Q
from django.utils.timezone import now

from annotation import answers as answering
from annotation.models import ObjectType, ReviewAction, ReviewState
from evalapp.scores.models import DataType
from evalapp.traces.models import Trace
from evalapp.traces.reading import read_trace

SEGMENTS = 6  # so many categories fit as buttons; more become a list


@dataclass
class Option:
    """One choice of a field."""

    value: str
    label: str
    chosen: bool
    key: str = ""
    tone: str = ""


@dataclass
class Question:
    """A field of the form: its config, what is answered so far, and what is wrong with that."""

    config: object
    required: bool
    value: str = ""
    error: str = ""
    is_note: bool = False

    @property
    def name(self):
        return f"answer-{self.config.pk}"

    @property
    def kind(self):
        """How it is asked: text, number, choice (buttons) or list."""
        if self.config.data_type == DataType.TEXT:
            return "text"
        if self.config.data_type == DataType.NUMERIC:
            return "number"
        return "choice" if len(self.options) <= SEGMENTS else "list"

    @property
    def options(self):
        if self.config.data_type == DataType.BOOLEAN:
            # True is a good thing in one config and a bad one in the next, so neither has a colour.
            pairs = [("1", "True"), ("0", "False")]
        else:
            pairs = [(category["label"], category["label"]) for category in self.config.categories]
        return [
            Option(value, label, value == self.value, key=str(number) if number < 10 else "")
            for number, (value, label) in enumerate(pairs, 1)
        ]

    @property
    def is_stale(self):
        """Whether the answer is a category that the config no longer has."""
        chosen = self.kind in ("choice", "list") and not answering.blank(self.value)
        return chosen and not any(option.chosen for option in self.options)

    @property
    def range(self):
        low, high = self.config.min_value, self.config.max_value
        if low is not None and high is not None:
            return f"{low:g} to {high:g}"
        if low is not None:
            return f"{low:g} or more"
        return f"{high:g} or less" if high is not None else ""


@dataclass
class Place:
    """Where the reviewer is: item `number` of `total`, and what is before and after it."""

    number: int
    total: int
    completed: int
    can_undo: bool = False
    previous_id: str = ""
    next_id: str = ""


@dataclass
class Workspace:
    """Everything that templates/annotation/review_item.html needs."""

    queue: object
    item: object
    review: object
    place: Place
    questions: list
    anchor: str = ""
    client: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def note(self):
        return next((question for question in self.questions if question.is_note), None)

    @property
    def others(self):
        """The fields besides the note."""
        return [question for question in self.questions if not question.is_note]

    @property
    def is_completed(self):
        return self.review is not None and self.review.state == ReviewState.COMPLETED


def read_answers(queue, data):
    """Return (answers, anchor, version, client) of a submitted form."""
    answers = {
        question.config_id: data[f"answer-{question.config_id}"]
        for question in queue.questions
        if f"answer-{question.config_id}" in data
    }
    version = data.get("draft_version", "")
    return {
        "answers": {key: value.replace("\r\n", "\n") for key, value in answers.items()},
        "anchor": data.get("anchor", "")[:255],
        "version": int(version) if version.isascii() and version.isdigit() else -1,
        "client": data.get("client", "")[:32],
    }


def workspace(queue, item, review, *, reviewer, typed=None, errors=None):
    """Return the Workspace of an item. `typed` is a submitted form that could not be accepted, with `errors`."""
    draft = typed or (review.draft if review else {})
    given, errors = draft.get("answers") or {}, errors or {}
    questions = [
        Question(
            config=asked.config,
            required=asked.required,
            value=given.get(asked.config_id, ""),
            error=errors.get(asked.config_id, ""),
            is_note=asked == queue.note,
        )
        for asked in queue.questions
    ]
    return Workspace(
        queue=queue,
        item=item,
        review=review,
        place=_place(queue, item, review, reviewer),
        questions=questions,
        anchor=draft.get("anchor") or "",
    )


# By hand, because it is on the way to every next item and building it from querysets costs more than running it.
_PLACE = """
SELECT i.total, i.completed, i.number,
    EXISTS (SELECT FROM annotation_reviewaction
            WHERE queue_id = %(queue)s AND reviewer_id = %(reviewer)s AND undone_at IS NULL) AS can_undo,
    coalesce((SELECT item_id FROM annotation_review
              WHERE queue_id = %(queue)s AND reviewer_id = %(reviewer)s
                AND (started_at, id) < (coalesce(%(moment)s, 'infinity'::timestamptz), %(review)s)
              ORDER BY started_at DESC, id DESC LIMIT 1), '') AS previous_id,
    coalesce((SELECT item_id FROM annotation_review
              WHERE queue_id = %(queue)s AND reviewer_id = %(reviewer)s
                AND (started_at, id) > (%(moment)s, %(review)s)
              ORDER BY started_at, id LIMIT 1), '') AS next_id
FROM (SELECT count(*) AS total, count(completed_at) AS completed,
             count(*) FILTER (WHERE position <= %(position)s) AS number
      FROM annotation_queueitem WHERE queue_id = %(queue)s) AS i
"""


def _place(queue, item, review, reviewer):
    values = {
        "queue": queue.pk,
        "reviewer": reviewer.pk,
        "position": item.position,
        "moment": review.started_at if review else None,
        "review": review.pk if review else 0,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, values)
        return Place(**dict(zip((column.name for column in cursor.description), cursor.fetchone(), strict=True)))


def find_reading(item, params):
    """Return the trace of an item as the reader shows it, or None when it is gone or hasn't arrived."""
    trace_id = item.object_id if item.object_type == ObjectType.TRACE else item.trace_id
    focus = item.object_id if item.object_type == ObjectType.OBSERVATION else None
    try:
        return read_trace(item.queue.project, trace_id, observation_id=focus, params=params)
    except Trace.DoesNotExist:
        return None


def end_of_queue(queue, reviewer):
    """Return what there is to say when nothing is left for this reviewer."""
    mine = queue.reviews.filter(reviewer=reviewer)
    counts = mine.aggregate(
        done=Count("pk", filter=Q(state=ReviewState.COMPLETED)),
        skipped=Count("pk", filter=Q(state=ReviewState.SKIPPED, item__completed_at=None)),
        deferred=Count("pk", filter=Q(state=ReviewState.DEFERRED, item__completed_at=None)),
    )
    progress = queue.progress()
    available = queue.items.available()
    begun = mine.filter(state=ReviewState.RESERVED, item__completed_at=None)
    return {
        **counts,
        **progress,
        "left": begun.exists() or available.exclude(pk__in=mine.values("item_id")).exists(),
        "held": queue.items.filter(completed_at=None, available_from__gt=now()).exclude(reviews__in=begun).count(),
        "last_done": mine.filter(state=ReviewState.COMPLETED).order_by("-started_at").first(),
        "first_done": mine.filter(state=ReviewState.COMPLETED).order_by("started_at").first(),
        "can_undo": can_undo(queue, reviewer),
    }


def can_undo(queue, reviewer):
    """Whether this reviewer has done something here that can be taken back."""
    return ReviewAction.objects.filter(queue=queue, reviewer=reviewer, undone_at=None).exists()
