"""The keys of the review page: the one table behind its hotkeys, its tooltips and its list of shortcuts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """A command and what presses it: `key` as in KeyboardEvent.key, with mod+ for Ctrl or Cmd."""

    command: str
    key: str
    label: str
    group: str = "Item"

    @property
    def caps(self):
        """The key as it is printed, one string for each cap."""
        return [_CAPS.get(part, part) for part in self.key.split("+")]

    @property
    def aria(self):
        """The key as aria-keyshortcuts has it."""
        return self.key.replace("mod+", "Control+")


_CAPS = {
    "mod": "Ctrl",
    "Enter": "↵",
    "ArrowRight": "→",
    "ArrowLeft": "←",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "1-9": "1 … 9",
    "Escape": "Esc",
}

KEYMAP = [
    Key("complete", "mod+Enter", "Complete and next, also while typing"),
    Key("next", "ArrowRight", "Next; skips an item that isn't completed"),
    Key("previous", "ArrowLeft", "Previous item of yours"),
    Key("defer", "d", "Defer: come back later"),
    Key("undo", "u", "Undo the last complete, skip or defer"),
    Key("go", "g", "Go to item number"),
    Key("note", "n", "Write the note", "Answers"),
    Key("next_field", "ArrowDown", "Next field", "Answers"),
    Key("previous_field", "ArrowUp", "Previous field", "Answers"),
    Key("option", "1-9", "Choose an option of the field", "Answers"),
    Key("clear", "0", "Clear the field", "Answers"),
    Key("edit", "Enter", "Type into the field", "Answers"),
    Key("leave", "Escape", "Leave the field", "Answers"),
    Key("mark", "x", "Mark the step as the first failure", "Trace"),
    Key("next_step", "]", "Next step", "Trace"),
    Key("previous_step", "[", "Previous step", "Trace"),
    Key("fold", "c", "Fold or unfold the step, or everything", "Trace"),
    Key("conversation", "m", "Show it as a conversation", "Trace"),
    Key("tree", "t", "Show its steps as a tree", "Trace"),
    Key("raw", "r", "Show it as recorded", "Trace"),
    Key("instructions", "i", "Show or hide the instructions", "Trace"),
]
BY_COMMAND = {key.command: key for key in KEYMAP}
GROUPS = list(dict.fromkeys(key.group for key in KEYMAP))
