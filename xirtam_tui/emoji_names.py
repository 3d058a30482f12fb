"""Emoji as `:names:`, for terminals that draw them at a wrong width or not at all. Only what is drawn changes, never a text itself."""

import re
import unicodedata

from textual.content import Content, Span

_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u231a\u231b\u23e9-\u23fa][\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]*"
)
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_SIGN = re.compile("[\ufe0e\ufe0f\u20e3]+")  # makes a picture of a digit or a letter
_DRAWN = re.compile(f"{_FLAG.pattern}|{_EMOJI.pattern}|{_SIGN.pattern}")
_DRAWN_HERE = frozenset("✓✗⚠✎")  # the app's own marks, one cell wide everywhere
_MODIFIERS = re.compile("[\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]")
_is_on = False


def show_names(is_on: bool) -> None:
    """Has `shown` give names from now on, or not. What has been drawn must be drawn again."""
    global _is_on  # a terminal is one, and every line that is drawn asks
    _is_on = is_on


def shown(text: str) -> str:
    """`text` as it is to be drawn."""
    return named(text) if _is_on and not text.isascii() else text


def are_names_shown() -> bool:
    """Whether `shown` gives names."""
    return _is_on


def shown_in(content: Content) -> Content:
    """`content` as it is to be drawn, in its styles."""
    if not _is_on or content.plain.isascii():
        return content
    parts: list[Content] = []
    at = 0
    for found in _DRAWN.finditer(content.plain):
        name = named(found[0])
        styles = [Span(0, len(name), span.style) for span in content[found.start() : found.end()].spans]
        parts += [content[at : found.start()], Content(name, styles)]
        at = found.end()
    return Content("").join([*parts, content[at:]])


def named(text: str) -> str:
    """`text` with names in the place of emoji; those that join into one picture stand side by side."""
    return _SIGN.sub("", _EMOJI.sub(_name, _FLAG.sub(_flag, text)))


def _flag(match: re.Match[str]) -> str:
    """The two letters that a flag is written in."""
    letters = (chr(ord(letter) - ord("\U0001f1e6") + ord("a")) for letter in match[0])
    return f":flag_{''.join(letters)}:"


def _name(match: re.Match[str]) -> str:
    character = match[0][0]
    if character in _DRAWN_HERE:
        return match[0]
    name = unicodedata.name(_MODIFIERS.sub("", match[0]) or character, "")
    return ":" + (name.lower().replace(" ", "_").replace("-", "_") or f"u{ord(character):x}") + ":"
