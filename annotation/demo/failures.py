"""The failure modes planted in the demo, and where each one is. Only tests read this: reviewers must find them."""

from dataclasses import dataclass
from enum import StrEnum


class Failure(StrEnum):
    REFUND_OUTSIDE_POLICY = "promises money or goods that the policy rules out"
    NOT_VERIFIED = "shares or changes order data without checking who is asking"
    MISSED_QUESTION = "leaves one of the customer's questions unanswered"
    FALSE_SUCCESS = "claims that something worked although the tool reported an error"
    WRONG_ARGUMENT = "calls a tool with another value than the customer gave"
    OUTDATED_ARTICLE = "answers from an archived policy article"
    ARITHMETIC = "gets a sum of money wrong"
    INVENTED_FACT = "gives a tracking number or date that no tool returned"
    CURT_TONE = "is curt with an upset customer"
    NEEDLESS_ESCALATION = "hands over to a person what it could have solved"
    TOOL_LOOP = "calls the same tool again and again with the same arguments"
    LANGUAGE_SWITCH = "stops answering in the customer's language"


@dataclass(frozen=True)
class Planted:
    """One failure: the observation in which it first shows."""

    failure: Failure
    trace_id: str
    observation_id: str
