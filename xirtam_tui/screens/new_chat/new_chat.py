"""Starting a chat by name."""

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.widgets import Input, Static

from xirtam_core.chat import Chat
from xirtam_core.errors import InvalidName
from xirtam_core.group_entry import Asked
from xirtam_core.names import GroupName, Username
from xirtam_tui.failures import explain, sentence
from xirtam_tui.screens.sheet.sheet import Sheet

_LINK = "xirtam:group?"


class NewChat(Sheet[Chat]):
    """Asks for a name, has it looked up, and gives the chat. By a group's name, or an invite link, it asks to be let in."""

    heading = "Write to somebody"
    explanation = "Names are exact: capitals count. The directory of your network says whose they are."

    def __init__(
        self, start_chat: Callable[[Username], Awaitable[Chat]], ask_to_join: Callable[[str], Awaitable[Asked]]
    ) -> None:
        super().__init__()
        self._start_chat = start_chat
        self._ask_to_join = ask_to_join

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="@bobby", compact=True, id="name", max_length=1024, select_on_focus=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Start chat", "start", primary=True)
        yield self.button("Cancel", "leave")

    def on_input_changed(self) -> None:
        self._say("")

    def on_input_submitted(self) -> None:
        self.action_start()

    def action_start(self) -> None:
        typed = self.query_one(Input).value.strip()
        if typed.startswith((GroupName.sigil, _LINK)):
            self._say("Asking to be let in…")
            self.run_worker(self._ask(typed), exclusive=True)
            return
        try:
            name = Username.parse(typed)
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

    async def _ask(self, target: str) -> None:
        try:
            asked = await self._ask_to_join(target)
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._say(f"{asked.admin} is asked. The group appears among your chats once you are let in.")

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(tone == "failed", "failed")
