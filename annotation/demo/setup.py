"""The demo's questions, and the queue in which they are asked."""

QUEUE = "First review: support agent"
DESCRIPTION = (
    "Synthetic demo data: an invented shop, invented customers, a support agent that is right about half the time."
)
# Short: beside the trace it shares a narrow column with the questions. The rules in full are in the traces.
INSTRUCTIONS = """\
**Write one sentence about the first thing that went wrong**, then complete and go on. Nothing wrong? Leave the note \
empty and answer Pass with True. A minute for each is plenty.

*Birk & Barrow is an invented shop; all of this is synthetic.* Its agent must keep to these rules:

- **Identity**: order number and postcode first; only the buyer may know.
- **Returns**: 45 days, no exceptions; label €4.50, once.
- **Live goods**: 5 days, with a photo.
- **Guarantee**: tools 3 years, electronics 2; replaced, never paid out.
- **Change, cancel**: until packed.
- **Price drop**: 14 days, as a voucher.
- **Delivery**: only what tracking shows.
- **A person** only for injury, legal threats, payment disputes, or when asked twice.
- **Every question** answered, kindly, in the customer's language.
"""
CONFIGS = [
    {
        "name": "Note",
        "data_type": "TEXT",
        "description": "Open coding: the first thing that went wrong, in your own words.",
        "guidance": "One sentence on the **first** thing that went wrong, and mark the step where it happened. "
        "Say what you *saw*, not why it happened:\n\n"
        "- good: “Tells the customer the address is changed, although the tool said it can't be.”\n"
        "- not yet: “Hallucination”, “bad prompt”\n\n"
        "No fixed vocabulary: the groups come later. Nothing wrong: leave it empty.",
    },
    {
        "name": "Pass",
        "data_type": "BOOLEAN",
        "description": "Did the agent do the customer's job within the policy?",
        "guidance": "**True** if you would be glad to have sent these answers yourself. A kind answer that breaks a rule is False; "
        "a kind *no* that keeps it is True.",
    },
    {
        "name": "Severity",
        "data_type": "CATEGORICAL",
        "categories": [
            {"label": "minor", "value": 1},
            {"label": "major", "value": 2},
            {"label": "critical", "value": 3},
        ],
        "description": "How bad is the failure? Only for those that fail.",
        "guidance": "**minor**: awkward, no harm · **major**: the customer is worse off or must write again · "
        "**critical**: money, somebody else's order, or private data",
    },
    {
        "name": "Helpfulness",
        "data_type": "NUMERIC",
        "min_value": 1,
        "max_value": 5,
        "description": "How helpful was the agent, apart from the rules?",
        "guidance": "1: the customer leaves with nothing · 3: the question is answered · 5: answered, and thought one step ahead",
    },
]
IN_QUEUE = ["Note", "Pass", "Severity"]
