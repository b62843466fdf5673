"""The plan of the demo: which conversations there are, which of them fail, when they happen, and what users say."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from annotation.demo.catalogue import CUSTOMERS, Case
from annotation.demo.conversation import Conversation, digest
from annotation.demo.failures import Failure as F
from annotation.demo.scenarios import abroad, advice, orders, returns

DAYS = 12
QUEUE_SIZE = 40

# Every line is one conversation. Frequencies are uneven on purpose: two failure modes are common, half are rare.
PLAN = [
    (returns.return_too_late, {F.REFUND_OUTSIDE_POLICY}),
    (returns.return_too_late, {F.REFUND_OUTSIDE_POLICY}),
    (returns.return_too_late, set()),
    (returns.return_too_late, {F.REFUND_OUTSIDE_POLICY}),
    (returns.return_too_late, {F.REFUND_OUTSIDE_POLICY, F.MISSED_QUESTION}),
    (returns.return_too_late, set()),
    (returns.return_in_time, set()),
    (returns.return_in_time, {F.OUTDATED_ARTICLE}),
    (returns.return_in_time, {F.ARITHMETIC}),
    (returns.return_in_time, {F.OUTDATED_ARTICLE}),
    (returns.live_goods, set()),
    (returns.live_goods, {F.REFUND_OUTSIDE_POLICY}),
    (returns.live_goods, set()),
    (returns.live_goods, {F.REFUND_OUTSIDE_POLICY}),
    (returns.broken_on_arrival, set()),
    (returns.broken_on_arrival, {F.MISSED_QUESTION}),
    (returns.broken_on_arrival, {F.NEEDLESS_ESCALATION}),
    (returns.guarantee, set()),
    (returns.guarantee, {F.REFUND_OUTSIDE_POLICY}),
    (orders.late_parcel, set()),
    (orders.late_parcel, {F.INVENTED_FACT}),
    (orders.late_parcel, {F.NOT_VERIFIED, F.INVENTED_FACT}),
    (orders.late_parcel, set()),
    (orders.address_change, {F.FALSE_SUCCESS}),
    (orders.address_change, {F.WRONG_ARGUMENT}),
    (orders.address_change, set()),
    (orders.address_change, {F.NOT_VERIFIED, F.FALSE_SUCCESS}),
    (orders.two_questions, {F.MISSED_QUESTION}),
    (orders.two_questions, set()),
    (orders.two_questions, {F.MISSED_QUESTION}),
    (orders.cancel_order, set()),
    (orders.cancel_order, {F.FALSE_SUCCESS}),
    (orders.cancel_order, {F.WRONG_ARGUMENT}),
    (orders.someone_elses_order, {F.NOT_VERIFIED}),
    (orders.someone_elses_order, set()),
    (orders.someone_elses_order, {F.NOT_VERIFIED}),
    (orders.price_drop, set()),
    (orders.price_drop, {F.REFUND_OUTSIDE_POLICY}),
    (orders.price_drop, {F.ARITHMETIC}),
    (orders.late_code, {F.CURT_TONE}),
    (orders.late_code, set()),
    (orders.double_charge, set()),
    (orders.double_charge, {F.CURT_TONE}),
    (orders.freight_delivery, set()),
    (orders.freight_delivery, {F.INVENTED_FACT}),
    (orders.invoice_copy, {F.NOT_VERIFIED}),
    (orders.invoice_copy, set()),
    (orders.seed_box, {F.TOOL_LOOP}),
    (orders.seed_box, {F.FALSE_SUCCESS}),
    (orders.seed_box, set()),
    (orders.trade_account, {F.ARITHMETIC}),
    (advice.compare_products, set()),
    (advice.compare_products, set()),
    (advice.growing_advice, set()),
    (advice.status_widget, set()),
    (advice.stock_question, set()),
    (advice.injection, set()),
    (abroad.german_delivery, {F.LANGUAGE_SWITCH}),
    (abroad.german_delivery, set()),
    (abroad.french_return, set()),
    (abroad.spanish_return, {F.REFUND_OUTSIDE_POLICY}),
    (abroad.japanese_gift, set()),
]
LOCALES = {
    abroad.german_delivery: "de", abroad.french_return: "fr", abroad.spanish_return: "es", abroad.japanese_gift: "ja"
}  # fmt: skip
# Chats recorded as one trace per turn, by scenario and use.
SESSIONS = {
    (advice.compare_products, 0), (advice.compare_products, 1), (orders.late_parcel, 3), (orders.freight_delivery, 0),
    (abroad.german_delivery, 1), (orders.late_code, 1), (orders.double_charge, 0),
}  # fmt: skip
# What the shop's router calls each request. It knows what the customer wants, not how it ended.
INTENTS = {
    returns.return_too_late: "return",
    returns.return_in_time: "return",
    returns.live_goods: "damaged-goods",
    returns.broken_on_arrival: "damaged-goods",
    returns.guarantee: "guarantee",
    orders.late_parcel: "where-is-my-order",
    orders.address_change: "change-order",
    orders.two_questions: "where-is-my-order",
    orders.cancel_order: "change-order",
    orders.someone_elses_order: "where-is-my-order",
    orders.price_drop: "price-and-payment",
    orders.late_code: "price-and-payment",
    orders.double_charge: "price-and-payment",
    orders.freight_delivery: "where-is-my-order",
    orders.invoice_copy: "invoice",
    orders.seed_box: "subscription",
    orders.trade_account: "invoice",
    advice.compare_products: "product-advice",
    advice.growing_advice: "product-advice",
    advice.status_widget: "where-is-my-order",
    advice.stock_question: "product-advice",
    advice.injection: "other",
    abroad.german_delivery: "where-is-my-order",
    abroad.french_return: "return",
    abroad.spanish_return: "return",
    abroad.japanese_gift: "change-order",
}
THUMBS_UP = ["", "", "", "Quick and kind.", "Solved in two minutes!", "Finally somebody who answers."]
THUMBS_DOWN = ["", "", "Not helpful.", "That isn't what I asked.", "Still waiting."]
SLOW_SECONDS = 4.0


@dataclass(frozen=True)
class Feedback:
    """A score that the shop itself sent: a customer's thumb, or the check of its response times."""

    id: str
    trace_id: str
    at: datetime
    name: str
    value: bool
    comment: str = ""


