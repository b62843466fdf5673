"""Turns a dialogue into observations, as an instrumented agent would have sent them.

A conversation is one trace with a span per turn, or, for chats, one trace per turn within a session. Every model
call repeats the whole history, because that is what real applications record.
"""

import base64
import hashlib
import json
from datetime import timedelta

from annotation.demo.catalogue import ARTICLES, SHOP, draw_photo
from annotation.demo.failures import Planted
from evalapp.traces.spans import Span

# US dollars per million tokens, input and output.
PRICES = {"gpt-4.1-mini": (0.40, 1.60), "gpt-4.1": (2.00, 8.00)}

_RULES = [
    "You are Wren, the support agent of Birk & Barrow, a web shop for gardens and balconies.",
    "Use the tools; never invent order data, tracking or dates.",
    "Verify order number and postal code with verify_customer before you share or change anything about an order.",
    "Follow the current help articles (search_help). You cannot make exceptions to them.",
    "Answer in the customer's language. Prices are in euros.",
]
PROMPTS = {
    11: [*_RULES, "Be thorough and friendly."],
    12: [*_RULES, "Be friendly. Answer every question the customer asks.", "Hand over to a person only as KB-270 says."],
    13: [*_RULES, "Be brief: at most four sentences unless the customer asks for more.",
         "Hand over to a person only as KB-270 says."],
}  # fmt: skip


def digest(*parts):
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


def to_json(value):
    return json.dumps(value, ensure_ascii=False)


