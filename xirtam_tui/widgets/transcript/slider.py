"""The scrollbar of the transcript, painted from strips that are made once.

Textual makes the scrollbar anew for every picture, as many strips as there are rows: a third of what a page costs, and more garbage
for the collector than all the rest of it. There are only a few kinds of them, so they are kept.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Offset, Region
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip

_MOST = 256
"""Kinds that are kept: the rows above, on and below the slider, and its ends in eighths of a row, each in a few colours."""


class _Look(NamedTuple):
    """What the looks of every row depend on beside its kind."""

    base: Style
    background: Color
    filters: tuple[LineFilter, ...]


class Slider:
    """Paints `bar`, from the moment that this is made.

    Its length stands for the whole chat, of which only a part is in the view's lines: so many rows are `above` and `below` that part.
    """

    def __init__(self, bar: ScrollBar) -> None:
        self._bar = bar
        self.above = self.below = 0
        self._grabbed_at, self._grabbed_share = Offset(), 0.0
        self._strips: dict[tuple[Segment, _Look], Strip] = {}
        bar.render_lines = self.render_lines

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of a part of the scrollbar."""
        look = _Look(self._bar.rich_style, self._bar.background_colors[1], tuple(self._bar.get_line_filters()))
        strips = [self._strip(row, look) for row in self._rows()[crop.y : crop.bottom]]
        is_whole = crop.column_span == (0, self._bar.size.width)
        return strips if is_whole else [strip.crop(*crop.column_span) for strip in strips]

    @property
    def rows(self) -> int:
        """Of the whole chat."""
        return self.above + self._bar.window_virtual_size + self.below

    def outside(self, above: int, below: int) -> None:
        """Says how many rows there are outside the view's lines."""
        if (above, below) != (self.above, self.below):
            self.above, self.below = above, below
            self._bar.refresh()

    @property
    def is_grabbed(self) -> bool:
        """Whether somebody holds it."""
        return self._bar.grabbed is not None

    def share(self, row: int) -> float:
        """To which share of the chat it is dragged when the mouse is on a row of the screen."""
        bar = self._bar
        grabbed = bar.grabbed if bar.grabbed is not None else self._grabbed_at
        if grabbed is not self._grabbed_at:
            self._grabbed_at, self._grabbed_share = grabbed, (self.above + bar.grabbed_position) / self.rows
        if row == grabbed.y:
            return self._grabbed_share
        if row <= bar.region.y:  # else it would not come to the ends where it was taken a little off a row's
            return 0.0
        return 1.0 if row >= bar.region.bottom - 1 else self._grabbed_share + (row - grabbed.y) / bar.window_size

    def _rows(self) -> Sequence[Segment]:
        drawn = self._bar.render()
        assert isinstance(drawn, ScrollBarRender) and isinstance(drawn.style, Style), "what a scrollbar is drawn by"
        back, slider = drawn.style.bgcolor, drawn.style.color
        assert back is not None and slider is not None, "the colours of a scrollbar"
        bar = drawn.render_bar(
            size=self._bar.size.height, virtual_size=self.rows, window_size=drawn.window_size,
            position=self.above + drawn.position, thickness=self._bar.size.width, vertical=True,
            back_color=back, bar_color=slider,
        )  # fmt: skip
        return list(bar.segments)

    def _strip(self, row: Segment, look: _Look) -> Strip:
        known = self._strips.get((row, look))
        if known is not None:
            return known
        if len(self._strips) >= _MOST:
            self._strips.clear()
        strip = Strip(Segment.apply_style([row], look.base), self._bar.size.width)
        for line_filter in look.filters:
            strip = strip.apply_filter(line_filter, look.background)
        self._strips[row, look] = strip
        return strip
