"""What revoking a device has done, and what nobody can do."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from xirtam_core.devices import Revocation
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet


class Revoked(Sheet[None]):
    """An honest account."""

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("devices.tcss"))]

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "leave", "Close", show=False)]

    def __init__(self, device: str, outcome: Revocation) -> None:
        super().__init__()
        self.heading = f"Revoked: {device}"
        self._outcome = outcome

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="account"):
            yield from _listed("What was done", self._outcome.done, "✓", "$success")
            yield from _listed("What nobody can do", self._outcome.not_done, "✗", "$error")
            yield from _listed("What is left to do", self._outcome.next_steps, "→", "$warning")


def _listed(heading: str, sentences: tuple[str, ...], mark: str, style: str) -> ComposeResult:
    if sentences:
        yield Static(heading, classes="heading", markup=False)
        for sentence in sentences:
            yield Static(Content.assemble((f"{mark} ", style), sentence), markup=False)