class Conversation:
    """Collects the observations of one dialogue; scenarios call its verbs in the order in which things happen."""

    def __init__(self, case, *, seed, name, channel, environment, prompt_version, model, trace_per_turn=False):
        self.case, self.rng, self.clock = case, case.rng, case.start
        self.seed, self.name, self.channel = seed, name, channel
        self.environment, self.prompt_version, self.model = environment, prompt_version, model
        self.trace_per_turn = trace_per_turn
        self.session_id = f"chat-{digest(seed, case.number)[:10]}" if channel == "chat" else None
        self.history = [{"role": "system", "content": "\n".join(PROMPTS[prompt_version])}]
        self.spans, self.planted, self.trace_ids = [], [], []
        self.trace_id = self.root = self.turn = self.last = None
        self.turns = self.calls_made = 0

    # What scenarios say

    def user(self, text, *, photo=None):
        """The customer writes; this opens a turn."""
        if self.turns:
            self._pass(self.rng.uniform(14, 75))
        self.turns += 1
        said = content = text
        if photo:
            png = draw_photo(photo, self.case.number)
            url = "data:image/png;base64," + base64.b64encode(png).decode()
            content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
            said = to_json([{"role": "user", "content": content}])
        if self.root is None or self.trace_per_turn:
            self._open_trace(said)
        if self.trace_per_turn:
            known = {"session_id": self.session_id, "messages": len(self.history)}
            self._step("SPAN", "load-history", self.rng.uniform(0.01, 0.06), output=to_json(known))
        self.history.append({"role": "user", "content": content})
        if self.trace_per_turn:
            self.guard()
        else:
            self.turn = self._open("SPAN", f"turn {self.turns}", input=said)

    def guard(self, *, flagged=False, reason=None):
        """A moderation check on what the customer wrote."""
        text = self.history[-1]["content"]
        text = text if isinstance(text, str) else text[0]["text"]
        verdict = {"flagged": flagged, "categories": [reason] if reason else []}
        self._step(
            "GUARDRAIL", "screen-input", self.rng.uniform(0.04, 0.12), input=to_json({"text": text}),
            output=to_json(verdict), level="WARNING" if flagged else "DEFAULT",
            status_message=f"Input flagged: {reason}" if flagged else None,
        )  # fmt: skip

    def call(self, tool, result=None, *, error=None, seconds=None, slow=False, hits=(), **arguments):
        """The model calls one tool, which answers with text or JSON, or with an error."""
        answer = result if error is None else {"error": error}
        self.calls((tool, arguments, answer), seconds=seconds, slow=slow, hits=hits)

    def calls(self, *requests, seconds=None, slow=False, hits=()):
        """The model calls tools at once; each request is (tool, arguments, result)."""
        made = []
        for tool, arguments, _ in requests:
            self.calls_made += 1
            call_id = f"call_{digest(self.seed, self.case.number, self.calls_made)[:20]}"
            made.append({
                "id": call_id, "type": "function", "function": {"name": tool, "arguments": to_json(arguments)}
            })  # fmt: skip
        self._generate({"role": "assistant", "content": None, "tool_calls": made})
        for call, (tool, arguments, result) in zip(made, requests, strict=True):
            error = result.get("error") if isinstance(result, dict) else None
            answer = result if isinstance(result, str) else to_json(result)
            span = self.last = self._open(
                "TOOL",
                tool,
                input=to_json(arguments),
                output=answer,
                level="ERROR" if error else "WARNING" if slow else "DEFAULT",
                status_message=error or ("Answered after two retries" if slow else None),
                metadata={"tool_call_id": call["id"]},
            )
            if hits:
                self._retrieve(arguments["query"], hits, span)
            self._pass(seconds or self.rng.uniform(2.5, 6) if slow else seconds or self.rng.uniform(0.08, 0.9))
            span.end_time = self.clock
            self.history.append({"role": "tool", "tool_call_id": call["id"], "content": answer})

    def search(self, query, *article_ids):
        """The model looks something up in the help articles."""
        found = [
            f"**{key} {ARTICLES[key]['title']}** ({ARTICLES[key]['status']})\n\n{ARTICLES[key]['text']}"
            for key in article_ids
        ]
        self.call("search_help", "\n\n".join(found), hits=article_ids, query=query)

    def verify(self, *, ok=True, postal_code=None):
        """The model checks who is asking."""
        customer = self.case.customer
        result = {"verified": True, "customer_id": customer.id} if ok else {"verified": False}
        self.call(
            "verify_customer", result,
            order_number=self.case.order_number, postal_code=postal_code or customer.postal_code,
        )  # fmt: skip

    def get_order(self, *products, **fields):
        """The model reads the order."""
        self.call("get_order", self.case.order(*products, **fields), order_number=self.case.order_number)

    def say(self, text):
        """The agent answers; this closes the turn."""
        self._generate({"role": "assistant", "content": text})
        for span in (self.turn, self.root):
            if span is not None:
                span.output, span.end_time = text, self.clock
        self.turn = None

    def plant(self, failure):
        """Note that the latest observation is where `failure` first shows."""
        self.planted.append(Planted(failure, self.trace_id, self.last.id))

    # How it becomes observations

    def _open_trace(self, said):
        self.trace_id = digest(self.seed, "trace", self.case.number, len(self.trace_ids))[:32]
        self.trace_ids.append(self.trace_id)
        self.root = None
        self.root = self._open("AGENT", self.name, input=said)

    def _open(self, type_, name, parent=None, **fields):
        parent = parent or self.turn or self.root
        span = Span(
            trace_id=self.trace_id,
            id=digest(self.trace_id, len(self.spans))[:16],
            parent_id=parent.id if parent else None,
            type=type_,
            name=name,
            start_time=self.clock,
            environment=self.environment,
            version=f"v{self.prompt_version}",
            release=f"support-agent@v{self.prompt_version}",
            trace_name=self.name,
            user_id=self.case.customer.id,
            session_id=self.session_id,
            tags=(f"channel:{self.channel}", f"locale:{self.case.customer.locale}"),
            trace_metadata={"synthetic": True, "shop": SHOP},
            **fields,
        )
        self.spans.append(span)
        self._pass(0.002)
        return span

    def _step(self, type_, name, seconds, **fields):
        self.last = self._open(type_, name, **fields)
        self._pass(seconds)
        self.last.end_time = self.clock

    def _retrieve(self, query, article_ids, tool):
        """What the search tool asked of its index."""
        hits = [
            {"id": key, "title": ARTICLES[key]["title"], "score": round(0.91 - 0.13 * rank, 2)}
            for rank, key in enumerate(article_ids)
        ]
        found = self._open("RETRIEVER", "help-articles", parent=tool, input=query, output=to_json(hits))
        self._pass(self.rng.uniform(0.02, 0.2))
        found.end_time = self.clock

    def _generate(self, message):
        read, written = sum(map(_tokens, self.history)), _tokens(message)
        first = self.rng.uniform(0.35, 0.9)
        price_in, price_out = PRICES[self.model]
        cost = {"input": round(read * price_in / 1e6, 8), "output": round(written * price_out / 1e6, 8)}
        cost["total"] = round(cost["input"] + cost["output"], 8)
        # The oldest release logged bare messages, as many applications do; later ones the whole request.
        request = self.history if self.prompt_version == 11 else {"messages": self.history}
        self._step(
            "GENERATION",
            "chat",
            first + written * self.rng.uniform(0.006, 0.012),
            input=to_json(request),
            output=to_json(message),
            completion_start_time=self.clock + timedelta(seconds=first),
            model=self.model,
            model_parameters={"temperature": 0.2, "max_tokens": 1200},
            usage={"input": read, "output": written, "total": read + written},
            cost=cost,
            input_tokens=read,
            output_tokens=written,
            total_tokens=read + written,
            total_cost=cost["total"],
            prompt_name="support-agent",
            prompt_version=self.prompt_version,
        )
        self.history.append(message)

    def _pass(self, seconds):
        self.clock += timedelta(microseconds=int(seconds * 1e6))


def _tokens(message):
    """Return a plausible token count: four characters a token, an image as one tile."""
    content = message.get("content") or ""
    text = content if isinstance(content, str) else content[0]["text"]
    tiles = 0 if isinstance(content, str) else 255
    calls = message.get("tool_calls") or ()
    return 4 + tiles + len(text) // 4 + sum(len(call["function"]["arguments"]) // 3 + 8 for call in calls)
