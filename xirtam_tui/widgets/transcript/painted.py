"""Lines of the transcript as they were last painted, found by their marks.

A line looks the same wherever it stands in the view, so what scrolls, or is painted again for what has changed below it, is not made
anew: of a view into which messages come, that is all but the new ones.
"""

from collections.abc import Callable
from typing import NamedTuple

from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from xirtam_tui.widgets.transcript.rows import Row

_MOST = 1024
"""Lines that are kept: several times what the tallest screen shows."""


class Look(NamedTuple):
    """What the looks of every line depend on: a line that was painted with another one is painted again."""

    width: int
    base: Style
    background: Color
    filters: tuple[LineFilter, ...]


class Painted:
    """Strips that are ready for the screen."""

    def __init__(self) -> None:
        self._look: Look | None = None
        self._lines: dict[int, tuple[Row, bool, Strip]] = {}

    def look(self, look: Look) -> None:
        """Says how lines are to look from here on."""
        if look != self._look:
            self._look = look
            self.forget()

    def forget(self) -> None:
        """Paints every line again."""
        self._lines.clear()

    def line(self, mark: int, row: Row, is_chosen: bool, paint: Callable[[], Strip]) -> Strip:
        """The strip of the line `mark`, on which `row` stands; painted unless it was before, from the same row."""
        known = self._lines.get(mark)
        if known is not None and known[0] is row and known[1] == is_chosen:
            return known[2]
        if len(self._lines) >= _MOST:
            self._lines.clear()
        strip = paint()
        self._lines[mark] = row, is_chosen, strip
        return strip
