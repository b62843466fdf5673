"""A trace read as the conversation it was (pure).

Clients repeat themselves: a wrapper has the same input as what it wraps, every call to a model carries the whole
history, and a tool's result is both its own observation and a message of the next call. Here each message is
said once, and each tool call stands with its result.
"""

from collections import deque
from dataclasses import dataclass, field
from functools import cached_property

import orjson

from evalapp.traces import render
from evalapp.traces.chat import Call, Message, Thinking, parse, read_messages

_THREADS = 20  # how many conversations of sub-agents are remembered for finding repetitions
_CALL_ID_KEYS = ("call_id", "tool_call_id", "toolCallId", "gen_ai.tool.call.id", "ai.toolCall.id", "tool_use_id")
_TOOL_PREFIXES = ("execute_tool ", "tool.", "tool:", "running tool: ", "ai.toolCall:")


@dataclass(eq=False)
class ToolCard:
    """A tool call with its result. `node` is the tool's own observation, if there was one."""

    name: str
    arguments: object = None
    call_id: str = ""
    result: list | None = None
    is_error: bool = False
    node: object = None

    @property
    def arguments_line(self):
        return render.arguments_line(self.arguments)

    @cached_property
    def argument_blocks(self):
        """Only what the head line can't tell."""
        line = render.arguments_line(self.arguments, 10**6)
        return render.blocks(self.arguments) if len(line) > 140 else []

    @cached_property
    def result_blocks(self):
        return render.part_blocks(self.result or [])


@dataclass(eq=False)
class Entry:
    """One element of the page: a message, a tool call that no message asked for, or a step.

    `node` is the observation that this element stands for, `also` the others whose content it shows as well.
    """

    kind: str
    role: str = ""
    parts: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    node: object = None
    also: list = field(default_factory=list)
    name: str = ""
    depth: int = 0
    note: str = ""

    @cached_property
    def blocks(self):
        return render.part_blocks(self.parts)

    @cached_property
    def input_blocks(self):
        return render.blocks(self.node.input)

    @cached_property
    def output_blocks(self):
        return render.blocks(self.node.output)

    @property
    def preview(self):
        """One line for what is folded away."""
        if self.kind == "step":
            shown = self.node.output if self.node.output not in (None, "") else self.node.input
            return render.preview(shown, 140)
        return render.preview(" ".join(part for part in self.parts if isinstance(part, str)), 140)

    @property
    def observation_id(self):
        return self.node.observation.id if self.node else ""

    @property
    def ids(self):
        """The ids of all observations that this element shows."""
        nodes = [self.node, *self.also, *(card.node for card in self.calls)]
        return {node.observation.id for node in nodes if node}

    @property
    def size(self):
        return sum(len(part) for part in self.parts if isinstance(part, str))

    @property
    def error(self):
        """The error to show, or ""."""
        observation = self.node and self.node.observation
        if not observation or observation.level != "ERROR":
            return ""
        return render.clean(observation.status_message or "This step failed.")


def read_conversation(nodes, *, trace_input=None, trace_output=None):
    """Return the entries for nodes in walking order. `trace_input` and `trace_output` are what the client set on
    the trace itself; they take the place of the first root's."""
    if nodes and trace_input is not None:
        nodes[0].input = parse(trace_input)
    builder = _Builder(nodes)
    open_nodes = []
    for node in nodes:
        while open_nodes and open_nodes[-1] is not node.parent:
            builder.leave(open_nodes.pop())
        builder.enter(node)
        open_nodes.append(node)
    while open_nodes:
        builder.leave(open_nodes.pop())
    if trace_output is not None:
        builder.add_final(parse(trace_output))
    return builder.entries


def read_messages_alone(value, *, role=None):
    """Return the entries of one observation's input or output, or None when it isn't a chat."""
    messages = read_messages(value, role=role)
    if messages is None:
        return None
    builder = _Builder([])
    for message in messages:
        if message.role == "tool":
            builder.hear_result(message)
        else:
            entry = Entry("message", message.role, name=message.name)
            builder.say(message, entry)
            builder.entries.append(entry)
    return builder.entries


