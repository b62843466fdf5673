"""One reviewer's turn: drafts, completing, putting aside, and taking it back."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from annotation import answers as answering
from annotation.actions.places import (
    check_reviewer,
    fresh_review,
    has_place,
    hold,
    lock_item,
    one_at_a_time,
    settle,
)
from annotation.models import (
    ActionKind,
    Review,
    ReviewAction,
    ReviewState,
)
from evalapp.scores.actions import build_score, human_score_id, restore_scores, save_scores, snapshot_scores
from evalapp.scores.models import Source


class DraftConflict(Exception):
    """Somebody (the same person in another tab) saved the draft meanwhile; `review` is as it is stored."""

    def __init__(self, review):
        super().__init__("The draft was changed elsewhere.")
        self.review = review


class PlaceTaken(Exception):
    """The item has all the reviewers it needs; the draft was kept. `review` is as it is stored."""

    def __init__(self, review):
        super().__init__("Others have reviewed this item meanwhile.")
        self.review = review


@transaction.atomic
def save_draft(review, *, answers, anchor="", version, client=""):
    """Keep what was typed and return the review, with its lease renewed.

    Raises DraftConflict when `version` isn't the stored one: then nothing was overwritten.
    """
    draft = _draft(answers, anchor, client)
    due = _is_due(review)
    if due:
        lock_item(review.item)
    saved = Review.objects.filter(pk=review.pk, draft_version=version).update(
        draft=draft, draft_version=F("draft_version") + 1, updated_at=now()
    )
    review.refresh_from_db()
    if not saved:
        # Sent twice, for want of an answer: it is stored already.
        if review.draft == draft and review.draft_version == version + 1:
            return review
        raise DraftConflict(review)
    if due:
        hold(review)
    return review


@transaction.atomic
def renew(review):
    """Prolong the lease of a reservation, as long as the item has a place for it."""
    if _is_due(review):
        hold(review)
    return review


@transaction.atomic
def complete(review, *, answers, anchor="", version=None, client=""):
    """Finish a review and write its scores; done again with the same answers it changes nothing.

    Raises ValidationError, keyed by config id, when a required answer is missing or one cannot be stored;
    DraftConflict when another tab wrote a newer draft; PlaceTaken when the lease ran out and others took the
    place. In the last two cases what was typed is kept.
    """
    item = lock_item(review.item)
    review = fresh_review(review, item)
    draft = _draft(answers, anchor, client)
    if review.state == ReviewState.COMPLETED and answering.same(review.draft, draft):
        if review.draft_version != review.finished_version:
            _before_completing(review, draft)
            _finish(review, ReviewState.COMPLETED)
        return review
    # An own save that is still on its way may land before the completion that follows it.
    elsewhere = version is not None and review.draft_version != version
    elsewhere = elsewhere and not (client and review.draft.get("client") == client)
    if elsewhere and not answering.same(review.draft, draft):
        raise DraftConflict(review)
    if review.state != ReviewState.COMPLETED and not has_place(item, review.reviewer):
        raise PlaceTaken(review)
    _before_completing(review, draft)
    _finish(review, ReviewState.COMPLETED)
    settle("i.id = %s", [item.pk])
    return review


def keep_draft(review, *, answers, anchor="", client=""):
    """Store what was typed over whatever is stored: for a late completion whose place is gone."""
    Review.objects.filter(pk=review.pk).update(
        draft=_draft(answers, anchor, client), draft_version=F("draft_version") + 1, updated_at=now()
    )


@transaction.atomic
def skip(review, *, reason=""):
    """Leave the item to others; it comes back once to this reviewer, after everything else."""
    return _put_aside(review, ReviewState.SKIPPED, ActionKind.SKIP, reason=reason[:500])


@transaction.atomic
def defer(review):
    """Come back to the item later, when nothing new is left."""
    return _put_aside(review, ReviewState.DEFERRED, ActionKind.DEFER)


@transaction.atomic
def undo(queue, *, reviewer):
    """Take back the reviewer's last complete, skip or defer in the queue; return its Review, None without one.

    The scores become what they were. What was typed stays in the draft.
    """
    check_reviewer(queue, reviewer)
    one_at_a_time(queue, reviewer)
    action = (
        ReviewAction.objects.filter(queue=queue, reviewer=reviewer, undone_at=None)
        .select_related("review__item")
        .order_by("-pk")
        .first()
    )
    if action is None:
        return None
    action.review.item.queue = queue
    item = lock_item(action.review.item)
    review, before = fresh_review(action.review, item), action.before
    review.reviewer, review.queue = reviewer, queue
    restore_scores(project=queue.project, snapshot=before["scores"])
    review.state = before["state"]
    review.finished_at = parse_datetime(before["finished_at"]) if before["finished_at"] else None
    review.finished_version = before["finished_version"]
    review.times_put_aside = before["times_put_aside"]
    review.reason = before["reason"]
    if before["state"] == ReviewState.COMPLETED:
        review.draft, review.draft_version = before["draft"], review.draft_version + 1
        review.finished_version = review.draft_version
    if review.state == ReviewState.RESERVED and has_place(item, reviewer):
        review.reserved_until = now() + queue.lease
    elif review.state == ReviewState.RESERVED:
        review.reserved_until = now()
    review.save()
    action.undone_at = now()
    action.save(update_fields=["undone_at"])
    settle("i.id = %s", [item.pk])
    return review


def _put_aside(review, state, kind, **changes):
    item = lock_item(review.item)
    review = fresh_review(review, item)
    if review.state in (state, ReviewState.COMPLETED):
        return review
    _remember(review, kind, scores={})
    for name, value in changes.items():
        setattr(review, name, value)
    review.times_put_aside = F("times_put_aside") + 1
    _finish(review, state)
    settle("i.id = %s", [item.pk])
    return review


def _before_completing(review, draft):
    """Write the scores of a draft and remember what they were."""
    project = review.queue.project
    judgements, cleared = _judgements(review, draft)
    before = snapshot_scores(project=project, ids=[score.id for score in judgements] + cleared)
    _remember(review, ActionKind.COMPLETE, scores=before)
    save_scores(judgements)
    if gone := [id for id in cleared if before[id]]:
        project.scores.filter(id__in=gone).delete()
    review.draft, review.draft_version = draft, review.draft_version + 1


def _judgements(review, draft):
    """Return the scores that a draft stands for, and the ids of those that it leaves blank."""
    scores, cleared, errors = [], [], {}
    queue, project = review.queue, review.queue.project
    subject = review.item.subject
    for field in queue.questions:
        config = field.config
        id = human_score_id(project=project, author=review.reviewer, config=config, **subject)
        anchor = draft["anchor"] if field == queue.note and "trace_id" in subject else ""
        try:
            value = answering.cleaned(config, draft["answers"].get(config.pk))
            if value is None:
                if field.required:
                    raise ValueError("This field is required.")
                cleared.append(id)
                continue
            scores.append(
                build_score(
                    project=project,
                    **(subject | {"observation_id": anchor or subject.get("observation_id", "")}),
                    id=id,
                    config=config,
                    value=value,
                    source=Source.ANNOTATION,
                    author=review.reviewer,
                    queue_id=queue.pk,
                )
            )
        except ValueError as error:
            errors[config.pk] = str(error)
        except ValidationError as error:
            errors[config.pk] = " ".join(error.messages)
    if errors:
        raise ValidationError(errors)
    return scores, cleared


def _finish(review, state):
    review.state, review.finished_at = state, now()
    review.finished_version = review.draft_version
    review.save()


def _remember(review, kind, *, scores):
    ReviewAction.objects.create(
        project_id=review.project_id,
        queue_id=review.queue_id,
        review=review,
        reviewer=review.reviewer,
        kind=kind,
        before={
            "state": review.state,
            "finished_at": review.finished_at and review.finished_at.isoformat(),
            "finished_version": review.finished_version,
            "times_put_aside": review.times_put_aside,
            "reason": review.reason,
            "draft": review.draft,
            "scores": scores,
        },
    )


def _draft(answers, anchor, client):
    return {
        "answers": {key: value for key, value in answers.items() if not answering.blank(value)},
        "anchor": anchor or "",
        "client": client or "",
    }


def _is_due(review):
    """Whether typing into this review should prolong, or take, its reservation."""
    if review.state == ReviewState.RESERVED:
        return review.reserved_until - now() < review.queue.lease * 0.8
    return review.state != ReviewState.COMPLETED
