"""A layout in a scrolled view: drawing its lines, selecting in them, and keeping a line where it is while others come and go.

A line is counted in the layout here; the view's own lines are `_pad` more, where the layout is shorter than the view.
"""

from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from xirtam_tui.widgets.transcript.cursor import Cursor
from xirtam_tui.widgets.transcript.drawing import Drawing
from xirtam_tui.widgets.transcript.layout import Anchor, Layout
from xirtam_tui.widgets.transcript.painted import Look, Painted
from xirtam_tui.widgets.transcript.palette import COMPONENTS, Palette
from xirtam_tui.widgets.transcript.rows import Row
from xirtam_tui.widgets.transcript.selecting import selected_text, show_selected
from xirtam_tui.widgets.transcript.slider import Slider


class View(ScrollView):
    """Shows the lines of messages. What they are, and what happens when others come into view, is the transcript's."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{name}" for name in (*COMPONENTS, "cursor")}

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._layout = Layout()
        self._drawing = Drawing(self._layout)
        self._cursor = Cursor(self._layout)
        self._palette: Palette | None = None
        self._pad = 0  # blank lines above a chat that is shorter than the view
        self._settling = False
        self._painted = Painted()

    def on_mount(self) -> None:
        self._slider = Slider(self.vertical_scrollbar)

    # Where it is

    @property
    def top(self) -> int:
        """The line at the top of the view."""
        return round(self.scroll_y) - self._pad

    def look(self) -> None:
        """Takes note of what is in view, after it has moved."""

    def _go_to(self, line: int) -> None:
        """Brings a line to the top, and looks."""
        self._scroll_to_line(line)
        self.look()

    def _scroll_to_line(self, line: int) -> None:
        """Brings a line to the top, as far as there are lines below it."""
        self.scroll_to(y=line + self._pad, animate=False, force=True)

    def _settle(self, width: int, height: int, anchor: Anchor | None) -> None:
        """Fits the view to what has been laid out: the anchor's line stays at the top, without one the last line at the bottom."""
        self._pad = max(0, height - self._layout.height)
        self._settling = True
        self._take_size(Size(width, self._layout.height + self._pad))
        line = None if anchor is None else self._layout.line_of(anchor)
        self._scroll_to_line(round(self.max_scroll_y) - self._pad if line is None else line)
        self._settling = False
        self.refresh()

    def _take_size(self, size: Size) -> None:
        """Lets there be so many lines. Unless the width is new, that moves nothing on the screen but the scrollbar's slider."""
        if self.show_vertical_scrollbar and size.width == self.virtual_size.width:
            self.set_reactive(ScrollView.virtual_size, size)  # pyright: ignore[reportArgumentType]
            self.vertical_scrollbar.window_virtual_size = size.height
        else:
            self.virtual_size = size

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._settling:
            self.look()

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        self._painted.forget()
        for block in self._layout.blocks:
            block.forget_strips()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a part of the view. They have no border, padding or opacity: they are made without what that takes.

        What the look of a line is made of comes from all the widgets around this one: it is asked for once a picture.
        """
        look = self._look()
        strips = [self._line(y, look) for y in crop.line_range]
        return strips if crop.column_span == (0, look.width) else [strip.crop(*crop.column_span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """One line, for when it is asked what text is at a place.

        Only then do its parts say where they are. Were they to say it whenever they are painted, each would have looks of its own,
        and to work those out is half of what a page costs.
        """
        return self._line(y, self._look()).apply_offsets(0, self._mark(y))

    def _look(self) -> Look:
        filters = tuple(self.get_line_filters())
        look = Look(self.size.width, self.rich_style, self.background_colors[1], filters)
        self._painted.look(look)
        return look

    def _line(self, y: int, look: Look) -> Strip:
        line = self.scroll_offset.y + y - self._pad
        row, is_chosen = self._row(line, y)
        mark = self._mark(y)
        selection = self.text_selection
        if row.text is not None and selection is not None and selection.get_span(mark) is not None:
            marked = self.screen.get_component_rich_style("screen--selection", partial=True)
            return self._paint(show_selected(row.strip, selection, mark, marked), look, is_chosen=is_chosen)
        return self._painted.line(mark, row, is_chosen, lambda: self._paint(row.strip, look, is_chosen=is_chosen))

    def _mark(self, y: int) -> int:
        """The mark of the line `y` of the screen: it keeps it whatever is loaded above."""
        return self.scroll_offset.y + y - self._pad + self._layout.origin

    def _paint(self, strip: Strip, look: Look, *, is_chosen: bool) -> Strip:
        base = look.base + self.get_component_rich_style("transcript--cursor") if is_chosen else look.base
        # From one strip to the next each would keep the one after it: here only the last is kept, and none by the row.
        segments = Segment.apply_style(Segment.adjust_line_length(list(strip), look.width), base)
        strip = Strip(segments, look.width)
        for line_filter in look.filters:
            strip = strip.apply_filter(line_filter, look.background)
        return strip

    def _row(self, line: int, y: int) -> tuple[Row, bool]:
        """What stands on a line, `y` of the screen, and whether it belongs to the message under the cursor."""
        if not self._layout.blocks:
            return self._drawing.empty_row(y, self.size.width, self.size.height, self._styles), False
        row, block = self._drawing.row(line, self.scrollable_content_region.width, self._styles)
        return row, block is not None and self._cursor.is_on(block.message)

    @property
    def _styles(self) -> Palette:
        if self._palette is None:
            self._palette = Palette.resolve(lambda name: self.get_component_rich_style(name, partial=True))
        return self._palette

    # Selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selected_text(self._drawing.marked_rows(self._styles), selection), "\n"
