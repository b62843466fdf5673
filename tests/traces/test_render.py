"""Unknown values as blocks, unknown JSON as messages: readable, and never more than text."""

import base64
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalapp.traces import render
from evalapp.traces.chat import Media, Thinking, read_messages

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG" + b"0" * 300).decode()


def kinds(value):
    return [block.kind for block in render.blocks(value)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ("", []),
        ("  \n", ["text"]),
        ("plain words_with_underscores and 2 * 3 * 4", ["text"]),
        ("# Heading\n\n- a\n- b", ["markdown"]),
        ("see **this**", ["markdown"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["markdown"]),
        ('{"a": 1}', ["json"]),
        ('"{\\"a\\": 1}"', ["json"]),
        ('"quoted words"', ["text"]),
        ({"a": 1}, ["json"]),
        ([1, 2], ["json"]),
        ([{"a": 1, "b": 2}, {"a": 3, "b": 4}], ["table"]),
        ([{"a": 1, "b": 2}, {"a": 3}], ["json"]),
        ('{"a": "**not bold**", "b": [1, 2', ["code"]),
        ("[link](https://example.com)", ["markdown"]),
        (42, ["text"]),
        (False, ["text"]),
        (Media("image", PNG), ["image"]),
        (PNG, ["image"]),
        (Media("image", "https://example.com/x.png"), ["media_link"]),
        ("data:application/pdf;base64," + "A" * 400, ["chip"]),
        ("data:image/svg+xml;base64," + "A" * 400, ["chip"]),
        ("QUJDabc1" * 100, ["chip"]),
        ("x" * 500, ["text"]),
        (Thinking("hm"), ["thinking"]),
    ],
)
def test_each_value_becomes_the_block_that_reads_best(value, expected):
    assert kinds(value) == expected


def test_truncated_json_keeps_every_character():
    text = '{"note": "**bold** _and_ `code`", "list": [1, 2, {"a'
    assert render.blocks(text)[0].text == text


def test_base64_inside_of_text_becomes_its_size():
    text = f"Look: data:image/png;base64,{'A' * 4000} done"
    assert render.blocks(text)[0].text == "Look: [image/png, 3.0 KB] done"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x00b\x08c", "a␀b␈c"),
        ("user\u202etxt.exe", "user⟦U+202E⟧txt.exe"),
        ("\u2067isolated\u2069", "⟦U+2067⟧isolated⟦U+2069⟧"),
        ("שלום", "שלום"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_what_hides_in_text_is_shown_or_taken_out(text, shown):
    assert render.clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://evil.example/pixel.png)",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        '[x](https://a.example "onmouseover=alert(1)")',
        "<svg onload=alert(1)>",
        "<iframe src=//evil.example></iframe>",
        "<style>*{display:none}</style>",
        "<a href='javascript:alert(1)'>x</a>",
        "`<script>`\n\n```html\n<script>alert(1)</script>\n```",
        "[a]: javascript:alert(1)\n\n[a]",
        "<https://example.com/><b onclick=x>",
        "| <script> |\n|---|\n| <img src=x onerror=y> |",
    ],
)
def test_markdown_is_inert(text):
    html = str(render.markdown(text))
    assert set(re.findall(r"<([a-z0-9]+)", html)) <= render._TAGS
    for tag in re.findall(r"<[a-z][^>]*>", html):
        assert not re.search(r"\son\w+\s*=|style=|src=|srcset=", re.sub(r'"[^"]*"', '""', tag)), tag
        for link in re.findall(r'href="([^"]*)"', tag):
            assert link.startswith(("http://", "https://", "mailto:")), link
            assert 'rel="noopener noreferrer nofollow"' in tag


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=30,
    )
)
def test_any_json_becomes_a_tree_of_known_tags(value):
    html = str(render.json_block(value).html)
    assert set(re.findall(r"<([a-z0-9]+)", html)) <= render._TREE_TAGS
    assert html.count("<details") == html.count("</details>")


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_becomes_blocks(text):
    for block in render.blocks(text):
        assert block.kind in {"text", "markdown", "json", "code", "table", "chip", "image", "thinking"}
        assert "\0" not in block.text


def test_a_tree_stops_at_its_limits():
    wide = render.json_block(list(range(100_000)))
    assert wide.cut and len(wide.html) < 100_000
    deep = value = []
    for _ in range(200):
        value.append([])
        value = value[0]
    assert render.json_block(deep).html.count("<details") == render.JSON_DEPTH


def test_json_of_five_thousand_levels_is_shown_as_text():
    text = "[" * 5000 + "]" * 5000
    assert kinds(text) == ["code"]
    assert read_messages(text) is None


def test_a_path_can_be_copied_at_each_key():
    html = str(render.json_block({"a b": [{"c": 1}]}).html)
    assert 'data-copy-text="$[&quot;a b&quot;][0].c"' in html


