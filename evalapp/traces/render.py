"""Values of unknown shape as blocks that a template can show (pure).

The only HTML made here comes out of nh3; everything else is text that the template escapes.
"""

import html
import re
from dataclasses import dataclass, field

import nh3
import orjson
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt

from evalapp.traces.chat import Media, Thinking, parse

TEXT_LIMIT = 20_000  # characters of one text on a page; the rest is a download
FOLD_LINES = 40
FOLD_CHARACTERS = 4_000
JSON_NODES = 400
JSON_DEPTH = 24
JSON_STRING = 400
INLINE_IMAGE_BYTES = 300_000

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Overrides and isolates can make text read as something that it isn't; plain marks (LRM, RLM) can't.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,([A-Za-z0-9+/=_-]{120,})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{400,}={0,2}")
_MARKDOWN = re.compile(
    r"^\s{0,3}(#{1,6} |[-*+] |\d{1,3}[.)] |> |```|~~~|\|.*\|\s*$)"
    r"|\*\*[^\s*]|__[^\s_]|`[^`\n]+`|\[[^\]\n]+\]\([^)\n]+\)",
    re.MULTILINE,
)
# What an SDK leaves in place of a file that it has uploaded.
_REFERENCE = re.compile(r"@@@langfuseMedia:type=([\w.+-]+/[\w.+-]+)\|id=([\w-]{22})\|source=\w+@@@")
_DRAWN = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}
_MOST_MEDIA = 12
_IMAGE_URI = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+", re.ASCII)

_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
_TREE_TAGS = {"details", "summary", "span", "div", "button"}
_TREE_ATTRIBUTES = {
    "details": {"open"},
    "span": {"class"},
    "div": {"class"},
    "button": {"class", "type", "tabindex", "data-copy-text"},
}


@dataclass(frozen=True)
class Block:
    """One thing to show: `kind` names the piece of template (traces/_block.html)."""

    kind: str
    text: str = ""
    html: str = ""
    rest: "Block | None" = None
    rest_label: str = ""
    label: str = ""
    src: str = ""
    size: int = 0
    cut: bool = False
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)


def blocks(value):
    """Return the blocks for any value: parsed JSON, JSON text, prose, media or a list of these parts."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return _text_blocks(value)
    if isinstance(value, Media):
        return [_media_block(value)]
    if isinstance(value, Thinking):
        return [Block("thinking", text=_cut(clean(value.text))[0], label="Thinking")]
    if isinstance(value, list | dict):
        return [_table(value) or json_block(value), *_uploads(compact(value, 1_000_000))]
    return [Block("text", text=clean(_scalar(value)))]


def part_blocks(parts):
    """Return the blocks of a message's parts, one after another."""
    return [block for part in parts for block in blocks(part)]


def clean(text):
    """Make text harmless to read: no colour codes, control characters as symbols, hidden direction visible."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    text = _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] != "\x7f" else "␡", text)
    return _BIDI.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text)


def preview(value, limit=120):
    """Return one line that tells what the value is about."""
    if isinstance(value, dict | list):
        value = compact(value, limit * 2)
    text = _REFERENCE.sub(r"[\1]", str(value)[: limit * 200]) if value is not None else ""
    text = _DATA_URI.sub(_uri_label, text)
    text = " ".join(clean(text[: limit * 4]).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def compact(value, limit=10_000):
    """Return JSON on one line, at most about `limit` characters."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()[:limit]
    except (TypeError, ValueError, RecursionError, UnicodeEncodeError):
        return str(value)[:limit]


def pretty(value):
    """Return indented JSON."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError, UnicodeEncodeError):
        return str(value)


def arguments_line(arguments, limit=140):
    """Return a call's arguments as a person would write them: `city="Oslo", days=3`."""
    if arguments in (None, "", {}):
        return ""
    if not isinstance(arguments, dict):
        return preview(arguments, limit)
    shown = ", ".join(f"{key}={compact(value, 80)}" for key, value in list(arguments.items())[:8])
    return preview(shown, limit)


# Text