@dataclass
class Demo:
    """All that the demo project holds. `planted` is the truth, and is written nowhere."""

    spans: list = field(default_factory=list)
    planted: list = field(default_factory=list)
    trace_ids: list = field(default_factory=list)
    feedback: list = field(default_factory=list)
    to_review: list = field(default_factory=list)


def build(seed, now):
    """Build the demo of the project `seed`: the same ids and words each time, spread over the days before `now`."""
    rng = random.Random("Birk & Barrow")
    uses, planned = {}, []
    for number, (scenario, failures) in enumerate(PLAN):
        uses[scenario] = use = uses.get(scenario, -1) + 1
        planned.append((number, use, scenario, failures))
    rng.shuffle(planned)
    demo, talks = Demo(), {}
    for place, (number, use, scenario, failures) in enumerate(planned):
        age = 1 - place / (len(planned) - 1)
        # The newest is half an hour old, the oldest nearly DAYS days; more of them lately, as traffic grows.
        minutes = 35 + age**1.2 * (DAYS * 24 * 60 - 900) + age**0.5 * rng.uniform(0, 860)
        start = (now - timedelta(minutes=minutes)).replace(microsecond=0)
        version = 11 if age > 0.72 else 12 if age > 0.34 else 13
        talks[number] = talk = _converse(seed, rng, number, use, scenario, failures, start, version)
        demo.spans += talk.spans
        demo.planted += talk.planted
        demo.trace_ids += talk.trace_ids
        demo.feedback += _feedback(talk, rng, unhappy=bool(failures))
    demo.to_review = _to_review(talks, rng)
    return demo


def _converse(seed, rng, number, use, scenario, failures, start, version):
    language = LOCALES.get(scenario, "en")
    people = [person for person in CUSTOMERS if person.locale.startswith(language)]
    case = Case(number, use, start, people[number % len(people)], random.Random(f"Birk & Barrow {number}"))
    per_turn = (scenario, use) in SESSIONS
    channel = "chat" if per_turn else rng.choice(["chat", "web", "web", "email"])
    talk = Conversation(
        case,
        seed=seed,
        name=INTENTS[scenario],
        channel=channel,
        environment="staging" if rng.random() < 0.12 else "production",
        prompt_version=version,
        model="gpt-4.1" if channel == "email" else "gpt-4.1-mini",
        trace_per_turn=per_turn,
    )
    scenario(talk, case, failures)
    return talk


def _feedback(talk, rng, *, unhappy):
    """A thumb on some conversations, which says little about quality; a response-time check on each live trace."""
    if talk.environment != "production":
        return
    if rng.random() < 0.45:
        up = rng.random() < (0.4 if unhappy else 0.86)
        comment = rng.choice(THUMBS_UP if up else THUMBS_DOWN)
        yield _score(talk, talk.trace_ids[-1], "user-feedback", up, comment)
    for trace_id in talk.trace_ids:
        steps = [span for span in talk.spans if span.trace_id == trace_id and span.type not in ("AGENT", "SPAN")]
        slowest = max((span.end_time - span.start_time).total_seconds() for span in steps)
        late = slowest > SLOW_SECONDS
        yield _score(talk, trace_id, "latency-ok", not late, f"Slowest step {slowest:.1f} s" if late else "")


def _score(talk, trace_id, name, value, comment):
    end = max(span.end_time for span in talk.spans if span.trace_id == trace_id)
    return Feedback(digest(trace_id, name)[:32], trace_id, end + timedelta(seconds=20), name, value, comment)


def _to_review(talks, rng):
    """Choose what the first queue holds: a short, clear failure first, then a mixture with every failure in it."""
    planted = {}
    for number in sorted(talks):
        for failure in talks[number].planted:
            planted.setdefault(failure.failure, failure.trace_id)
    first = talks[0].trace_ids[0]
    certain = set(planted.values()) - {first}
    rest = [trace_id for number in sorted(talks) if number for trace_id in talks[number].trace_ids]
    rng.shuffle(rest)
    rest.sort(key=lambda trace_id: trace_id not in certain)
    chosen = rest[: QUEUE_SIZE - 1]
    rng.shuffle(chosen)
    return [first, *chosen]
