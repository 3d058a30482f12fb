"""Text selection over the transcript's lines: drawing it, and reading it back as it was written."""

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from xirtam_tui.widgets.transcript.rows import Row


def show_selected(strip: Strip, selection: Selection, mark: int, style: Style) -> Strip:
    """`strip`, which is line `mark`, with its selected part in `style`."""
    span = selection.get_span(mark)
    if span is None:
        return strip
    start = strip.index_to_cell_position(max(0, span[0]))
    end = strip.cell_length if span[1] < 0 else strip.index_to_cell_position(span[1])
    if end <= start:
        return strip
    return Strip.join([strip.crop(0, start), _restyled(strip.crop(start, end), style), strip.crop(end)])


def _restyled(strip: Strip, style: Style) -> Strip:
    return Strip([Segment(text, (own or Style.null()) + style) for text, own, _ in strip], strip.cell_length)


def selected_text(rows: Iterable[tuple[int, Row]], selection: Selection) -> str:
    """What `selection` holds of `rows`, given with their marks: lines joined as they were before they were broken to fit."""
    parts: list[str] = []
    for mark, row in rows:
        span = selection.get_span(mark)
        if span is None or row.text is None:
            continue
        start = max(0, span[0] - row.column)
        end = len(row.text) if span[1] < 0 else max(0, span[1] - row.column)
        if parts or start < len(row.text):
            parts.extend([row.joiner if parts else "", row.text[start:end]])
    return "".join(parts)
