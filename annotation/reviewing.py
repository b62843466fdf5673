"""What the review page shows: the item, the fields, and where in the queue the reviewer is."""

import secrets
from dataclasses import dataclass, field

from django.db.models import Count, Exists, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.timezone import now

from annotation import answers as answering
from annotation.models import AnnotationQueue, ObjectType, ReviewAction, ReviewState
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


def _place(queue, item, review, reviewer):
    """Count and look around in one query: it is on the way to every next item."""
    mine = queue.reviews.filter(reviewer=reviewer).order_by()
    items = queue.items.order_by()
    earlier = later = mine
    if review is not None:
        moment, key = review.started_at, review.pk
        earlier = mine.filter(Q(started_at__lt=moment) | Q(started_at=moment, pk__lt=key))
        later = mine.filter(Q(started_at__gt=moment) | Q(started_at=moment, pk__gt=key))
    else:
        later = mine.none()
    undoable = ReviewAction.objects.filter(queue=queue, reviewer=reviewer, undone_at=None)
    row = (
        AnnotationQueue.objects.filter(pk=queue.pk)
        .annotate(
            total=_number(items),
            completed=_number(items.exclude(completed_at=None)),
            number=_number(items.filter(position__lte=item.position)),
            previous_id=Subquery(earlier.order_by("-started_at", "-pk").values("item_id")[:1]),
            next_id=Subquery(later.order_by("started_at", "pk").values("item_id")[:1]),
            can_undo=Exists(undoable),
        )
        .values("total", "completed", "number", "previous_id", "next_id", "can_undo")
        .get()
    )
    return Place(**{**row, "previous_id": row["previous_id"] or "", "next_id": row["next_id"] or ""})


def _number(rows):
    return Coalesce(Subquery(rows.values("queue").annotate(n=Count("pk")).values("n")), 0)


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
