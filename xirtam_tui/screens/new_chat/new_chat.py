"""Starting a chat by name."""

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.widgets import Input, Static

from xirtam_core.chat import Chat
from xirtam_core.errors import InvalidName
from xirtam_core.names import Username
from xirtam_tui.failures import explain, sentence
from xirtam_tui.screens.sheet.sheet import Sheet


class NewChat(Sheet[Chat]):
    """Asks for a name, has it looked up, and gives the chat."""

    heading = "Write to somebody"
    explanation = "Names are exact: capitals count. The directory of your network says whose they are."

    def __init__(self, start_chat: Callable[[Username], Awaitable[Chat]]) -> None:
        super().__init__()
        self._start_chat = start_chat

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="@bobby", compact=True, id="name", max_length=17, select_on_focus=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Start chat", "start", primary=True)
        yield self.button("Cancel", "leave")

    def on_input_changed(self) -> None:
        self._say("")

    def on_input_submitted(self) -> None:
        self.action_start()

    def action_start(self) -> None:
        try:
            name = Username.parse(self.query_one(Input).value.strip())
        except InvalidName as error:
            self._say(sentence(str(error)), "failed")
            return
        self._say(f"Looking up {name}…")
        self.run_worker(self._start(name), exclusive=True)

    async def _start(self, name: Username) -> None:
        try:
            chat = await self._start_chat(name)
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self.dismiss(chat)

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(tone == "failed", "failed")
