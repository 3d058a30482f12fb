"""Asking for the passphrase of an account's database."""

from textual.app import ComposeResult
from textual.widgets import Input, Static

from xirtam_core.names import Username
from xirtam_tui.screens.sheet.sheet import Sheet


class Passphrase(Sheet[str]):
    """Gives what was typed, which is not shown; None to leave the account closed. `problem` says why it asks again."""

    explanation = "Your messages and keys on this machine are encrypted with it. It is stored nowhere."

    def __init__(self, account: Username, problem: str = "") -> None:
        super().__init__()
        self.heading = f"Unlock {account}"
        self._problem = problem

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="passphrase", password=True, compact=True, id="passphrase")
        yield Static(self._problem, id="answer", markup=False, classes="failed" if self._problem else "")

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Unlock", "unlock", primary=True)
        yield self.button("Cancel", "leave")

    def on_input_submitted(self) -> None:
        self.action_unlock()

    def action_unlock(self) -> None:
        typed = self.query_one(Input).value
        if typed:
            self.dismiss(typed)
