"""Making an account: which network, which name, and the work of claiming it, with progress and a way out."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Input, Static
from textual.worker import Worker

from xirtam_core.errors import InvalidName, Malformed
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.registration import NameAnswer, Step
from xirtam_tui import text
from xirtam_tui.along_buttons import ALONG_BUTTONS
from xirtam_tui.bridge import Engine, Engines
from xirtam_tui.failures import explain, sentence
from xirtam_tui.keymap import Keymap
from xirtam_tui.running import running_app
from xirtam_tui.screens.passphrase.unlocking import unlocked
from xirtam_tui.screens.welcome.from_engine import from_the_engine
from xirtam_tui.screens.welcome.pairing import PairingPanel
from xirtam_tui.screens.welcome.progress import StepsProgress
from xirtam_tui.widgets.button_rows import ButtonRows

_PAUSE_S = 0.3  # a name is looked up once typing pauses
_ANSWERS = {
    NameAnswer.FREE: ("✓ {name} is free", "good"),
    NameAnswer.TAKEN: ("✗ {name} is taken: try another; or add this device, if it is yours", "failed"),
    NameAnswer.OURS: ("✓ {name} is yours: its registration was begun here and will go on where it stopped", "good"),
}


class Welcome(Screen[None]):
    """The first screen of a person without an account. What was typed is kept whatever fails."""

    CSS_PATH = "welcome.tcss"
    AUTO_FOCUS = "#link"
    BINDINGS: ClassVar[list[BindingType]] = [*ALONG_BUTTONS]

    def __init__(
        self,
        data_dir: Path,
        engines: Engines,
        on_account: Callable[[Engine], Awaitable[None]],
        *,
        keymap: Keymap,
        intro: str | None,
        passphrase: str | None = None,
    ) -> None:
        super().__init__()
        self._keys = keymap
        self._passphrase = passphrase
        self._data_dir, self._engines, self._on_account, self._intro = data_dir, engines, on_account, intro
        self._link: JoinLink | None = None
        self._is_local = False
        self._checking: Worker[None] | None = None
        self._registering: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="page", can_focus=False):
            yield Static("xirtam", id="wordmark")
            yield Static(
                self._intro
                or "Messages that only you and the people you write to can read. "
                "No phone number and no e-mail: a name is all it takes.",
                id="explanation",
                markup=False,
            )
            with Vertical(id="form"):
                yield Static("Join a network: paste the link that you were given", classes="label")
                yield Input(placeholder="xirtam:join?…", id="link", compact=True)
                yield Static("", id="link-answer", classes="answer", markup=False)
                yield Button("Or try it on this machine", id="local", compact=True, action="screen.try_locally")
                yield Static("Your name", classes="label")
                yield Input(placeholder="@alice", id="name", compact=True, max_length=17, select_on_focus=False)
                yield Static("", id="name-answer", classes="answer", markup=False)
                with ButtonRows(id="buttons"):
                    yield Button("Create account", id="create", compact=True, classes="primary", action="screen.create")
                    yield Button("Add this device", id="pair", compact=True, action="screen.pair")
                    yield Button("Quit", id="leave", compact=True, action="app.quit")
                with ButtonRows(id="returning"):
                    yield Button("Recover with a recovery key", id="recover", compact=True, action="screen.recover")
                    yield Button("Restore a backup", id="restore", compact=True, action="screen.restore")
            yield StepsProgress(step for step in Step if step is not Step.DONE)
            yield PairingPanel()
        yield Static(f"Tab next · Enter choose · {self._keys.label('app.help')} all keys", id="hint", markup=False)

    # The network

    @on(Input.Changed, "#link")
    def _link_changed(self, event: Input.Changed) -> None:
        self._link = None
        if event.value.strip():
            self._take_link(event.value)
        else:
            self._say("link", "")
        self._is_local = False
        self._check_name()

    def _take_link(self, typed: str) -> None:
        """Says where the link leads, or what is wrong with it."""
        try:
            self._link = JoinLink.parse(typed)
        except Malformed as error:
            self._say("link", "✗ " + sentence(text.line(str(error))), "failed")
        else:
            where = "a private network on this machine" if self._is_local else self._link.directory_urls[0]
            server = f", home server {self._link.server}" if self._link.server else ""
            self._say("link", f"✓ {text.line(where)}{server}", "good")

    @on(Input.Submitted, "#link")
    def _link_done(self) -> None:
        self.query_one("#name").focus()

    def action_try_locally(self) -> None:
        self._say("link", "Starting a private network on this machine…")
        self.run_worker(self._try_locally(), group="local", exclusive=True)

    async def _try_locally(self) -> None:
        try:
            link = await self._engines.local_network(self._data_dir)
        except Exception as error:
            self._say("link", "✗ " + explain(error).text, "failed")
            return
        self._is_local = True
        field = self.query_one("#link", Input)
        if field.value == str(link):
            self._link_changed(Input.Changed(field, field.value))
        field.value = str(link)
        self.query_one("#name").focus()

    # The name

    @on(Input.Changed, "#name")
    def _name_changed(self) -> None:
        self._check_name()

    def _check_name(self) -> None:
        typed = self.query_one("#name", Input).value.strip()
        try:
            name = Username.parse(typed)
        except InvalidName as error:
            self._say("name", sentence(str(error)) if typed else "")
            self._stop_checking()
            return
        if self._link is None:
            self._say("name", "Choose a network first, then the name can be looked up")
            self._stop_checking()
        else:
            self._say("name", f"Checking {name}…")
            self._stop_checking()
            self._checking = self.run_worker(self._look_up(self._link, name))

    def _stop_checking(self) -> None:
        if self._checking is not None:
            self._checking.cancel()

    async def _look_up(self, link: JoinLink, name: Username) -> None:
        await asyncio.sleep(_PAUSE_S)
        try:
            words, tone = _ANSWERS[await self._engines.check_name(self._data_dir, link, name)]
        except Exception as error:
            failure = explain(error)
            self._say("name", f"✗ {failure.title}: {failure.text}", "failed")
        else:
            self._say("name", words.format(name=name), tone)

    # The account

    @on(Input.Submitted, "#name")
    def action_create(self) -> None:
        if (asked := self._asked_for()) is not None:
            self._registering = self.run_worker(self._make_account(*asked), group="register", exclusive=True)

    def action_pair(self) -> None:
        if (asked := self._asked_for()) is not None:
            self._registering = self.run_worker(self._be_paired(*asked), group="register", exclusive=True)

    def _asked_for(self) -> tuple[JoinLink, Username] | None:
        """The network and the name that were typed; where something is missing or wrong, says what."""
        link, name = (self.query_one(each, Input).value.strip() for each in ("#link", "#name"))
        if self._link is None:
            if link:
                self._take_link(link)
            else:
                self._say("link", "✗ Paste a join link here, or try it on this machine", "failed")
            self.query_one("#link").focus()
            return None
        try:
            return self._link, Username.parse(name)
        except InvalidName as error:
            self._say("name", "✗ " + sentence(str(error)), "failed")
            self.query_one("#name").focus()
            return None

    async def _make_account(self, link: JoinLink, name: Username) -> None:
        progress = self.query_one(StepsProgress)
        progress.begin(f"Making the account {name}")
        show = from_the_engine(progress.show)
        await self._wait_for(
            name, lambda key: self._engines.register(self._data_dir, link, name, show, passphrase=key), "registering"
        )

    async def _be_paired(self, link: JoinLink, name: Username) -> None:
        """Shows the code, and waits until a device of the account has taken it."""
        panel = self.query_one(PairingPanel)
        panel.begin(name)
        show = from_the_engine(panel.show)
        await self._wait_for(
            name, lambda key: self._engines.join_by_pairing(self._data_dir, link, name, show, passphrase=key), "pairing"
        )

    def action_recover(self) -> None:
        """An account whose devices are all lost."""
        self.run_worker(self._recover(), group="register")

    async def _recover(self) -> None:
        from xirtam_tui.screens.recover.recover import RecoverSheet

        link, name = (self.query_one(each, Input).value.strip() for each in ("#link", "#name"))
        sheet = RecoverSheet(self._data_dir, self._engines, link=link, name=name, passphrase=self._passphrase)
        if (engine := await running_app(self).push_screen_wait(sheet)) is not None:
            await self._say_where_the_key_is(engine.account)
            running_app(self).run_worker(self._on_account(engine), group="start")

    def action_restore(self) -> None:
        """An account that was backed up."""
        self.run_worker(self._restore(), group="register")

    async def _restore(self) -> None:
        from xirtam_tui.screens.restore.restore import RestoreSheet

        name = await running_app(self).push_screen_wait(RestoreSheet(self._data_dir, self._engines))
        if name is None:
            return
        try:
            engine = await self._engines.open_account(self._data_dir, name, passphrase=None)
            await self._say_where_the_key_is(name)
        except Exception as error:
            self._back_to_form(f"✗ {name} is restored, but does not open: {explain(error).text}", "failed")
        else:
            running_app(self).run_worker(self._on_account(engine), group="start")

    async def _wait_for(self, name: Username, work: Callable[[str | None], Awaitable[Engine]], shown_as: str) -> None:
        """Opens the account that `work` makes. Meanwhile the part of the screen shows that tells how far it is."""
        self.add_class(shown_as)
        try:
            engine = await unlocked(running_app(self), name, self._passphrase, work)
            await self._say_where_the_key_is(name)
        except Exception as error:
            failure = explain(error)
            self._back_to_form(f"✗ {failure.title}: {failure.text}", "failed")
        else:
            running_app(self).run_worker(self._on_account(engine), group="start")

    async def _say_where_the_key_is(self, name: Username) -> None:
        """Nobody chose here, so it is said when the key is in a file."""
        if (file := await self._engines.key_file(self._data_dir, name)) is not None:
            words = f"No keyring works here: the key of {name} is in {file}, readable by you alone."
            running_app(self).notify(words, title="Your key", timeout=15, markup=False)

    def action_cancel(self) -> None:
        if self._registering is not None:
            self._registering.cancel()
            words = "Cancelled. A name that was claimed stays yours: “Create account” goes on from there"
            if self.has_class("pairing"):
                words = "Cancelled. “Add this device” goes on with the same code"
            self._back_to_form(words)

    def _back_to_form(self, words: str, tone: str = "") -> None:
        self.remove_class("registering", "pairing")
        self._say("name", words, tone)
        self.call_after_refresh(self.query_one("#create").focus)

    def _say(self, field: str, words: str, tone: str = "") -> None:
        answer = self.query_one(f"#{field}-answer", Static)
        answer.update(words)
        for name in ("good", "failed"):
            answer.set_class(tone == name, name)
