"""Chat messages out of whatever a client stored as input or output (pure).

Understood: OpenAI chat completions and responses, Anthropic, Google, OpenTelemetry gen_ai parts, LangChain,
OpenInference and the Vercel AI SDK, each as a list, a request or a response. Anything else is no chat: None.
"""

from dataclasses import dataclass, field

import orjson

ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "chat": "assistant",
}
# Keys under which requests and responses keep their messages, outermost first.
_LISTS = ("messages", "contents", "output", "input", "choices", "candidates", "generations", "all_messages")
_LANGCHAIN = {"human", "ai", "system", "tool", "function", "chat", "developer"}
_DEPTH = 6


@dataclass
class Call:
    """A model's wish to call a tool; `arguments` is a value, or the text that could not be parsed."""

    name: str
    arguments: object = None
    id: str = ""


@dataclass
class Message:
    """One message. `parts` are texts and other values to show; a tool's result names the call it answers."""

    role: str
    parts: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    call_id: str = ""
    name: str = ""
    is_error: bool = False

    @property
    def text(self):
        """All text of the message, or "" when it has none."""
        return "\n\n".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True)
class Media:
    """An image, sound or file in a message: a URL or a data URI, or only its kind."""

    kind: str
    url: str = ""


@dataclass(frozen=True)
class Thinking:
    """What a model wrote for itself."""

    text: str


def parse(text):
    """Return the value of JSON text, or the text itself when it is not JSON.

    Words in quotation marks may be a quotation; only escapes show that they are JSON.
    """
    if not isinstance(text, str) or (text[:1] not in '{["' and text.lstrip()[:1] not in ("{", "[", '"')):
        return text
    if text.lstrip()[:1] == '"' and "\\" not in text:
        return text
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return text


def read_messages(value, *, role=None):
    """Return the messages of a parsed value, or None when it isn't a chat.

    `role` is who speaks where the value does not say: an output without a role is the assistant's.
    """
    try:
        messages = _messages(value, role, 0)
    except (AttributeError, TypeError, KeyError, IndexError):
        return None  # almost a chat, with something unexpected inside: shown as JSON instead
    return messages or None


def _messages(value, role, depth):
    if depth > _DEPTH:
        return None
    if isinstance(value, list):
        return _message_list(value, role, depth)
    if not isinstance(value, dict):
        return None
    one = _message(value, role)
    if one:
        return one
    for key in _LISTS:
        inner = value.get(key)
        if not isinstance(inner, list | dict) or not inner:
            continue
        speaker = "assistant" if key in ("choices", "candidates", "generations", "output") else role
        found = _messages(inner, speaker, depth + 1)
        if found:
            return _instructions(value) + found
    for key in ("message", "kwargs", "data", "content"):
        inner = value.get(key)
        if isinstance(inner, dict):
            found = _messages({**inner, **_outer_type(value)}, role, depth + 1)
            if found:
                return found
    return None


def _outer_type(value):
    """LangChain's constructor form names the class outside of the message."""
    names = value.get("id")
    if (
        isinstance(names, list)
        and names
        and isinstance(names[-1], str)
        and names[-1].endswith(("Message", "Chunk"))
    ):
        kind = names[-1].removesuffix("Chunk").removesuffix("Message").lower()
        return {"type": kind} if kind in _LANGCHAIN else {}
    kind = value.get("type")
    return {"type": kind} if kind in _LANGCHAIN and "data" in value else {}


def _instructions(request):
    for key in ("system", "instructions", "systemInstruction", "system_instruction", "system_instructions"):
        if request.get(key):
            content = request[key]
            if isinstance(content, dict):
                content = content.get("parts", content)
            return [Message("system", _parts(content, [], []))]
    return []


def _message_list(items, role, depth):
    """Every element must be a message; a list with anything else in it is data."""
    found = []
    for item in items:
        inner = _messages(item, role, depth + 1) if isinstance(item, dict | list) else None
        if not inner:
            return None
        found += inner
    return found


def _message(value, role):
    """One dict as messages (a tool turn may hold several results), or None."""
    value = _undot(value)
    kind = value.get("type")
    if kind == "function_call" and "name" in value:
        return [Message("assistant", calls=[_call(value)])]
    if kind in ("function_call_output", "custom_tool_call_output"):
        return [
            Message("tool", _parts(parse(value.get("output")), [], []), call_id=str(value.get("call_id") or ""))
        ]
    if kind == "reasoning" and ("summary" in value or "encrypted_content" in value):
        return [Message("assistant", _parts(value.get("summary") or [], [], []))]
    speaker = ROLES.get(value.get("role")) or (ROLES.get(kind) if kind in _LANGCHAIN else None)
    if speaker is None:
        if role is None or not _is_bare_message(value):
            return None
        speaker = role
    content = next((value[key] for key in ("content", "parts", "contents", "text") if value.get(key)), None)
    if isinstance(content, dict) and "role" in content:
        return None
    calls, results = [], []
    message = Message(speaker, _parts(content, calls, results), name=str(value.get("name") or ""))
    if value.get("reasoning_content"):
        message.parts.insert(0, Thinking(str(value["reasoning_content"])))
    if isinstance(value.get("refusal"), str):
        message.parts.append(value["refusal"])
    listed = value.get("tool_calls") or value.get("toolCalls") or []
    if isinstance(listed, list) and not calls:
        calls = [_call(call) for call in listed]
    if isinstance(value.get("function_call"), dict):
        calls.append(_call(value["function_call"]))
    message.calls = calls
    message.call_id = str(value.get("tool_call_id") or value.get("toolCallId") or value.get("call_id") or "")
    message.is_error = value.get("status") == "error" or value.get("is_error") is True
    has_own = message.parts or message.calls or not results
    return ([message] if has_own else []) + results