class _Builder:
    def __init__(self, nodes):
        self.entries = []
        self.threads = deque(maxlen=_THREADS)  # each a list of fingerprints, the latest used last
        self.systems, self.said = set(), set()
        self.cards, self.by_call_id = [], {}
        self.answers = {}  # chat node → (fingerprint of its output, its entry)
        self.turns = set()  # (parent, type) of spans that were seen to stand for a user's turn
        self.first_chat = _first_chat_below(nodes)

    # Walking

    def enter(self, node):
        kind = node.observation.type
        if kind == "TOOL":
            self._tool(node)
        elif self.first_chat.get(node) is node:
            self._chat(node)
        elif node in self.first_chat:
            self._wrapper(node)
        elif self._is_turn(node):
            self._turn(node)
        elif node.depth == 0 and node.children:
            self._root(node)
        elif not (node.input in (None, "") and node.output in (None, "") and node.observation.level != "ERROR"):
            self._add(Entry("step", node=node))

    def _root(self, node):
        """A root above steps of which none talks to a model."""
        messages = read_messages(node.input)
        if messages:
            self._hear(messages, node)
            self._name_last(node, messages)
        elif node.input not in (None, ""):
            self._add(Entry("message", "input", _plain_parts(node.input), node=node))

    def leave(self, node):
        if node.observation.type == "TOOL" or self.first_chat.get(node) is node:
            return
        if node in self.first_chat or (node.depth == 0 and node.children):
            self._wrapper_output(node)

    def add_final(self, output):
        """The output that the client set on the trace, unless it was said already."""
        for message in _answer(output):
            if self._is_new(message):
                self._add(Entry("message", "output", message.parts))

    # Models

    def _chat(self, node):
        inputs = read_messages(node.input)
        if inputs is None:
            inputs = [Message("user", _plain_parts(node.input))] if node.input not in (None, "") else []
        outputs = _answer(node.output)
        identity = tuple(map(_fingerprint, outputs))
        for above in node.ancestors():
            if above in self.answers and self.answers[above][0] == identity and outputs:
                self.answers[above][1].also.append(node)
                return
        thread = self._hear(inputs, node)
        known = _overlap(thread, [_fingerprint(message) for message in outputs])
        outputs = outputs[known:] if known and known < len(outputs) else outputs
        entry = Entry("message", "assistant", node=node)
        for message in outputs:
            self.say(message, entry, thread)
        if not entry.parts and not entry.calls and not entry.error:
            entry.note = "Empty answer" if node.observation.output is not None else "No output recorded"
        self._add(entry)
        self.answers[node] = (identity, entry)

    def _hear(self, inputs, node):
        """Add the input messages that were not there yet; return the thread that they belong to."""
        for message in inputs:
            if message.role == "system" and _fingerprint(message) not in self.systems:
                self.systems.add(_fingerprint(message))
                self._instruct(Entry("message", "system", message.parts, depth=_nesting(node)))
        rest = [message for message in inputs if message.role != "system"]
        marks = [_fingerprint(message) for message in rest]
        has_system = len(rest) < len(inputs)
        known, thread = max(
            ((_overlap(thread, marks), index) for index, thread in enumerate(self.threads)), default=(0, -1)
        )
        if known:
            thread = self.threads[thread]
            if thread[-known:] == marks[:known]:
                self.threads.remove(thread)
                thread = thread + marks[known:]
            else:
                thread = list(marks)  # a changed history: from now on it is what the client believes
        else:
            known = self._retried(node, marks, has_system)
            thread = list(marks)
        self.threads.append(thread)
        for message in rest[known:]:
            if message.role == "tool":
                self.hear_result(message)
            else:
                entry = Entry("message", message.role, depth=_nesting(node), name=message.name)
                self.say(message, entry)
                self._add(entry)
        return thread

    def _retried(self, node, marks, has_system):
        """How many of the messages were already answered once: the same prompt, asked again.

        A prompt of one message counts as asked again only by the same parent, or with its system prompt: people do
        say "yes" twice.
        """
        for thread in self.threads:
            if marks and thread[: len(marks)] == marks and (len(marks) > 1 or has_system):
                return len(marks)
        before = node.parent.children[: node.parent.children.index(node)] if node.parent else []
        if len(marks) == 1 and any(before_node.input == node.input for before_node in before[-3:]):
            return 1
        return 0

    def say(self, message, entry, thread=None):
        """Put a message's words and calls into an entry."""
        mark = _fingerprint(message)
        self.said.add(mark)
        self.said.add(_words(message))
        if thread is not None:
            thread.append(mark)
        if message.role == "tool":
            self.hear_result(message)
            return
        entry.parts += message.parts
        for call in message.calls:
            card = ToolCard(call.name, call.arguments, call.id)
            entry.calls.append(card)
            self._remember(card)

    # Tools

    def _remember(self, card):
        self.cards.append(card)
        if card.call_id:
            self.by_call_id.setdefault(card.call_id, []).append(card)

    def hear_result(self, message):
        """A tool's result among the messages: give it to the call it answers, if that has none yet."""
        asked = self.by_call_id.get(message.call_id, []) if message.call_id else []
        # Some clients start their call ids anew with each turn: the latest call of that id is meant.
        card = next((card for card in reversed(asked) if card.result is None), None)
        if card is None and (asked or self._was_heard(message)):
            return
        if card is None:
            waiting = [
                card for card in self.cards if card.result is None and not (card.call_id and message.call_id)
            ]
            fitting = [card for card in waiting if not message.name or card.name == message.name]
            card = fitting[0] if fitting else None
        if card is None:
            card = ToolCard(message.name or "tool", call_id=message.call_id)
            self._remember(card)
            self._add(Entry("tool", calls=[card]))
        card.result, card.is_error = message.parts, card.is_error or message.is_error

    def _was_heard(self, message):
        """Whether a call of this name already has this result, which an observation of the tool brought."""
        result = _fingerprint(message)
        return any(
            card.result is not None
            and (card.name == message.name or not message.name)
            and _fingerprint(Message("tool", card.result)) == result
            for card in reversed(self.cards[-50:])
        )

    def _tool(self, node):
        observation = node.observation
        call_id, name = _call_id(node), _tool_name(observation.name)
        asked = self.by_call_id.get(call_id, []) if call_id else []
        card = next((card for card in reversed(asked) if card.node is None), None)
        if card is None:
            free = [card for card in self.cards if card.node is None and not (card.call_id and call_id)]
            same = [card for card in free if card.name == name]
            exact = [card for card in same if _canonical(card.arguments) == _canonical(node.input)]
            card = (exact or same or [None])[0]
        if card is None:
            card = ToolCard(observation.name or "tool", node.input, call_id)
            self._remember(card)
            self._add(Entry("tool", calls=[card], depth=_nesting(node)))
        card.node = node
        if card.arguments in (None, ""):
            card.arguments = node.input
        answer = _tool_answer(node.output)
        card.is_error = card.is_error or answer.is_error or observation.level == "ERROR"
        if card.result is None and node.output is not None:
            card.result = answer.parts
            if self.threads:
                self.threads[-1].append(_fingerprint(Message("tool", answer.parts)))

    # What surrounds them

    def _wrapper(self, node):
        messages = read_messages(node.input)
        if messages:
            self._hear(messages, node)
            self._name_last(node, messages)
            return
        if node.input in (None, ""):
            return
        message = Message("user", _plain_parts(node.input))
        mark = _fingerprint(message)
        chat = self.first_chat[node]
        is_turn = any(_fingerprint(heard) == mark for heard in read_messages(chat.input) or [])
        if is_turn and node.parent:
            self.turns.add((node.parent, node.observation.type))
        if is_turn or node.depth == 0:
            self._user(message, node)

    def _user(self, message, node):
        """What the user said, unless those were the last words anyway (a wrapper's wrapper)."""
        mark = _fingerprint(message)
        last = self.entries[-1] if self.entries else None
        if last and last.role == "user" and self.threads and self.threads[-1][-1:] == [mark]:
            last.also.append(node)
            return
        if not self.threads:
            self.threads.append([])
        self.threads[-1].append(mark)
        self.said |= {mark, _words(message)}
        self._add(Entry("message", "user", message.parts, node=node))

    def _name_last(self, node, messages):
        last = self.entries[-1] if self.entries else None
        if last and last.role == "user" and messages[-1].role == "user" and last.parts == messages[-1].parts:
            if last.node is None:
                last.node = node
            else:
                last.also.append(node)

    def _is_turn(self, node):
        return isinstance(node.input, str) and (node.parent, node.observation.type) in self.turns

    def _turn(self, node):
        """A span beside others that stood for a user's turn, with no call to a model inside."""
        self._user(Message("user", [node.input]), node)
        for message in _answer(node.output):
            if self._is_new(message):
                self._add(Entry("message", "assistant", message.parts))

    def _wrapper_output(self, node):
        failed = node.observation.level == "ERROR"
        fresh = [message for message in _answer(node.output) if message.role != "system" and self._is_new(message)]
        spoken = [message for message in fresh if message.role == "assistant" and message.parts]
        if node.depth == 0 and spoken:
            entry = Entry("message", "assistant" if self.answers else "output")
            self.say(spoken[-1], entry)
            self._add(entry)
        elif (spoken or failed) and node.depth:
            self._add(Entry("step", node=node, depth=_nesting(node)))
        elif failed and not any(child.observation.level == "ERROR" for child in node.children):
            self._add(Entry("step", node=node))

    def _is_new(self, message):
        return bool(message.parts) and _fingerprint(message) not in self.said and _words(message) not in self.said

    def _instruct(self, entry):
        """Add a system prompt; the first stands above the user's words, which the root told before it."""
        if all(earlier.role == "user" for earlier in self.entries):
            self.entries.insert(0, entry)
        else:
            self._add(entry)

    def _add(self, entry):
        if entry.node and not entry.depth:
            entry.depth = _nesting(entry.node)
        self.entries.append(entry)


