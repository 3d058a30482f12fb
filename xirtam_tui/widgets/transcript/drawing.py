"""What stands on each line: of the layout, above its first message, and in the middle where there is none."""

from collections.abc import Iterator

from xirtam_tui.widgets.transcript.block import Block
from xirtam_tui.widgets.transcript.layout import Layout
from xirtam_tui.widgets.transcript.palette import Palette
from xirtam_tui.widgets.transcript.rows import BLANK, Row, centred_rows
from xirtam_tui.widgets.transcript.window import Window

_MORE = "· · ·"


class Drawing:
    """The rows of a layout, and the words around it."""

    def __init__(self, layout: Layout) -> None:
        self.window: Window | None = None
        """What is laid out."""
        self.beginning = ""
        """What stands above the first message of the chat."""
        self.empty = ""
        """What stands in the middle while there is no message."""
        self._layout = layout

    def lead_rows(self, width: int, palette: Palette) -> list[Row]:
        """What stands above the first message that is loaded."""
        if self.window is None or not self.window.messages:
            return []
        if self.window.has_earlier:
            return centred_rows(_MORE, width, palette.lead)
        return [BLANK, *centred_rows(self.beginning, width, palette.lead), BLANK]

    def empty_row(self, y: int, width: int, height: int, palette: Palette) -> Row:
        """Line `y` of a view without messages."""
        rows = centred_rows(self.empty, width, palette.lead)
        return _row_of(rows, y - (height - len(rows)) // 2)

    def row(self, line: int, width: int, palette: Palette) -> tuple[Row, Block | None]:
        """What stands on a line of the layout, and the message of whose own text it is part."""
        found = self._layout.at(line)
        if found is None:
            return _row_of(self.lead_rows(width, palette), line), None
        index, row = found
        block = self._layout.blocks[index]
        return block.rows(palette)[row], block if row >= block.lead else None

    def marked_rows(self, palette: Palette) -> Iterator[tuple[int, Row]]:
        """Every row of every message with its mark."""
        for top, block in zip(self._layout.tops, self._layout.blocks, strict=True):
            for at, row in enumerate(block.rows(palette)):
                yield top + at + self._layout.origin, row


def _row_of(rows: list[Row], at: int) -> Row:
    return rows[at] if 0 <= at < len(rows) else BLANK
