"""A question with two answers, both verbs."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from xirtam_tui.screens.sheet.sheet import Sheet


class Confirm(Sheet[bool]):
    """True for `yes`, False for `no`, None for Escape.

    A stray Enter, or one too many, must cost nobody anything: `no` comes first and has the focus. Only where nothing is lost by it
    (`is_harmless`) does `yes`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "agree", "Yes", show=False),
        Binding("n", "decline", "No", show=False),
    ]

    def __init__(self, heading: str, explanation: str, *, yes: str, no: str, is_harmless: bool = False) -> None:
        super().__init__()
        self.heading, self.explanation = heading, explanation
        self._yes, self._no, self._is_harmless = yes, no, is_harmless

    def compose_buttons(self) -> ComposeResult:
        answers = [(self._no, "decline"), (self._yes, "agree")]
        for label, button_id in reversed(answers) if self._is_harmless else answers:
            yield self.button(label, button_id, primary=(button_id == "agree") is self._is_harmless)

    def action_agree(self) -> None:
        self.dismiss(True)

    def action_decline(self) -> None:
        self.dismiss(False)
