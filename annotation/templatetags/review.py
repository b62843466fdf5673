"""Template access to the keymap of the review page."""

from django import template
from django.utils.html import format_html, format_html_join

from annotation.keymap import BY_COMMAND, GROUPS, KEYMAP
from evalapp.traces.render import markdown

register = template.Library()
register.filter("markdown", markdown)


@register.simple_tag
def hotkey(command):
    """`<button {% hotkey "defer" %}>`: the key that presses it, and the tooltip that says so."""
    key = BY_COMMAND[command]
    return format_html(
        'data-hotkey="{}" aria-keyshortcuts="{}" title="{} ({})"', key.key, key.aria, key.label, "+".join(key.caps)
    )


@register.simple_tag
def key_of(command):
    """The bare key, for behaviours that listen themselves."""
    return BY_COMMAND[command].key


@register.simple_tag
def caps(command):
    """`<kbd>` for each cap of a command's key."""
    return format_html_join(" ", '<kbd aria-hidden="true">{}</kbd>', ((cap,) for cap in BY_COMMAND[command].caps))


@register.inclusion_tag("annotation/_shortcuts.html")
def shortcuts():
    """The list of shortcuts, in groups."""
    return {"groups": [(group, [key for key in KEYMAP if key.group == group]) for group in GROUPS]}
