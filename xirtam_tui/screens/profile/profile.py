"""What others need to know to write to this account."""

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from xirtam_core.chat import Status
from xirtam_core.names import Username
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.sheet import Sheet


class ProfileSheet(Sheet[None]):
    """Shows the account's name and where it lives, and gives the name away as text or picture."""

    heading = "Your account"

    def __init__(self, bridge: Bridge, account: Username) -> None:
        super().__init__()
        self._bridge, self._account = bridge, account

    def compose_body(self) -> ComposeResult:
        yield Static(Content.styled(self._account, "bold $accent"), id="name", markup=False)
        yield Static("", id="home", markup=False)
        yield Static(
            "\nYour name is all that others in this network need to write to you. It stays the same when you move to "
            "another server. Whoever wants to be sure that it is you compares safety codes with you.",
            markup=False,
        )
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Copy name", "copy", primary=True)
        yield self.button("QR code", "picture")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        self.run_worker(self._look())

    async def _look(self) -> None:
        try:
            self.query_one("#home", Static).update(_home(await self._bridge.status()))
        except Exception as error:
            self._say(explain(error).text, "failed")

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
