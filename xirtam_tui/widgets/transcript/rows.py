"""One line of the screen, the columns at which things begin on it, and the lines that stand between messages."""

from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from xirtam_tui.widgets.transcript.wrap import wrap

NAME_COLUMN = 2
BODY_COLUMN = 4
RIGHT = 2  # cells left free at the right margin
WIDEST = 112  # lines longer than this tire the eye


class Row(NamedTuple):
    """One line of the screen. `text` is what copying it gives, from character `column` of the strip; None for what is ours."""

    strip: Strip
    text: str | None = None
    column: int = 0
    joiner: str = "\n"


BLANK = Row(Strip([]))


def centred(text: str, width: int, style: Style) -> Strip:
    """`text` in the middle of `width` cells."""
    left = max(0, (width - cell_len(text)) // 2)
    return Strip([Segment(" " * left), Segment(text, style)], left + cell_len(text))


def centred_rows(text: str, width: int, style: Style) -> list[Row]:
    """`text` in the middle, over as many lines as it needs."""
    width = min(width, WIDEST)
    lines = wrap(text, max(8, width - 2 * BODY_COLUMN))
    return [Row(centred(text[line.start : line.end], width, style)) for line in lines]


def ruled(text: str, width: int, style: Style) -> Strip:
    """`text` in the middle of a line that is drawn from margin to margin."""
    rule = max(0, width - NAME_COLUMN - RIGHT - cell_len(text))
    left = rule // 2
    line = "─" * left + text + "─" * (rule - left)
    return Strip([Segment(" " * NAME_COLUMN), Segment(line, style)], NAME_COLUMN + rule + cell_len(text))
