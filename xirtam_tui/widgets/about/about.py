"""A pane of short lines, some of which can be clicked. Drawn line by line: what it says never has the screen laid out anew."""

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message as UiMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip

from xirtam_tui.widgets.about.lines import Line, Target

_STYLES = ("words", "name", "muted", "heading", "key", "good", "warning", "alarm")
Say = Callable[[int, int], list[Line]]
"""Gives the lines for so many columns and rows."""


class About(ScrollView, can_focus=False):
    """Shows lines; says which one a person has clicked. The wheel scrolls it where there are more than rows."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"about--{name}" for name in _STYLES}

    class Followed(UiMessage):
        """A person has clicked a line that leads to `target`."""

        def __init__(self, target: Target) -> None:
            super().__init__()
            self.target = target

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(id=id)
        self._say: Say = lambda width, height: []
        self._lines: list[Line] = []
        self._styles: dict[str, Style] = {}

    def say(self, say: Say) -> None:
        """Shows these lines from the top; they are asked for again where there is another width."""
        self._say = say
        self.scroll_to(y=0, animate=False, force=True)
        self.say_again()

    def say_again(self) -> None:
        """Shows the lines as they are now."""
        width, height = self.scrollable_content_region.size
        lines = self._say(width, height) if width else []
        if lines != self._lines:
            self._lines = lines
            # A new size has the whole screen laid out: so none where all can be seen, then as before.
            size = Size(width, len(lines) if len(lines) > height else 0)
            if size != self.virtual_size:
                self.virtual_size = size
            self.refresh()

    @property
    def lines(self) -> list[Line]:
        """What it shows."""
        return self._lines

    def on_resize(self) -> None:
        self.say_again()

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        line = self.scroll_offset.y + at.y if at is not None else -1
        if 0 <= line < len(self._lines) and (target := self._lines[line].target) is not None:
            self.post_message(self.Followed(target))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}

    def render_line(self, y: int) -> Strip:
        width, line = self.size.width, self.scroll_offset.y + y
        if not 0 <= line < len(self._lines):
            return Strip.blank(width, self.rich_style)
        if not self._styles:
            self._styles = {name: self.get_component_rich_style(f"about--{name}", partial=True) for name in _STYLES}
        strip = Strip([Segment(words, self._styles[style]) for words, style in self._lines[line].pieces])
        return strip.adjust_cell_length(width).apply_style(self.rich_style)
