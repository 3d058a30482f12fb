"""Buttons beside each other; those that do not fit go to a row below, as no button may be out of reach in a small terminal."""

from textual.containers import Container
from textual.geometry import Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.layouts.horizontal import HorizontalLayout
from textual.widget import Widget


class ButtonRows(Container):
    """One row where there is room, else several."""

    @property
    def layout(self) -> Layout:
        return _ROWS


class _Rows(HorizontalLayout):
    """From left to right, then from the left again, a row further down."""

    name = "rows"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        placed: list[WidgetPlacement] = []
        left = top = bottom = 0
        for each in super().arrange(parent, children, size, greedy):
            region = each.region
            if placed and region.right - left > size.width:
                left, top = region.x, bottom
            region = region.translate((-left, top))
            bottom = max(bottom, region.bottom)
            placed.append(each._replace(region=region))
        return placed


_ROWS = _Rows()
