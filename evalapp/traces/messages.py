"""Chat messages spread over flat attributes or span events → lists of messages in OpenAI's shape."""

import orjson

from evalapp.core import payload

_MOST_EVENTS = 10_000


def unflatten(attributes, keys, prefix):
    """Return the nested value of `prefix`0.role, `prefix`0.content, …: numbers become list positions."""
    root = {}
    for key in keys:
        node = root
        *path, last = key[len(prefix) :].split(".")[:24]
        for part in path:
            child = node.get(part)
            if not isinstance(child, dict):
                child = node[part] = {} if child is None else {"": child}
            node = child
        node[last] = attributes[key]
    return _lists(root)


def _lists(node):
    if not isinstance(node, dict):
        return node
    if node and all(key.isdecimal() and len(key) < 10 for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(child) for key, child in node.items()}


def plain_messages(items):
    """Return messages without OpenInference's wrappers, their tool calls as OpenAI writes them."""
    if not isinstance(items, list):
        return items
    return [_plain_message(item.get("message", item)) if isinstance(item, dict) else item for item in items]


def _plain_message(message):
    if not isinstance(message, dict):
        return message
    message = dict(message)
    contents = message.pop("contents", None)
    if isinstance(contents, list) and "content" not in message:
        message["content"] = [_plain_part(part) for part in contents]
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        message["tool_calls"] = [_plain_call(call) for call in calls]
    return message


def _plain_part(part):
    content = part.get("message_content", part) if isinstance(part, dict) else part
    if isinstance(content, dict) and isinstance(content.get("image"), dict):
        image = content["image"].get("image", content["image"])
        url = image.get("url") if isinstance(image, dict) else image
        return {"type": "image_url", "image_url": {"url": url}}
    return content


def _plain_call(call):
    call = call.get("tool_call", call) if isinstance(call, dict) else call
    if not isinstance(call, dict) or "function" in call or "name" not in call:
        return {"type": "function", **call} if isinstance(call, dict) and "function" in call else call
    function = {"name": call["name"], "arguments": call.get("arguments")}
    rest = {key: value for key, value in call.items() if key not in ("name", "arguments")}
    return {**rest, "type": "function", "function": function}


def with_system(instructions, messages):
    """Return the JSON text of `messages` with the system instructions as their first message."""
    parsed, system = payload.parse(messages), payload.parse(instructions)
    if not isinstance(parsed, list):
        parsed = [] if parsed is None else [{"role": "user", "content": parsed}]
    kind = "parts" if isinstance(system, list) else "content"
    return payload.dump([{"role": "system", kind: system}, *parsed])


def from_events(events):
    """Return (input, output, events of another meaning): what gen_ai span events say, as JSON text or None."""
    received, sent, others = [], [], []
    whole_input = whole_output = None
    for event in events[:_MOST_EVENTS]:
        name, _, attributes = event
        if name == "gen_ai.client.inference.operation.details":
            whole_input = attributes.get("gen_ai.input.messages", whole_input)
            if "gen_ai.system_instructions" in attributes:
                whole_input = with_system(attributes["gen_ai.system_instructions"], whole_input)
            whole_output = attributes.get("gen_ai.output.messages", whole_output)
        elif name == "gen_ai.choice":
            sent.append(_event_message(attributes, "assistant"))
        elif name.startswith("gen_ai.") and name.endswith(".message"):
            received.append(_event_message(attributes, name.split(".")[1]))
        elif name == "gen_ai.content.prompt":
            whole_input = attributes.get("gen_ai.prompt", whole_input)
        elif name == "gen_ai.content.completion":
            whole_output = attributes.get("gen_ai.completion", whole_output)
        else:
            others.append(event)
    return (
        as_text(whole_input) if whole_input is not None else payload.dump(received) if received else None,
        as_text(whole_output) if whole_output is not None else payload.dump(sent) if sent else None,
        others,
    )


def from_event_list(value):
    """Return (input, output) of Logfire's `events`: one JSON array of such events in an attribute."""
    events = payload.parse(value) if isinstance(value, str) else value
    if not isinstance(events, list):
        return as_text(value), None
    received, sent = [], []
    for event in events:
        choice = isinstance(event, dict) and event.get("event.name") == "gen_ai.choice"
        message = event.get("message", event) if choice else event
        (sent if choice else received).append(message)
    return payload.dump(received) if received else None, payload.dump(sent) if sent else None


def _event_message(attributes, role):
    message = {}
    for key, value in attributes.items():
        if key in ("message", "tool_calls", "content", "body") and isinstance(value, str) and value[:1] in "[{":
            value = payload.parse(value)
        message[key.removeprefix("gen_ai.")] = value
    inner = message.pop("message", None)
    if isinstance(inner, dict):
        message |= inner
    elif inner is not None:
        message["content"] = inner
    return {"role": message.pop("role", role), **message}


def as_text(value):
    """Return a payload as it is stored: text as it is, anything else as JSON, None for None."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, default=str).decode()
