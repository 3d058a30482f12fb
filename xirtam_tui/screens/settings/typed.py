"""A setting's value, typed. It is not taken before it is right, and what is wrong is said while it stands there."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.widgets import Input, Static

from xirtam_core.errors import Malformed
from xirtam_tui.failures import explain
from xirtam_tui.screens.sheet.sheet import Sheet
from xirtam_tui.settings import Setting

_LONGEST = 40


class TypedValue(Sheet[str]):
    """Gives what `read` makes of what was typed; that raises `Malformed` for what it cannot read."""

    def __init__(self, setting: Setting, value: str, read: Callable[[str], str]) -> None:
        super().__init__()
        self.heading, self.explanation = setting.label, setting.typed
        self._value, self._read = value, read

    def compose_body(self) -> ComposeResult:
        yield Input(self._value, placeholder="none", compact=True, max_length=_LONGEST, select_on_focus=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Keep", "keep", primary=True)
        yield self.button("Cancel", "leave")

    def on_input_changed(self) -> None:
        self.query_one("#answer", Static).update("")

    def on_input_submitted(self) -> None:
        self.action_keep()

    def action_keep(self) -> None:
        try:
            self.dismiss(self._read(self.query_one(Input).value))
        except Malformed as error:
            answer = self.query_one("#answer", Static)
            answer.update(explain(error).text)
            answer.add_class("failed")
            self.query_one(Input).focus()
