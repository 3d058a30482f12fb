"""A QR code, two dots of it in a cell. It is dark on white in every theme: many cameras read no other."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from textual.content import Content
from textual.widgets import Static

_BORDER = 2
_CELLS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


class Qr(Static):
    """Shows a text for a camera."""

    DEFAULT_CSS = "Qr { width: auto; height: auto; }"

    def __init__(self, text: str = "") -> None:
        super().__init__(picture(text) if text else "", markup=False)

    def show(self, text: str) -> None:
        """Shows another text."""
        self.update(picture(text))


def picture(text: str) -> Content:
    """The smallest code that holds `text`."""
    import segno

    code = segno.make_qr(text, error="l", boost_error=False)
    rows = [[bool(dot) for dot in row] for row in code.matrix_iter(border=_BORDER)]
    return Content("\n").join(Content.styled(line, "#000000 on #ffffff") for line in _lines(rows))


def _lines(rows: Sequence[Sequence[bool]]) -> Iterator[str]:
    blank = [False] * len(rows[0])
    for upper, lower in zip_longest(rows[::2], rows[1::2], fillvalue=blank):
        yield "".join(_CELLS[pair] for pair in zip(upper, lower, strict=True))
