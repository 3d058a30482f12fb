"""What lies below a screen, dimmed, as a picture that is made once and not with every paint."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Size
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen
from textual.strip import Strip
from textual.visual import Visual, visualize

from xirtam_tui.running import running_app

_STYLES = 4096
"""That are kept as they look dimmed."""


class Below:
    """The lines of the screen below `screen`, in its size."""

    def __init__(self, screen: Screen[Any], size: Size) -> None:
        app = running_app(screen)
        self._made_for = size, app.theme, screen.styles.background
        self._blank = Strip.blank(size.width, screen.visual_style.rich_style)
        stack, colour = app.screen_stack, screen.styles.background
        at = stack.index(screen) if screen in stack else 0  # it may be on its way out
        self._strips: list[Strip] = []
        if at > 0 and colour.a < 1:
            visual = visualize(screen, _Dimmed(stack[at - 1], colour))
            self._strips = Visual.to_strips(screen, visual, size.width, size.height, screen.visual_style, pad=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Below) and self._made_for == other._made_for and self._strips == other._strips

    __hash__ = None  # pyright: ignore[reportAssignmentType] - the way to say so

    def is_of(self, screen: Screen[Any], size: Size) -> bool:
        """Whether it still has the size and the colours of `screen`, which are not told yet when that is opened for the first time."""
        return self._made_for == (size, running_app(screen).theme, screen.styles.background)

    def line(self, y: int) -> Strip:
        """One of them."""
        return self._strips[y] if y < len(self._strips) else self._blank


class _Dimmed(BackgroundScreen):
    """Dims as `BackgroundScreen` does, but works each style out once."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterable[Segment]:
        for text, style, control in segments:
            yield Segment(text, style if control else _dimmed(style, color), control)


@lru_cache(_STYLES)
def _dimmed(style: Style | None, color: Color) -> Style | None:
    (segment,) = BackgroundScreen.process_segments([Segment(" ", style)], color)
    return segment.style
