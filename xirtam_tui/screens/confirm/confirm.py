"""A question with two answers, both verbs."""

from textual.app import ComposeResult

from xirtam_tui.screens.sheet.sheet import Sheet


class Confirm(Sheet[bool]):
    """True for `yes`, False for `no`, None for Escape."""

    def __init__(self, heading: str, explanation: str, *, yes: str, no: str) -> None:
        super().__init__()
        self.heading, self.explanation = heading, explanation
        self._yes, self._no = yes, no

    def compose_buttons(self) -> ComposeResult:
        yield self.button(self._yes, "agree", primary=True)
        yield self.button(self._no, "decline")

    def action_agree(self) -> None:
        self.dismiss(True)

    def action_decline(self) -> None:
        self.dismiss(False)
