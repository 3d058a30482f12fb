"""The names of keys as people write them in a file, and as the terminal library knows them: `Ctrl+PgUp` is `ctrl+pageup`."""

import unicodedata

from textual.keys import KEY_NAME_REPLACEMENTS

_MODIFIERS = {"alt", "ctrl", "hyper", "meta", "shift", "super"}
_NAMED = {
    "backspace", "delete", "down", "end", "enter", "escape", "home", "insert", "left", "pagedown", "pageup", "right", "space", "tab",
    "up", *(f"f{number}" for number in range(1, 25)),
}  # fmt: skip
_ALIASES = {
    "control": "ctrl", "option": "alt", "esc": "escape", "return": "enter", "del": "delete", "ins": "insert", "pgup": "pageup",
    "pgdn": "pagedown", "page_up": "pageup", "page_down": "pagedown", "↑": "up", "↓": "down", "←": "left", "→": "right",
}  # fmt: skip


def key_named(typed: str) -> str | None:
    """The key that somebody has written down, None where there is none of that name. A single letter keeps its case: `R` is no `r`."""
    if typed == "+":
        return typed
    *before, name = typed.split("+")
    modifiers = {_known(each) for each in before}
    if not modifiers <= _MODIFIERS or len(modifiers) != len(before):
        return None
    if modifiers == {"shift"} and len(name) == 1 and name.isalpha():
        return name.upper()
    key = _letter(name, is_alone=not modifiers) if len(name) == 1 and name not in _ALIASES else _named(_known(name))
    return None if key is None else "+".join([*sorted(modifiers), key])


def _known(name: str) -> str:
    return _ALIASES.get(name.lower(), name.lower())


def _letter(letter: str, *, is_alone: bool) -> str | None:
    """A key that writes something. With Ctrl or Alt its case does not matter, and a sign goes by its name."""
    if not letter.isprintable():
        return None
    if is_alone:
        return letter
    if letter.isalnum():
        return letter.lower()
    name = unicodedata.name(letter, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name) or None


def _named(name: str) -> str | None:
    """A key that has a name: one that writes nothing, or a sign such as `slash`."""
    if name in _NAMED or name in KEY_NAME_REPLACEMENTS.values():
        return name
    try:
        unicodedata.lookup(name.replace("_", " "))
    except KeyError:
        return None
    return name
