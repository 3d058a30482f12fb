"""A QR code that has the screen to itself, so that a small terminal has room for it."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Resize
from textual.geometry import Size
from textual.types import CSSPathType
from textual.widgets import Static

from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.widgets.qr.qr import Qr, picture

_AROUND = 4
"""Lines of the sheet that are not the code."""


class QrSheet(Sheet[None]):
    """Shows `text` for a camera."""

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("qr.tcss"))]

    def __init__(self, heading: str, text: str) -> None:
        super().__init__()
        self.heading = heading
        self._text = text
        lines = picture(text).plain.split("\n")
        self._needs = Size(len(lines[0]) + 8, len(lines) + _AROUND)

    def compose_body(self) -> ComposeResult:
        yield Qr(self._text)
        yield Static(
            f"This window is too small for the picture: it needs {self._needs.width} columns and {self._needs.height} lines.",
            id="too-small",
            markup=False,
        )

    async def on_resize(self, event: Resize) -> None:
        fits = event.size.width >= self._needs.width and event.size.height >= self._needs.height
        self.query_one(Qr).display = fits
        self.query_one("#too-small").display = not fits
