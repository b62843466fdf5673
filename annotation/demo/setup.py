"""The demo's questions, and the queue in which they are asked."""

QUEUE = "First review: support agent"
DESCRIPTION = (
    "Synthetic demo data: an invented shop, invented customers, a support agent that is right about half the time."
)
INSTRUCTIONS = """\
Read the conversation as the customer would. **Write one sentence about the first thing that went wrong**, then \
complete and go on. Nothing wrong? Leave the note empty and answer Pass with True. A minute for each is plenty.

*Birk & Barrow is an invented shop; every trace here is synthetic.*

### What the agent must keep to

- **Who is asking**: order number and postal code are verified before anything of an order is told or changed. Only the buyer may hear about it.
- **Returns**: unused, within 45 days of delivery; after that nothing, without exceptions. The label costs €4.50, once per return.
- **Live goods**: reported within 5 days with a photo, a replacement or a refund. Later, neither.
- **Guarantee**: tools 3 years, electronics 2. We replace; we don't pay out.
- **Changing, cancelling**: until the order is packed.
- **Price drops**: within 14 days of the purchase, the difference as a voucher.
- **Delivery**: only what tracking shows; never a guessed date.
- **Handing over to a person**: for injury, legal threats, disputed payments, or when asked twice. Everything else is solved.

Every question gets an answer, in the customer's language and in a kind tone.
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
