"""A question that is answered in a line of text."""

from textual.app import ComposeResult
from textual.widgets import Input

from xirtam_tui.screens.sheet.sheet import Sheet


class Ask(Sheet[str]):
    """Gives what was typed, which may be nothing; None for Escape."""

    def __init__(
        self, heading: str, explanation: str, *, yes: str, value: str = "", placeholder: str = "", longest: int = 64
    ) -> None:
        super().__init__()
        self.heading, self.explanation = heading, explanation
        self._yes, self._value, self._placeholder, self._longest = yes, value, placeholder, longest

    def compose_body(self) -> ComposeResult:
        yield Input(
            self._value, placeholder=self._placeholder, compact=True, max_length=self._longest, select_on_focus=False
        )

    def compose_buttons(self) -> ComposeResult:
        yield self.button(self._yes, "agree", primary=True)
        yield self.button("Cancel", "leave")

    def on_input_submitted(self) -> None:
        self.action_agree()

    def action_agree(self) -> None:
        self.dismiss(self.query_one(Input).value.strip())
