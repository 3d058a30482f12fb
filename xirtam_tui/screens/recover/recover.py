"""Making an account whose devices are all lost live again on this machine, with its recovery key (docs/recovery.md)."""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.types import CSSPathType
from textual.widgets import Button, Input, Static
from textual.worker import Worker

from xirtam_core.errors import InvalidName, Malformed, RecoveryKeyNeeded
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.recovery_key import RecoveryKey
from xirtam_core.registration import AFTER_RECOVERY, LOST_BY_RECOVERY, RecoveryStep
from xirtam_tui import text
from xirtam_tui.bridge import Engine, Engines
from xirtam_tui.failures import explain, sentence
from xirtam_tui.running import running_app
from xirtam_tui.screens.passphrase.unlocking import unlocked
from xirtam_tui.screens.recovery_key.key_input import KeyInput
from xirtam_tui.screens.recovery_key.type_key import read, say, show_how_far
from xirtam_tui.screens.sheet.sentences import listed
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.screens.welcome.from_engine import from_the_engine
from xirtam_tui.screens.welcome.progress import StepsProgress

_LONGEST_LINK = 4096
_CANCELLED = "Cancelled. What has been done is kept: “Recover” goes on from there, soon without the key."
_KEY_NEEDED = "Type the recovery key from the paper."
_BEGUN = "Something was begun here for {name}. A recovery goes on where it stopped, perhaps without the key."


class View(StrEnum):
    """What the sheet shows."""

    ASK = "asking"
    WORK = "working"
    DONE = "recovered"


_BUTTONS = {View.ASK: ("go", "leave"), View.WORK: (), View.DONE: ("enter",)}


class _Asked:
    """What was typed. The key is for one attempt."""

    def __init__(self, link: JoinLink, name: Username, key: RecoveryKey | None, server: ServerName | None) -> None:
        self.link, self.name, self.key, self.server = link, name, key, server