def _undot(value):
    """OpenInference's flattened keys: {"message.role": …} is {"role": …}."""
    if "." in "".join(value):
        for prefix in ("message.", "tool_call.", "message_content."):
            value = {key.removeprefix(prefix): inner for key, inner in value.items()}
    if isinstance(value.get("tool_call"), dict) and "name" not in value:
        value = value["tool_call"]
    return value


def _is_bare_message(value):
    """{"content": …, "tool_calls": …} or {"text": …, "toolCalls": …} without a role."""
    if value.get("tool_calls") or value.get("toolCalls"):
        return True
    known = {
        "content",
        "tool_calls",
        "refusal",
        "annotations",
        "audio",
        "function_call",
        "text",
        "reasoning_content",
    }
    noise = {"finish_reason", "finishReason", "toolCalls", "usage", "id", "index", "logprobs", "message"}
    keys = set(value)
    return bool(keys & {"content", "text"}) and keys <= known | noise and "message" not in keys


def _call(value):
    value = _undot(value)
    function = value.get("function") if isinstance(value.get("function"), dict) else value
    function = {
        **function,
        **{k.removeprefix("function."): v for k, v in value.items() if k.startswith("function.")},
    }
    arguments = next(
        (function[key] for key in ("arguments", "args", "input", "parameters") if function.get(key) is not None),
        None,
    )
    name = function.get("name") or value.get("toolName") or value.get("tool_name") or "tool"
    identity = (
        value.get("call_id") or value.get("id") or value.get("toolCallId") or value.get("tool_call_id") or ""
    )
    return Call(str(name), parse(arguments), str(identity))


def _parts(content, calls, results):
    """What a message shows; tool calls and results found among the parts are put into the two lists."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return [content]
    parts = []
    for item in content:
        if isinstance(item, dict):
            parts += _part(item, calls, results)
        elif item is not None and item != "":
            parts.append(item)
    return parts


def _part(item, calls, results):
    item = _undot(item)
    if isinstance(item.get("message_content"), dict):
        item = _undot(item["message_content"])
    kind = str(item.get("type") or "").replace("-", "_")
    if kind in ("tool_use", "tool_call", "server_tool_use", "function_call"):
        calls.append(_call(item))
        return []
    if "functionCall" in item or "function_call" in item:
        calls.append(_call(item.get("functionCall") or item["function_call"]))
        return []
    if kind in ("tool_result", "tool_call_response", "function_call_output"):
        results.append(_result(item))
        return []
    if "functionResponse" in item or "function_response" in item:
        response = item.get("functionResponse") or item["function_response"]
        results.append(
            Message("tool", _parts(response.get("response"), [], []), name=str(response.get("name") or ""))
        )
        return []
    if kind in ("thinking", "reasoning", "redacted_thinking", "summary_text"):
        text = item.get("thinking") or item.get("text") or item.get("content") or item.get("data")
        return [Thinking(str(text))] if text else []
    media = _media(item, kind)
    if media:
        return [media]
    for key in ("text", "content", "refusal"):
        if isinstance(item.get(key), str):
            return [item[key]] if item[key] else []
    return [item]


def _result(item):
    content = next(
        (item[key] for key in ("content", "result", "output", "response") if item.get(key) is not None), None
    )
    if isinstance(content, dict) and set(content) == {"type", "value"}:  # Vercel 5: {"type": "json", "value": …}
        content = content["value"]
    parts = (
        _parts(content, [], []) if isinstance(content, str | list) else [content] if content is not None else []
    )
    identity = item.get("tool_use_id") or item.get("toolCallId") or item.get("id") or item.get("call_id") or ""
    name = item.get("toolName") or item.get("name") or ""
    failed = item.get("is_error") is True or item.get("isError") is True
    return Message("tool", parts, call_id=str(identity), name=str(name), is_error=failed)


def _media(item, kind):
    for key in ("image_url", "input_image", "image", "audio_url", "file_url"):
        inner = item.get(key)
        url = inner.get("url") if isinstance(inner, dict) else inner
        if isinstance(url, str) and url:
            return Media("image" if "image" in key else key.split("_")[0], _as_uri(url, item))
    source = item.get("source") if isinstance(item.get("source"), dict) else None
    if source and kind in ("image", "document"):
        mime = source.get("media_type") or "application/octet-stream"
        data = source.get("data")
        return Media(kind, f"data:{mime};base64,{data}" if data else str(source.get("url") or ""))
    inline = item.get("inlineData") or item.get("inline_data")
    if isinstance(inline, dict):
        mime = str(inline.get("mimeType") or inline.get("mime_type") or "application/octet-stream")
        return Media(mime.split("/")[0], f"data:{mime};base64,{inline.get('data') or ''}")
    if kind in ("input_audio", "audio", "file", "input_file", "blob", "uri"):
        inner = item.get("input_audio") or item.get("file") or item
        data = inner.get("data") or inner.get("file_data") or inner.get("content") or inner.get("uri") or ""
        mime = (
            inner.get("mime_type")
            or inner.get("mediaType")
            or f"{kind.removeprefix('input_')}/{inner.get('format', 'data')}"
        )
        return Media(kind.removeprefix("input_"), _as_uri(str(data), {"mimeType": mime}))
    return None


def _as_uri(data, item):
    if data.startswith(("data:", "http://", "https://", "@@@langfuseMedia:")):
        return data
    mime = item.get("mimeType") or item.get("mediaType") or item.get("mime_type") or "application/octet-stream"
    return f"data:{mime};base64,{data}"