def _text_blocks(text):
    stripped = text.strip()
    if not stripped:
        return [Block("text", text="(only white space)")]
    if stripped[0] in '{["':
        value = parse(stripped)
        if isinstance(value, dict | list):
            return blocks(value)
        if isinstance(value, str) and value is not stripped and value != stripped:
            return _text_blocks(value)
        if stripped[0] in "{[" and _is_broken_json(stripped):
            return [_folded("code", clean(text), label="Not valid JSON, shown as it is")]
    whole = _DATA_URI.fullmatch(stripped)
    if whole:
        return [_media_block(Media((whole[1] or "file").split("/")[0], stripped))]
    if _is_base64(stripped):
        return [Block("chip", label="base64", size=len(stripped) * 3 // 4)]
    if _REFERENCE.fullmatch(stripped):
        return _uploads(stripped)
    uploads = _uploads(text)
    text = _REFERENCE.sub(r"[\1]", _DATA_URI.sub(_uri_label, text))
    shown, was_cut = _cut(clean(text))
    kind = "markdown" if _MARKDOWN.search(shown) else "text"
    return [_folded(kind, shown, cut=was_cut, size=len(text)), *uploads]


def _is_base64(text):
    """A long unbroken run in which upper case, lower case and digits alternate."""
    if len(text) < 400:
        return False
    head = text[:400]
    mixed = all(any(test(letter) for letter in head) for test in (str.isupper, str.islower, str.isdigit))
    return mixed and bool(_BASE64.fullmatch(text))


def _is_broken_json(text):
    """Cut-off or slightly wrong JSON; its asterisks and underscores are not markdown."""
    head = text[:400]
    return bool(re.match(r'\{\s*["\']|\[\s*([{\["\'\d-]|true|false|null)', head)) and not re.match(
        r"\[[^\]\n]+\]\(", head
    )


def _cut(text):
    return (text[:TEXT_LIMIT], True) if len(text) > TEXT_LIMIT else (text, False)


def _folded(kind, text, *, cut=False, label="", size=0):
    """A block whose tail, when it is long, waits behind "show more"."""
    size = size or len(text)
    if not cut:
        text, cut = _cut(text)
    at = _fold_point(text)
    if at is None:
        return _rendered(kind, text, cut=cut, label=label, size=size)
    tail = text[at:].strip("\n")
    lines = tail.count("\n") + 1
    rest_label = f"Show {lines:,} more lines" if lines > 3 else f"Show {len(tail):,} more characters"
    rest = _rendered(kind, tail, cut=cut, size=size)
    return _rendered(kind, text[:at].rstrip("\n"), label=label, rest=rest, rest_label=rest_label)


def _fold_point(text):
    """Where to fold: at a line's end, outside of a fenced block; None for what is short enough."""
    position, fence = 0, False
    lines = text.split("\n")
    if len(lines) <= FOLD_LINES * 1.25 and len(text) <= FOLD_CHARACTERS * 1.25:
        return None
    for count, line in enumerate(lines):
        if (count >= FOLD_LINES or position >= FOLD_CHARACTERS) and not fence and count:
            return position
        if line.lstrip().startswith(("```", "~~~")):
            fence = not fence
        if len(line) > FOLD_CHARACTERS and not fence:
            return position + FOLD_CHARACTERS
        position += len(line) + 1
    return None


def _rendered(kind, text, **fields):
    if kind == "markdown":
        return Block("markdown", html=markdown(text), **fields)
    return Block(kind, text=text, **fields)


def _uri_label(found):
    return f"[{found[1] or 'data'}, {human_size(len(found[2]) * 3 // 4)}]"


def human_size(size):
    """Return bytes as people say them."""
    for unit in ("B", "KB", "MB"):
        if size < 1000 or unit == "MB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return ""


# Markdown


def _show_image_as_link(self, tokens, index, options, env):
    token = tokens[index]
    source = html.escape(str(token.attrs.get("src", "")))
    return f'<a href="{source}">image: {html.escape(token.content or source)}</a>'


def _lower_headings(state):
    """A page has one heading of the first level, and that is not in a message."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"


_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_markdown.add_render_rule("image", _show_image_as_link)
_markdown.core.ruler.push("lower_headings", _lower_headings)


def markdown(text):
    """Return safe HTML. Images become links: a page that is read must not tell another host so."""
    return mark_safe(
        nh3.clean(
            _markdown.render(text),
            tags=_TAGS,
            attributes={"a": {"href", "title"}, "ol": {"start"}},
            set_tag_attribute_values={"a": {"target": "_blank"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer nofollow",
        )
    )


# Media


def _uploads(text):
    """Return a block for each uploaded file that the text refers to, once each."""
    found = dict.fromkeys(match.groups() for match in _REFERENCE.finditer(text))
    return [_upload(mime, media_id) for mime, media_id in list(found)[:_MOST_MEDIA]]


def _upload(mime, media_id):
    family = mime.split("/")[0]
    drawn = "image" if mime in _DRAWN else family if family in ("audio", "video") else "file"
    return Block("upload", label=mime, src=media_id, text=drawn)


def _media_block(media):
    if reference := _REFERENCE.fullmatch(media.url):
        return _upload(*reference.groups())
    mime = media.url[5:].split(";")[0] if media.url.startswith("data:") else media.kind
    if not media.url.startswith("data:"):
        return Block("media_link", label=media.kind, text=clean(media.url[:2000]))
    size = (len(media.url) - media.url.find(",") - 1) * 3 // 4
    if size <= INLINE_IMAGE_BYTES and _IMAGE_URI.fullmatch(media.url):
        return Block("image", src=media.url, label=mime, size=size)
    return Block("chip", label=clean(mime[:100]) or "data", size=size)


# JSON


def _table(value):
    """A list of flat, alike objects reads best as a table."""
    if not isinstance(value, list) or not 2 <= len(value) <= 50 or not isinstance(value[0], dict):
        return None
    columns = list(value[0])
    if not 2 <= len(columns) <= 8:
        return None
    rows = []
    for item in value:
        if not isinstance(item, dict) or list(item) != columns:
            return None
        if any(
            isinstance(cell, dict | list) or (isinstance(cell, str) and len(cell) > 80) for cell in item.values()
        ):
            return None
        rows.append([clean(_scalar(cell)) for cell in item.values()])
    return Block("table", columns=[clean(str(column)) for column in columns], rows=rows)


def json_block(value, *, open_depth=1, nodes=JSON_NODES):
    """Return a collapsible tree with a button at each key that copies its path."""
    tree = _Tree(open_depth, nodes)
    tree.add(value, "$", None, 0)
    return Block(
        "json",
        html=mark_safe(nh3.clean("".join(tree.out), tags=_TREE_TAGS, attributes=_TREE_ATTRIBUTES)),
        cut=tree.left < 0,
    )


class _Tree:
    """Writes the tree's HTML; stops after so many values, or at JSON_DEPTH levels."""

    def __init__(self, open_depth, nodes):
        self.out, self.left, self.open_depth = [], nodes, open_depth

    def add(self, value, path, key, depth):
        self.left -= 1
        if isinstance(value, str) and value[:1] in "{[" and len(value) > 1:
            value = parse(value)
        if isinstance(value, dict | list) and value:
            if depth < JSON_DEPTH:
                return self._branch(value, path, key, depth)
            value = compact(value, JSON_STRING)
        self.out.append(f"<div>{_key(key, path)}{_leaf(value)}</div>")
        return None

    def _branch(self, value, path, key, depth):
        is_list = isinstance(value, list)
        pairs = list(enumerate(value)) if is_list else list(value.items())
        few = depth == self.open_depth and is_list and len(pairs) <= 8 and isinstance(value[0], dict)
        opened = " open" if (depth < self.open_depth and len(pairs) <= 60) or few else ""
        brackets = "[]" if is_list else "{}"
        self.out.append(
            f"<details{opened}><summary>{_label(key)}"
            f'<span class="json__summary">{brackets[0]}{_hint(value)}{brackets[1]}</span></summary>{_copy(path)}'
        )
        for index, (inner_key, inner) in enumerate(pairs):
            if self.left <= 0:
                self.out.append(f'<div class="json__summary">… {len(pairs) - index:,} more not shown here</div>')
                self.left = -1
                break
            inner_path = f"{path}[{inner_key}]" if is_list else _extend(path, str(inner_key))
            self.add(inner, inner_path, inner_key, depth + 1)
        self.out.append("</details>")


def _key(key, path):
    if key is None:
        return ""
    name, copied = _escape(str(key)[:200]), _escape(path[:1000])
    return f'<button class="json__key" type="button" tabindex="-1" data-copy-text="{copied}">{name}</button> '


def _label(key):
    return "" if key is None else f'<span class="json__key">{_escape(str(key)[:200])}</span> '


def _copy(path):
    """The path of a branch; a button may not be inside of a summary, which is one itself."""
    attributes = f'class="json__copy" type="button" tabindex="-1" data-copy-text="{_escape(path[:1000])}"'
    return f"<button {attributes}>copy path</button>"


def _hint(value):
    """What a closed branch holds: its first keys or plain values."""
    shown, width = [], 0
    for item in value.items() if isinstance(value, dict) else value:
        key, inner = item if isinstance(value, dict) else (None, item)
        text = "…" if isinstance(inner, dict | list) and inner else _REFERENCE.sub(r"[\1]", _scalar(inner))[:40]
        text = f"{str(key)[:40]}: {text}" if key is not None else text
        width += len(text)
        if width > 90:
            shown.append("…")
            break
        shown.append(text)
    if isinstance(value, list) and set(shown) == {"…"}:
        return f" {len(value):,} item{'' if len(value) == 1 else 's'} "
    return f" {_escape(', '.join(shown))} "


def _escape(text):
    return html.escape(clean(text))


def _extend(path, key):
    return f"{path}.{key}" if key.isidentifier() and key.isascii() else f"{path}[{compact(key, 300)}]"


def _leaf(value):
    if isinstance(value, str):
        if reference := _REFERENCE.fullmatch(value):
            return f'<span class="json__summary">{reference[1]}, shown below</span>'
        if _is_base64(value) or (value.startswith("data:") and _DATA_URI.fullmatch(value)):
            return f'<span class="json__summary">base64, {human_size(len(value) * 3 // 4)}</span>'
        if len(value) > JSON_STRING:
            more = f' <span class="json__summary">… {len(value):,} characters</span>'
            return f'<span class="json__string">{_escape(value[:JSON_STRING])}</span>{more}'
        return f'<span class="json__string">{_escape(value)}</span>'
    kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else "literal"
    return f'<span class="json__{kind}">{_escape(_scalar(value))}</span>'


def _scalar(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if not isinstance(value, dict | list) else compact(value, JSON_STRING)
