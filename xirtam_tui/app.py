"""The app: which screen shows, one account's engine at a time, and leaving without losing anything."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from xirtam_core.names import Username
from xirtam_tui import keymap, settings
from xirtam_tui.actions import ACTIONS, Scope, Situation, bindings
from xirtam_tui.bridge import Batch, Bridge, Engine, Engines, InstalledEngines
from xirtam_tui.failures import Trouble, explain
from xirtam_tui.moments import Clock, system_clock
from xirtam_tui.screens.chat.chat import ChatScreen
from xirtam_tui.screens.opening.opening import Opening
from xirtam_tui.themes import DARK, LIGHT, THEMES


class XirtamApp(App[None]):
    """The terminal app of one person at one machine."""

    CSS_PATH = "app.tcss"
    TITLE = "xirtam"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.APP)

    def __init__(
        self,
        data_dir: Path,
        account: Username | None = None,
        intro: str | None = None,
        *,
        engines: Engines | None = None,
        clock: Clock = system_clock,
        theme: str | None = None,
    ) -> None:
        super().__init__()
        self._data_dir, self._account, self._intro = data_dir, account, intro
        self._engines = engines or InstalledEngines()
        self._clock = clock
        self._settings = settings.load(data_dir)
        self._keymap = keymap.load(data_dir)
        self._bridge: Bridge | None = None
        self._leaving = False
        for known in THEMES:
            self.register_theme(known)
        chosen = theme or self._settings.theme
        self.theme = chosen if chosen in self.available_themes else DARK.name
        self.set_keymap(self._keymap.changed())

    def get_default_screen(self) -> Screen[None]:
        return Opening() if self._account is None else self._chat_screen(self._account)

    def on_mount(self) -> None:
        for problem in self._keymap.problems:
            self.notify(problem, title="Keys", severity="warning", markup=False)
        # The engine is heavy to import: not before there is something to look at.
        self.call_after_refresh(self.action_start)

    # Opening an account

    def action_start(self) -> None:
        """Opens the account that was asked for, or the only one; else asks."""
        self.run_worker(self._start(), group="start", exclusive=True)

    async def _start(self) -> None:
        try:
            if self._account is None:
                accounts = await self._engines.accounts(self._data_dir)
                if len(accounts) != 1:
                    await self._choose(accounts)
                    return
                self._account = accounts[0]
            engine = await self._engines.open_account(self._data_dir, self._account)
        except Exception as error:  # noqa: BLE001 - said on the screen, with a way to try again
            if not isinstance(self.screen, Opening):
                await self.switch_screen(Opening())
            self.screen.query_one(Opening) if False else self._opening().fail(explain(error))
            return
        await self.show_account(engine)

    async def show_account(self, engine: Engine) -> None:
        """Shows an account whose engine is open."""
        self._account = engine.account
        self._bridge = Bridge(engine, self._apply)
        if not isinstance(self.screen, ChatScreen):
            await self.switch_screen(self._chat_screen(engine.account))
        screen = self.screen
        ...