def test_long_text_is_folded_at_a_line_outside_of_code():
    text = "\n".join(f"line {number}" for number in range(100))
    block = render.blocks(text)[0]
    assert block.text.count("\n") == render.FOLD_LINES - 1
    assert block.rest.text.startswith("line 40") and block.rest.text.endswith("line 99")
    fenced = "intro\n```\n" + "x = 1\n" * 60 + "```\n" + "after\n" * 60
    assert "<pre>" in render.blocks(fenced)[0].html and "x = 1" not in render.blocks(fenced)[0].rest.html


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab \n`#*", min_size=1, max_size=12).map(lambda part: part * 700))
def test_folding_loses_nothing(text):
    block = render._folded("text", text, cut=True)
    shown = block.text + (block.rest.text if block.rest else "")
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)


# Messages

CALL = ("lookup", {"id": 1}, "c1")
TOOL_USE = {"type": "tool_use", "id": "c1", "name": "lookup", "input": {"id": 1}}
PART_CALL = {"type": "tool_call", "id": "c1", "name": "lookup", "arguments": {"id": 1}}
FLAT_CALL = {
    "tool_call.id": "c1",
    "tool_call.function.name": "lookup",
    "tool_call.function.arguments": '{"id": 1}',
}
ANSWER = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}


def speech(message):
    return (
        message.role,
        message.text,
        [(call.name, call.arguments, call.id) for call in message.calls],
        message.call_id,
    )


CHATS = {
    "openai chat": (
        [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": '{"id": 1}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "found"},
        ]
    ),
    "openai request": {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "tool_calls": [{"id": "c1", "name": "lookup", "arguments": '{"id": 1}'}]},
            {"role": "tool", "tool_call_id": "c1", "content": "found"},
        ],
    },
    "openai responses": {
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "function_call", "call_id": "c1", "name": "lookup", "arguments": '{"id": 1}'},
            {"type": "function_call_output", "call_id": "c1", "output": "found"},
        ],
    },
    "anthropic": {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "c1", "name": "lookup", "input": {"id": 1}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "found"}]},
        ],
    },
    "gen_ai parts": [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c1", "name": "lookup", "arguments": {"id": 1}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "found"}]},
    ],
    "langchain": [
        [
            {"type": "system", "content": "Be brief."},
            {"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "Hi"}},
            {"type": "ai", "content": "", "tool_calls": [{"name": "lookup", "args": {"id": 1}, "id": "c1"}]},
            {"type": "tool", "content": "found", "tool_call_id": "c1"},
        ]
    ],
    "openinference": [
        {"message": {"role": "system", "content": "Be brief."}},
        {"message": {"role": "user", "contents": [{"message_content": {"type": "text", "text": "Hi"}}]}},
        {
            "message.role": "assistant",
            "message.tool_calls": [
                {
                    "tool_call.id": "c1",
                    "tool_call.function.name": "lookup",
                    "tool_call.function.arguments": '{"id": 1}',
                }
            ],
        },
        {"message": {"role": "tool", "content": "found", "tool_call_id": "c1"}},
    ],
    "vercel": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "lookup", "input": {"id": 1}}],
        },
        {
            "role": "tool",
            "content": [
                {
                    "type": "tool-result",
                    "toolCallId": "c1",
                    "toolName": "lookup",
                    "output": {"type": "text", "value": "found"},
                }
            ],
        },
    ],
}


@pytest.mark.parametrize("shape", CHATS)
def test_each_clients_shape_is_read_as_the_same_chat(shape):
    value = json.loads(json.dumps(CHATS[shape]))
    assert [speech(message) for message in read_messages(value)] == [
        ("system", "Be brief.", [], ""),
        ("user", "Hi", [], ""),
        ("assistant", "", [CALL], ""),
        ("tool", "found", [], "c1"),
    ]


@pytest.mark.parametrize(
    "output",
    [
        {"role": "assistant", "content": "Hello"},
        {"content": "Hello", "tool_calls": None},
        {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}]},
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
        {
            "output": [
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
            ]
        },
        {"generations": [[{"text": "Hello", "message": {"type": "ai", "content": "Hello"}}]]},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}}]},
        [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}],
        {"text": "Hello", "finishReason": "stop"},
    ],
)
def test_each_clients_answer_is_read(output):
    assert [speech(message) for message in read_messages(output, role="assistant")] == [
        ("assistant", "Hello", [], "")
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "Hello",
        1,
        [],
        {},
        {"input": "question"},
        {"messages": []},
        [{"id": 1}, {"id": 2}],
        [{"role": "user", "content": "Hi"}, {"no": "message"}],
        {"content": {"a": 1}},
        {"role": "admin", "name": "a person"},
        [{"page_content": "a document", "metadata": {}}],
        {"output": [1, 2]},
    ],
)
def test_data_is_not_mistaken_for_a_chat(value):
    assert read_messages(value) is None


KEYS = [
    "role",
    "content",
    "type",
    "tool_calls",
    "parts",
    "message",
    "messages",
    "function",
    "kwargs",
    "id",
    "input",
    "source",
    "name",
    "text",
    "tool_use",
    "functionCall",
    "arguments",
    "image_url",
    "data",
]


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner | st.sampled_from(["user", "assistant", "tool_use", "tool_result", "image", "text", "ai"]),
                max_size=5,
            )
        ),
        max_leaves=25,
    )
)
def test_nothing_that_resembles_a_chat_breaks_the_reading(value):
    for message in read_messages(value, role="assistant") or []:
        render.part_blocks(message.parts)
        for call in message.calls:
            render.arguments_line(call.arguments)


def test_media_in_messages_become_images_or_their_size():
    (message,) = read_messages(
        [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": PNG}},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 500}},
                    {"type": "input_audio", "input_audio": {"data": "A" * 500, "format": "wav"}},
                    {"type": "image_url", "image_url": "https://example.com/a.png"},
                ],
            }
        ]
    )
    assert [block.kind for block in render.part_blocks(message.parts)] == ["image", "image", "chip", "media_link"]
