"""The transcript's styles, resolved once a theme: names of component classes in, Rich styles out."""

import zlib
from collections.abc import Callable
from typing import NamedTuple

from rich.style import Style

NAMES = 6
COMPONENTS = (
    "body", "day", "failed", "lead", "link", "mention", "muted", "note", "unread", "warning", "you",
    *(f"name-{number}" for number in range(1, NAMES + 1)),
)  # fmt: skip
"""What the style sheet may colour: `transcript--body` and so on."""


class Palette(NamedTuple):
    """The styles that rows are drawn in. None has a background, so that a row can be shown chosen without drawing it again."""

    body: Style
    day: Style
    failed: Style
    lead: Style
    link: Style
    mention: Style
    muted: Style
    note: Style
    unread: Style
    warning: Style
    you: Style
    names: tuple[Style, ...]

    @classmethod
    def resolve(cls, style_of: Callable[[str], Style]) -> "Palette":
        """The palette that a style sheet gives, asked by component class."""
        styles = {name: style_of(f"transcript--{name}") for name in COMPONENTS}
        names = tuple(styles.pop(f"name-{number}") for number in range(1, NAMES + 1))
        return cls(**styles, names=names)

    def name(self, name: str) -> Style:
        """The stable colour of a person's name."""
        return self.names[zlib.crc32(name.encode()) % NAMES]
