"""Small pieces of the interface: icons, times, numbers, form fields. They know no model."""

from datetime import timedelta
from functools import cache

from django import template
from django.forms import CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.templatetags.static import static
from django.utils.dateparse import parse_datetime
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import mark_safe
from django.utils.timezone import now

register = template.Library()

DASH = "\u2013"
OBSERVATION_TYPES = frozenset(
    ["SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"]
)
PREFERENCES = {"theme": {"light", "dark"}, "hotkeys": {"off"}}
TONES = ("blue", "violet", "green", "amber", "teal", "pink", "orange", "red")


@cache
def _icon_markup(name, size):
    modifier = f" icon--{size}" if size else ""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        modifier,
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def icon(name, size=""):
    """`{% icon "trace" %}`: decoration only, the words beside it (or an aria-label) carry the meaning."""
    return _icon_markup(name, size)


@register.simple_tag
def observation_type(kind, label=False):
    """`{% observation_type "TOOL" %}`: the coloured square of a type; its name is read out, or shown."""
    kind = kind if kind in OBSERVATION_TYPES else "SPAN"
    return format_html(
        '<span class="otype otype--{0}" title="{1}">{2}<span{3}>{1}</span></span>',
        kind.lower(),
        kind.capitalize(),
        _icon_markup(kind.lower(), ""),
        "" if label else mark_safe(' class="visually-hidden"'),
    )


@register.simple_tag
def avatar(user):
    """A person's initials in a colour that stays theirs. Decoration: write the name beside it."""
    if user is None:
        return ""
    tone = TONES[user.pk % len(TONES)]
    return format_html('<span class="avatar tone-{}" aria-hidden="true">{}</span>', tone, user.initials)


@register.simple_tag(takes_context=True)
def html_preferences(context):
    """The attributes of `<html>` that come from preference cookies; a value that isn't known is left out."""
    cookies = getattr(context.get("request"), "COOKIES", {})
    chosen = {name: cookies.get(name) for name in PREFERENCES if cookies.get(name) in PREFERENCES[name]}
    return mark_safe("".join(f' data-{name}="{value}"' for name, value in chosen.items()))


@register.simple_tag(takes_context=True)
def preference_pressed(context, name, value):
    """`aria-pressed` of a preference button; the value "" is the one that no cookie stands for."""
    cookie = getattr(context.get("request"), "COOKIES", {}).get(name, "")
    current = cookie if cookie in PREFERENCES[name] else ""
    return mark_safe(f'aria-pressed="{"true" if current == value else "false"}"')


@register.simple_tag(takes_context=True)
def current_if(context, url, exact=False):
    """`aria-current` for a link to this page, or to a page above it."""
    path = getattr(context.get("request"), "path", "")
    is_current = path == url or (not exact and path.startswith(f"{url}/"))
    return mark_safe('aria-current="page"') if is_current else ""


def _ago(moment):
    seconds = (now() - moment).total_seconds()
    for limit, size, unit in ((3600, 60, "m"), (86400, 3600, "h"), (7 * 86400, 86400, "d")):
        if 60 <= abs(seconds) < limit:
            amount = f"{int(abs(seconds) // size)}{unit}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    if abs(seconds) < 60:
        return "just now"
    return f"{moment.day} {moment:%b}" if moment.year == now().year else f"{moment.day} {moment:%b %Y}"


@register.simple_tag
def time_ago(moment):
    """`<time>`: relative in words, absolute on hover. local_time.js keeps it fresh, in the viewer's zone."""
    if isinstance(moment, str):
        moment = parse_datetime(moment)
    if moment is None:
        return DASH
    return format_html(
        '<time datetime="{}" title="{} UTC" data-ago>{}</time>',
        moment.isoformat(timespec="milliseconds"),
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        _ago(moment),
    )


@register.simple_tag
def time_exact(moment, clock=False):
    """`<time>` with the moment itself; `clock=True` shows only hours and minutes ("saved 12:03")."""
    if moment is None:
        return DASH
    return format_html(
        '<time datetime="{}" data-local="{}">{}</time>',
        moment.isoformat(timespec="milliseconds"),
        "clock" if clock else "full",
        moment.strftime("%H:%M" if clock else "%Y-%m-%d %H:%M:%S"),
    )


@register.filter
def duration(value):
    """Milliseconds (or a timedelta) in the unit that reads best: 0.4 ms, 850 ms, 1.24 s, 2m 5s, 1h 3m."""
    if value is None or value == "":
        return DASH
    ms = value / timedelta(milliseconds=1) if isinstance(value, timedelta) else float(value)
    if ms < 999.5:
        return f"{ms:.1f} ms" if 0 < ms < 9.95 else f"{ms:.0f} ms"
    seconds = ms / 1000
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes}m" if minutes else f"{hours}h"


@register.filter
def number(value, digits=3):
    """1,234,567 or 0.123; an en dash for nothing."""
    if value is None or value == "":
        return DASH
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{float(value):,.{int(digits)}f}".rstrip("0").rstrip(".")


@register.filter
def compact(value):
    """12.3k, 4.6M: for narrow cells, where the exact number is one click away."""
    if value is None or value == "":
        return DASH
    value = float(value)
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.1f}".removesuffix(".0") + unit
    return number(value)


@register.filter
def cost(value):
    """US dollars: $1.23, $0.0042, <$0.0001."""
    if value is None or value == "":
        return DASH
    value = float(value)
    if value == 0:
        return "$0"
    if 0 < value < 0.0001:
        return "<$0.0001"
    return f"${value:,.2f}" if value >= 0.995 else f"${value:.4f}"


@register.filter
def truncate_middle(text, length=16):
    """Keep both ends: ids of one batch often differ only in their last characters."""
    text, length = str(text), int(length)
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[-tail:] if tail else ''}"


@register.filter
def one_line(text):
    """Text on one line, for a cell that shows its beginning."""
    return " ".join(str(text).split())


@register.inclusion_tag("_ui/_field.html")
def field(bound_field, label=None, help_text=None, optional=False):
    """`{% field form.name %}`: label, control, help and errors, tied together for screen readers."""
    widget = bound_field.field.widget
    return {
        "field": bound_field,
        "label": bound_field.label if label is None else label,
        "help_text": bound_field.help_text if help_text is None else help_text,
        "optional": optional and not bound_field.field.required,
        "is_check": isinstance(widget, CheckboxInput),
        "is_group": isinstance(widget, RadioSelect | CheckboxSelectMultiple),
    }


@register.filter
def initials(name):
    """One or two letters for an avatar whose person is only a name."""
    words = conditional_escape(name).replace(".", " ").split()
    return "".join(word[0] for word in words[:2]).upper()
