"""A question with two answers, both verbs."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from xirtam_tui.screens.sheet.sheet import Sheet


class Confirm(Sheet[bool]):
    """True for `yes`, False for `no`, None for Escape.

    What cannot be taken back is not what a stray Enter does: the focus is on `no`, unless `yes` loses nothing (`is_harmless`).
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "agree", "Yes", show=False),
        Binding("n", "decline", "No", show=False),
    ]

    def __init__(self, heading: str, explanation: str, *, yes: str, no: str, is_harmless: bool = False) -> None:
        super().__init__()
        self.heading, self.explanation = heading, explanation
        self._yes, self._no, self._is_harmless = yes, no, is_harmless

    def compose_buttons(self) -> ComposeResult:
        yield self.button(self._yes, "agree", primary=self._is_harmless)
        yield self.button(self._no, "decline", primary=not self._is_harmless)

    def on_mount(self) -> None:
        self.query_one("#agree" if self._is_harmless else "#decline").focus()

    def action_agree(self) -> None:
        self.dismiss(True)

    def action_decline(self) -> None:
        self.dismiss(False)
