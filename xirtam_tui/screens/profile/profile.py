"""What others need to know to write to this account, and what they see of it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from xirtam_core.chat import Status
from xirtam_core.names import Username
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.sheet import Sheet


class ProfileSheet(Sheet[None]):
    """Shows the account's name, what one calls oneself and where it lives; gives the name away as text or picture."""

    heading = "Your account"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("n", "rename", "Change what you call yourself", show=False)]

    def __init__(self, bridge: Bridge, account: Username) -> None:
        super().__init__()
        self._bridge, self._account = bridge, account
        self._display_name: str | None = None

    def compose_body(self) -> ComposeResult:
        yield Static(Content.styled(self._account, "bold $accent"), id="name", markup=False)
        yield Static("", id="called", markup=False)
        yield Static("", id="home", markup=False)
        yield Static(
            "\nYour name is all that others in this network need to write to you. It stays the same when you move to "
            "another server. Whoever wants to be sure that it is you compares safety codes with you.",
            markup=False,
        )
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Copy name", "copy", primary=True)
        yield self.button("Call yourself…", "rename")
        yield self.button("QR code", "picture")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        self.run_worker(self._look())
        self.run_worker(self._look_up())

    async def _look(self) -> None:
        try:
            self.query_one("#home", Static).update(_home(await self._bridge.status()))
        except Exception as error:
            self._say(explain(error).text, "failed")

    async def _look_up(self) -> None:
        try:
            self._display_name = await self._bridge.people.display_name(self._account)
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._show_called()

    def _show_called(self) -> None:
        called = self._display_name or "n: say what you call yourself, for others to see"
        style = "bold" if self._display_name else "$text-muted"
        self.query_one("#called", Static).update(Content.styled(called, style))

    def action_rename(self) -> None:
        self.run_worker(self._rename(), group="renaming", exclusive=True)

    async def _rename(self) -> None:
        from xirtam_tui.screens.ask.ask import Ask

        words = (
            "It is shown beside your name to all who write with you, and anybody can ask your server for it. Leave it empty to say "
            "nothing."
        )
        before = self._display_name or ""
        question = Ask("What do you call yourself?", words, yes="Publish", value=before, placeholder="Alice Martin")
        chosen = await running_app(self).push_screen_wait(question)
        if chosen is None or chosen.strip() == before:
            return
        self._say("Publishing…", "")
        try:
            await self._bridge.people.set_display_name(chosen.strip() or None)
        except Exception as error:
            self._say(explain(error, "Nothing was changed.").text, "failed")
            return
        self._display_name = chosen.strip() or None
        self._show_called()
        self._say("Published: others see it within an hour or so.", "good")

    def action_copy(self) -> None:
        running_app(self).copy_to_clipboard(self._account)
        self._say("Copied, as far as your terminal allows it.", "good")

    async def action_picture(self) -> None:
        from xirtam_tui.screens.qr.qr import QrSheet

        await running_app(self).push_screen(QrSheet(f"This is {self._account}", self._account))

    def _say(self, words: str, tone: str) -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        for name in ("good", "failed"):
            answer.set_class(tone == name, name)


def _home(status: Status) -> Content:
    return Content.styled(f"at the home server {status.server}, {status.connection.value}", "$text-muted")