def _first_chat_below(nodes):
    """{node: the first node at or below it that talks to a model}."""
    first = {}
    for node in reversed(nodes):
        kind = node.observation.type
        if kind == "GENERATION" or (not node.children and kind in ("AGENT", "CHAIN", "SPAN") and _is_chat(node)):
            first[node] = node
        if node in first and node.parent is not None:
            first[node.parent] = first[node]
    return first


def _is_chat(node):
    return bool(read_messages(node.input))


def _nesting(node):
    """How deep inside of sub-agents and tools."""
    inside = sum(above.observation.type in ("AGENT", "TOOL") and above.depth > 0 for above in node.ancestors())
    return min(inside, 3)


def _answer(output):
    if output in (None, "", [], {}):
        return []
    messages = read_messages(output, role="assistant")
    return messages if messages is not None else [Message("assistant", _plain_parts(output))]


def _tool_answer(output):
    messages = read_messages(output) or []
    if len(messages) == 1 and messages[0].role == "tool":
        return messages[0]
    return Message("tool", [] if output in (None, "") else [output])


def _plain_parts(value):
    """{"question": "…"} is the question."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), str):
        return [next(iter(value.values()))]
    return [value]


def _call_id(node):
    places = [node.metadata, node.metadata.get("attributes"), node.input]
    for place in places:
        if isinstance(place, dict):
            for key in _CALL_ID_KEYS:
                if isinstance(place.get(key), str) and place[key]:
                    return place[key]
    return ""


def _tool_name(name):
    name = name or ""
    for prefix in _TOOL_PREFIXES:
        name = name.removeprefix(prefix)
    return name


# Recognising repetitions


def _fingerprint(message):
    """Equal for the same message in different dress; what a model thought is not part of it."""
    said = tuple(_canonical(part) for part in message.parts if not isinstance(part, Thinking))
    calls = tuple((call.name, _canonical(call.arguments)) for call in message.calls if isinstance(call, Call))
    return hash((message.role, said, calls))


def _words(message):
    """Equal for the same text, whoever said it."""
    text = " ".join(" ".join(part.split()) for part in message.parts if isinstance(part, str))
    return hash(("words", text)) if text else hash(("parts", _fingerprint(message)))


def _canonical(value):
    if isinstance(value, str):
        value = parse(value)
    if isinstance(value, str):
        return " ".join(value.split()).strip('"')
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError, RecursionError):
        return str(value)


def _overlap(thread, marks):
    """How many of the first `marks` continue from what the thread already holds."""
    for length in range(min(len(thread), len(marks)), 0, -1):
        if thread[-1] == marks[length - 1] and thread[-length:] == marks[:length]:
            return length
    if len(marks) < 2 or not thread or marks[0] not in thread:
        return 0
    # A history that was edited on the way (shortened results, reworded calls): match what is left of it in order.
    at = matched = last = 0
    for index, mark in enumerate(marks):
        try:
            at = thread.index(mark, at) + 1
        except ValueError:
            continue
        matched, last = matched + 1, index + 1
    return last if matched >= 2 and (matched * 2 >= len(thread) or at == len(thread)) else 0
