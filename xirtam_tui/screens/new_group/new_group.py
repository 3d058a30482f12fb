"""Making a group."""

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.widgets import Input, Static

from xirtam_core.chat import Chat
from xirtam_tui.failures import explain
from xirtam_tui.screens.sheet.sheet import Sheet

_LONGEST_NAME = 64


class NewGroup(Sheet[Chat]):
    """Asks for a name, has the group made, and gives its chat."""

    heading = "Make a group"
    explanation = (
        "It lives on your home server, which can read nothing of it. You are its admin, and invite people next."
    )

    def __init__(self, create: Callable[[str], Awaitable[Chat]]) -> None:
        super().__init__()
        self._create = create

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="what to call it", compact=True, id="name", max_length=_LONGEST_NAME)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Make it", "make", primary=True)
        yield self.button("Cancel", "leave")

    def on_input_submitted(self) -> None:
        self.action_make()

    def action_make(self) -> None:
        name = self.query_one(Input).value.strip()
        if not name:
            self._say("Give it a name first.", "failed")
            return
        self._say("Asking the home server…")
        self.run_worker(self._make(name), exclusive=True)

    async def _make(self, name: str) -> None:
        try:
            chat = await self._create(name)
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self.dismiss(chat)

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(tone == "failed", "failed")
