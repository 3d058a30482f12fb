"""Starting a chat by name."""

from collections.abc import Awaitable, Callable

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.chat import Chat
from xirtam_core.errors import InvalidName
from xirtam_core.group_entry import Asked
from xirtam_core.names import GroupName, Username
from xirtam_tui.bridge.groups import Groups
from xirtam_tui.failures import explain, sentence
from xirtam_tui.moments import local
from xirtam_tui.running import running_app
from xirtam_tui.screens.confirm.confirm import Confirm
from xirtam_tui.screens.sheet.sheet import Sheet

_LINK = "xirtam:group?"


class NewChat(Sheet[Chat]):
    """Asks for a name, has it looked up, and gives the chat. By a group's name, or an invite link, it asks to be let in.

    What has been asked for and not answered with an invitation stands below, and can be given up.
    """

    heading = "Write to somebody"
    explanation = "Names are exact: capitals count. The directory of your network says whose they are."

    def __init__(self, start_chat: Callable[[Username], Awaitable[Chat]], groups: Groups, *, name: str = "") -> None:
        super().__init__()
        self._start_chat, self._groups, self._named = start_chat, groups, name
        self._asked: dict[str, Asked] = {}

    def compose_body(self) -> ComposeResult:
        yield Input(self._named, placeholder="@bobby", compact=True, id="name", max_length=1024, select_on_focus=False)
        yield Static("", id="answer", markup=False)
        yield Static("Waiting to be let in (Enter: ask no more)", id="waiting", markup=False)
        yield OptionList(id="hits", compact=True)

    def on_mount(self) -> None:
        self._show_asked([])
        self.run_worker(self._look(), group="looking")

    async def _look(self) -> None:
        try:
            self._show_asked(await self._groups.asked())
        except Exception as error:
            self._say(explain(error).text, "failed")

    def _show_asked(self, asked: list[Asked]) -> None:
        self._asked = {each.group: each for each in asked}
        for part in ("#waiting", "#hits"):
            self.query_one(part).display = bool(asked)
        hits = self.query_one(OptionList)
        hits.clear_options()
        hits.add_options(Option(_row(each), id=each.group) for each in asked)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Start chat", "start", primary=True)
        yield self.button("Cancel", "leave")

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.value:
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
            asked = await self._groups.join(target)
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._say(f"{asked.admin} is asked. The group appears among your chats once you are let in.")
            self.query_one(Input).clear()
            self.query_one("#leave", Button).label = "Close"
            await self._look()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        asked = self._asked.get(event.option_id or "")
        if asked is not None:
            self.run_worker(self._ask_no_more(asked), group="giving up", exclusive=True)

    async def _ask_no_more(self, asked: Asked) -> None:
        words = "Whoever was asked is not told. An invitation that comes all the same is for you to accept or decline."
        question = Confirm(f"Wait no longer for {_called(asked)}?", words, yes="Wait no longer", no="Go on waiting")
        if not await running_app(self).push_screen_wait(question):
            return
        try:
            await self._groups.stop_asking(asked.group)
        except Exception as error:
            self._say(explain(error).text, "failed")
        await self._look()
        self.query_one(Input).focus()

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(tone == "failed", "failed")


def _called(asked: Asked) -> str:
    """The group's name where it was asked for by that: of another, nothing is known here yet."""
    return asked.name or "a group that a link leads to"


def _row(asked: Asked) -> Content:
    answer = "has refused" if asked.is_refused else f"was asked on {local(asked.asked_at):%d %B}"
    return Content.assemble(_called(asked), (f"  {asked.admin} {answer}", "$text-muted"))
