"""Sets of keys that a person can choose as a whole, in the place of the default ones.

What a preset names has these keys and no others; every other action keeps its own, less those that work everywhere in the preset.
Letters are for where nobody writes: on the messages and in the list.
"""

from typing import NamedTuple


class Preset(NamedTuple):
    """Keys by action. `is_modal` when Esc goes from writing to the messages, before it goes to the list."""

    help: str
    keys: dict[str, tuple[str, ...]]
    is_modal: bool = False


VIM = Preset(
    "as in vim: Esc leaves writing for the messages, and letters are commands there and in the list",
    {
        "app.help": ("f1", "?"),
        "app.command_palette": ("ctrl+p", ":"),
        "chat.write": ("i", "l", "alt+w"),
        "chat.back": ("escape", "h"),
        "chat.search_chat": ("/", "alt+r"),
        "chat.jump": ("ctrl+k", "b"),
        "chat.next_unread": ("f2", "n"),
        "chat.next_chat": ("ctrl+down", "alt+down", "J", "j"),
        "chat.previous_chat": ("ctrl+up", "alt+up", "K", "k"),
        "chat.find": ("F",),
        "chat.older": ("pageup", "ctrl+b"),
        "chat.newer": ("pagedown", "ctrl+f"),
        "chat.oldest": ("ctrl+home", "g"),
        "chat.latest": ("ctrl+end", "G"),
        "message.older": ("k", "up"),
        "message.newer": ("j", "down"),
    },
    is_modal=True,
)

PRESETS = {"vim": VIM}