class RecoverSheet(Sheet[Engine]):
    """Gives the account's engine once it lives again; None where that was put off. What was typed is kept until the sheet closes."""

    heading = "Recover an account whose devices are all lost"
    explanation = (
        "The key on paper makes this machine the account's first device, with a new root key. Messages, contacts and groups do "
        "not come back. If you have a backup, restore that instead."
    )
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("recover.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "scroll(-8)", "Page up", show=False),
        Binding("pagedown", "scroll(8)", "Page down", show=False),
    ]

    def __init__(self, data_dir: Path, engines: Engines, *, link: str, name: str, passphrase: str | None) -> None:
        super().__init__()
        self._data_dir, self._engines, self._passphrase = data_dir, engines, passphrase
        self._link, self._name = link, name
        self._recovering: Worker[None] | None = None
        self._engine: Engine | None = None

    def compose_body(self) -> ComposeResult:
        with Vertical(id="form"):
            yield Static("The network's join link", classes="label")
            yield Input(self._link, placeholder="xirtam:join?…", compact=True, id="link", max_length=_LONGEST_LINK)
            yield Static("The account's name", classes="label")
            yield Input(self._name, placeholder="@alice", compact=True, id="name", max_length=17, select_on_focus=False)
            yield Static("The recovery key, from the paper", classes="label")
            yield KeyInput()
            yield Static("", id="key-answer", markup=False)
            yield Static("Another home server, only if the old one is gone", classes="label")
            yield Input(placeholder="~island", compact=True, id="server", max_length=40)
            yield Static("", id="answer", markup=False)
        yield StepsProgress(step for step in RecoveryStep if step is not RecoveryStep.DONE)
        yield VerticalScroll(id="account", can_focus=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Recover", "go", primary=True)
        yield self.button("Back", "leave")
        yield self.button("Open the account", "enter", primary=True)

    def on_mount(self) -> None:
        self._show(View.ASK)
        empty = next((each for each in ("#link", "#name") if not self.query_one(each, Input).value), "#key")
        self.query_one(empty).focus()

    def _show(self, view: View) -> None:
        self._view = view
        for part, shown in (("#form", View.ASK), ("StepsProgress", View.WORK), ("#account", View.DONE)):
            self.query_one(part).display = view is shown
        self.query_one("#explanation").display = view is View.ASK
        for each in self.query_one("#buttons").query(Button):
            each.display = each.id in _BUTTONS[view]

    # What is typed

    @on(Input.Changed, "#key")
    def _key_typed(self) -> None:
        show_how_far(self.query_one(KeyInput), self.query_one("#key-answer", Static))

    @on(Input.Changed, "#name")
    def _name_typed(self, event: Input.Changed) -> None:
        try:
            name = Username.parse(event.value.strip())
        except InvalidName:
            return
        self.run_worker(self._look_for_begun(name), group="begun", exclusive=True)

    async def _look_for_begun(self, name: Username) -> None:
        if await self._engines.has_begun(self._data_dir, name):
            self._say(_BEGUN.format(name=name))

    @on(Input.Submitted, "#link")
    @on(Input.Submitted, "#name")
    def _next_field(self) -> None:
        self.focus_next()

    def _asked_for(self) -> _Asked | None:
        """What was typed; where something is wrong, says what."""
        typed = {each: self.query_one(f"#{each}", Input).value.strip() for each in ("link", "name", "server")}
        field = "link"
        try:
            link = JoinLink.parse(typed["link"])
            field = "name"
            name = Username.parse(typed["name"])
            field = "server"
            server = ServerName.parse(typed["server"]) if typed["server"] else None
        except (Malformed, InvalidName) as mistake:
            self._refuse(field, sentence(text.line(str(mistake))))
            return None
        keyed, key = self.query_one(KeyInput), None
        if keyed.symbols and (key := read(keyed, self.query_one("#key-answer", Static))) is None:
            keyed.focus()
            return None
        return _Asked(link, name, key, server)

    def _refuse(self, field: str, why: str) -> None:
        self._say(f"✗ {why}", "failed")
        self.query_one(f"#{field}").focus()

    # The work

    @on(Input.Submitted, "#key")
    @on(Input.Submitted, "#server")
    def action_go(self) -> None:
        """Recovers, or goes on."""
        if self._view is View.ASK and (asked := self._asked_for()) is not None:
            self._recovering = self.run_worker(self._recover(asked), group="recover", exclusive=True)

    async def _recover(self, asked: _Asked) -> None:
        if asked.key is None and not await self._engines.has_begun(self._data_dir, asked.name):
            self._refuse("key", _KEY_NEEDED)
            return
        progress = self.query_one(StepsProgress)
        self._show(View.WORK)
        progress.begin(f"Recovering {asked.name}")
        show = from_the_engine(progress.show)

        async def work(passphrase: str | None) -> Engine:
            return await self._engines.recover(
                self._data_dir, asked.link, asked.name, asked.key, show, server=asked.server, passphrase=passphrase
            )

        try:
            self._engine = await unlocked(running_app(self), asked.name, self._passphrase, work)
            server = (await self._engine.status()).server
        except RecoveryKeyNeeded:
            self._back("key", f"It cannot go on without the key yet. {_KEY_NEEDED}", "failed")
        except Exception as error:
            failure = explain(error)
            self._back("key", f"✗ {failure.title}: {failure.text}", "failed")
        else:
            self.query_one(KeyInput).forget()
            await self._show_done(asked.name, server)

    def _back(self, field: str, words: str, tone: str = "") -> None:
        self._show(View.ASK)
        self._say(words, tone)
        self.query_one(f"#{field}").focus()

    def action_cancel(self) -> None:
        if self._recovering is not None and self._view is View.WORK:
            self._recovering.cancel()
            self._back("key", _CANCELLED)

    async def _show_done(self, name: Username, server: ServerName) -> None:
        self.query_one("#heading", Static).update(f"{name} lives on {server} again, with a new root key")
        account = self.query_one("#account")
        await account.mount_all(listed("What is lost", LOST_BY_RECOVERY, "✗", "$error"))
        await account.mount_all(listed("What to do now", AFTER_RECOVERY, "→", "$warning"))
        self._show(View.DONE)
        self.call_after_refresh(self.query_one("#enter").focus)

    def action_scroll(self, rows: int) -> None:
        self.query_one("#account").scroll_relative(y=rows, animate=False)

    def action_enter(self) -> None:
        self.dismiss(self._engine)

    def action_leave(self) -> None:
        """Leaves, but not in the midst of it: that is what Cancel is for."""
        if self._view is not View.WORK:
            self.dismiss(self._engine)

    def _say(self, words: str, tone: str = "") -> None:
        say(self.query_one("#answer", Static), words, tone)
