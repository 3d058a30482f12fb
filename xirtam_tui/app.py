"""The app: which screen shows, one account's engine at a time, and leaving without losing anything."""

import asyncio
import contextlib
import gc
import logging
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual import events
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen
from textual.types import CSSPathType

from xirtam_core.names import Username
from xirtam_tui import arrangement, emoji_names, keymap, settings
from xirtam_tui.actions import ACTIONS, Scope, Situation, bindings
from xirtam_tui.bridge import Batch, Bridge, Engine, Engines, InstalledEngines
from xirtam_tui.collecting import LOOK_S, Collector
from xirtam_tui.data_directory import log_directory
from xirtam_tui.driver import steady_driver
from xirtam_tui.failures import Trouble, attempt, explain
from xirtam_tui.leaving import Leaving
from xirtam_tui.moments import Clock, system_clock
from xirtam_tui.notices import Notices
from xirtam_tui.notifications import PAUSE_S, News, Notifier, newly_asked, on_desktop, worth_telling
from xirtam_tui.screens.chat.chat import ChatScreen
from xirtam_tui.screens.chat.panes import Panes
from xirtam_tui.screens.opening.opening import Opening
from xirtam_tui.screens.passphrase.unlocking import unlocked
from xirtam_tui.settings import Emoji, Order, Settings, Theme
from xirtam_tui.themes import THEMES
from xirtam_tui.typeahead import Typeahead
from xirtam_tui.widgets.contact_list import ContactList

if TYPE_CHECKING:
    from xirtam_tui.logs import LogFile  # the start waits for nothing that is not painted

_logger = logging.getLogger(__name__)
_TO_READ_S = 20.0
"""How long a notice of several lines stands."""
_SIGNS_OF_LIFE = (events.Key, events.Paste, events.MouseDown, events.MouseScrollUp, events.MouseScrollDown)


class XirtamApp(Leaving):
    """The terminal app of one person at one machine."""

    # The styles of the first screens too: loading them with those would parse everything twice before the first paint.
    CSS_PATH: ClassVar[CSSPathType | None] = ["app.tcss", "screens/opening/opening.tcss", "screens/chat/chat.tcss"]
    TITLE = "xirtam"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.APP)
    # Textual declares these two, and `switch_screen` below, less exactly than strict checking wants.

    def __init__(
        self,
        data_dir: Path,
        account: Username | None = None,
        intro: str | None = None,
        *,
        passphrase: str | None = None,
        engines: Engines | None = None,
        clock: Clock = system_clock,
        theme: str | None = None,
    ) -> None:
        super().__init__()
        self._data_dir, self._account, self._intro = data_dir, account, intro
        self._passphrase = passphrase
        self._engines = engines or InstalledEngines()
        self._clock = clock
        self._settings, self._unknown_settings, self._setting_problems, _ = settings.load(data_dir)
        self._notifier = Notifier(lambda: self.bell(), self._write, self._show_on_desktop)
        self._notices = Notices()
        self._keys = keymap.load(data_dir)
        self._collector = Collector()
        self._typeahead = Typeahead(self, super().on_event)
        self._log_file: LogFile | None = None
        for known in THEMES:
            self.register_theme(known)
        self.theme = theme or f"xirtam-{self._settings.theme}"
        emoji_names.show_names(self._settings.emoji is Emoji.NAMES)
        self.set_keymap(self._keys.changed())

    def get_driver_class(self) -> type[Driver]:
        return steady_driver(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        return Opening() if self._account is None else self._chat_screen(self._account)

    def on_mount(self) -> None:
        if said := keymap.problems_in_short(self._keys.problems):
            self.notify(said, title="Keys", severity="warning", timeout=_TO_READ_S, markup=False)
        for problem in self._setting_problems:
            self.notify(problem, title="Settings", severity="warning", markup=False)
        self._watch_terminal()
        self.call_after_refresh(self._painted)

    async def on_event(self, event: events.Event) -> None:
        """Whoever presses something is there."""
        if isinstance(event, _SIGNS_OF_LIFE) and (screen := self._chats()) is not None:
            screen.attend()
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._typeahead.take(event)
        else:
            await super().on_event(event)

    def _fatal_error(self) -> None:
        """Ends on a fault as Textual does, but does not show what variables hold: that is what people write, and passphrases."""
        from rich.traceback import Traceback

        if (fault := sys.exc_info()[1]) is not None:
            from xirtam_tui.logs import keep_crash

            keep_crash(log_directory(self._data_dir), fault)
        self.panic(Traceback(show_locals=False, width=None))

    def _painted(self) -> None:
        """There is something to look at: time for the engine, which is heavy to import."""
        if not self.is_headless:
            self._collector.start()
            self.set_interval(LOOK_S, self._collector.look)
        self._begin_log()
        self.action_start()

    def _begin_log(self) -> None:
        from xirtam_tui import logs

        self._log_file = logs.begin(log_directory(self._data_dir), self._settings.log_level)
        for problem in self._keys.problems:
            _logger.warning("%s", problem)
        if _logger.isEnabledFor(logging.INFO):
            self.run_worker(asyncio.to_thread(_log_start, *self.size), group="log")

    async def _end_log(self) -> None:
        if self._log_file is not None:
            log, self._log_file = self._log_file, None
            await asyncio.to_thread(log.end)

    def _log_trouble(self) -> str:
        return "" if self._log_file is None else self._log_file.trouble

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
            engine = await self._open(self._account)
        except Exception as error:
            opening = self.screen
            if not isinstance(opening, Opening):
                opening = Opening()
                await self._show(opening)
            opening.fail(explain(error))
            return
        await self.show_account(engine)

    async def _open(self, account: Username) -> Engine:
        """The account's engine, after asking for its passphrase where there is one."""

        async def work(passphrase: str | None) -> Engine:
            return await self._engines.open_account(self._data_dir, account, passphrase=passphrase)

        return await unlocked(self, account, self._passphrase, work)

    async def show_account(self, engine: Engine) -> None:
        """Shows an account whose engine is open."""
        self._account = engine.account
        _logger.info("an account is open")
        self._bridge = Bridge(engine, self._take_in)
        screen = self._chats()
        if screen is None:
            screen = self._chat_screen(engine.account)
            await self._show(screen)
        elif isinstance(self.screen, Opening):
            await self.pop_screen()
        view = await asyncio.to_thread(arrangement.view, self._data_dir, engine.account)
        await attempt(screen.attach(self._bridge, view, by_recency=self._settings.order is Order.RECENCY), self)

    async def _show(self, screen: Screen[None]) -> None:
        """Puts `screen` in the place of the one that shows, or on top when that is the first, which Textual must keep."""
        if len(self.screen_stack) == 1:
            await self.push_screen(screen)
        else:
            await self.switch_screen(screen)  # pyright: ignore[reportUnknownMemberType]

    def _chat_screen(self, account: Username) -> ChatScreen:
        return ChatScreen(account, clock=self._clock, keymap=self._keys, intro=self._intro)

    async def _choose(self, accounts: list[Username]) -> None:
        from xirtam_tui.screens.welcome.welcome import Welcome

        if accounts:
            from xirtam_tui.screens.accounts.accounts import Accounts

            self._account = await self.push_screen_wait(Accounts(accounts))
            if self._account is not None:
                self.action_start()
                return
        await self._show(
            Welcome(
                self._data_dir,
                self._engines,
                self.show_account,
                keymap=self._keys,
                intro=self._intro,
                passphrase=self._passphrase,
            )
        )

    # What comes from the engine and from widgets

    def _take_in(self, batch: Batch) -> None:
        _logger.debug(
            "news: %d messages, %d chats, %d alarms", len(batch.messages), len(batch.chats), len(batch.alarms)
        )
        if (status := batch.status) is not None:
            standing = (status.connection.value, status.detail or "no trouble", status.queued, status.waiting)
            _logger.info("%s (%s), %d to send, %d not readable yet", *standing)
        screen = self._chats()
        if screen is not None and screen.is_mounted:
            asked = newly_asked(batch.chats.values(), screen.contacts.chat)
            screen.apply(batch)
            self._hear(batch, screen, asked)
        for alarm in batch.alarms:
            self.notify(alarm.text, title="Security alarm", severity="error", timeout=60, markup=False)

    def _hear(self, batch: Batch, screen: ChatScreen, asked: list[News]) -> None:
        """Tells a person who looks elsewhere what has come."""
        messages = (batch.messages[each] for each in batch.added if each in batch.messages)
        news = (News(chat, each) for each in messages if (chat := screen.contacts.chat(each.chat)) is not None)
        looking_at = screen.looking_at if self.app_focus and self.screen is screen else None
        self._notifier.take(worth_telling([*news, *asked], looking_at, self._settings, self._clock()))
        self._tell()

    def _tell(self) -> None:
        if not self._notifier.is_pausing and self._notifier.tell(self._settings):
            self._notifier.is_pausing = True
            self.set_timer(PAUSE_S, self._go_on_telling)

    def _go_on_telling(self) -> None:
        self._notifier.is_pausing = False
        self._tell()

    def _write(self, sequence: str) -> None:
        """To the terminal, between what is drawn."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def _show_on_desktop(self, title: str, body: str) -> None:
        if not self.is_headless:
            self.run_worker(on_desktop(title, body), group="desktop")

    async def on_contact_list_folded(self, event: ContactList.Folded) -> None:
        """The list is found as it was left."""
        await self._keep_view(folded=tuple(sorted(event.sections)))

    async def on_panes_arranged(self, event: Panes.Arranged) -> None:
        """So are the panes."""
        await self._keep_view(list_width=event.list_width, hides_details=event.hides_details)

    async def _keep_view(self, **changes: object) -> None:
        if self._account is not None:
            await asyncio.to_thread(partial(arrangement.change, self._data_dir, self._account, **changes))

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        message, title = emoji_names.shown(message), emoji_names.shown(title)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def on_notify(self, event: Notify) -> None:
        """Textual adds the notice after this, and shows them all anew."""
        for replaced in self._notices.take(event.notification):
            self._unnotify(replaced, refresh=False)  # Textual's own can only clear them all, alarms too

    def on_trouble(self, event: Trouble) -> None:
        """Shows what failed."""
        severity = "error" if event.failure.is_alarm else "warning"
        self.notify(event.failure.text, title=event.failure.title, severity=severity, timeout=10, markup=False)

    # Actions

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        situation = screen.situation if isinstance(screen, ChatScreen) else Situation()
        for action in ACTIONS:
            owner = {Scope.APP: self, Scope.CHAT: screen}.get(action.scope)
            if owner is not None and action.is_enabled(situation) and action.id != "app.command_palette":
                run = partial(self.run_action, action.method, owner)
                yield SystemCommand(action.name, action.help, run)

    def action_command_palette(self) -> None:
        from xirtam_tui.screens.palette.palette import Palette

        if not any(isinstance(screen, Palette) for screen in self.screen_stack):
            self.push_screen(Palette())

    async def action_help(self) -> None:
        from xirtam_tui.screens.help.help import Help

        if not isinstance(self.screen, Help):
            await self.push_screen(Help(self._keys))

    def action_switch_theme(self) -> None:
        """The theme after this one, in the order of the settings and round the end; says which it is."""
        theme = settings.THEME.after(self.theme.removeprefix("xirtam-"), 1)
        # A place that cannot be written to is no reason to bother anybody: it is changed all the same.
        with contextlib.suppress(OSError):
            self._follow(msgspec.structs.replace(self._settings, theme=Theme(theme)))
        self.notify(settings.THEME.words_with_place(theme), title=settings.THEME.label, timeout=3, markup=False)

    async def action_about(self) -> None:
        from xirtam_tui.screens.about.about import About

        if not isinstance(self.screen, About):
            await self.push_screen(About(self._data_dir, self._settings.log_level, self._keys, self._log_trouble))

    async def action_settings(self) -> None:
        from xirtam_tui.screens.settings.settings import SettingsSheet

        if not isinstance(self.screen, SettingsSheet):
            preferences = None if self._bridge is None else self._bridge.preferences
            on_home = None if self._bridge is None else partial(self._show_home, self._bridge)
            await self.push_screen(SettingsSheet(self._settings, self._follow, preferences, on_home))

    def _show_home(self, bridge: Bridge) -> None:
        from xirtam_tui.screens.home.home import HomeSheet

        self.push_screen(HomeSheet(bridge, self._clock))

    def _follow(self, chosen: Settings) -> Settings:
        """Follows these settings from now on, keeps them, and gives what is in force: another app may have changed others.

        Raises `OSError`, after following them, where they cannot be kept.
        """
        before = self._settings
        _logger.info("settings: %s", chosen)
        self._apply(chosen)
        chosen = settings.change(self._data_dir, before, chosen, self._unknown_settings)
        self._apply(chosen)
        return chosen

    def _apply(self, chosen: Settings) -> None:
        before, self._settings = self._settings, chosen
        self.theme = f"xirtam-{chosen.theme}"
        emoji_names.show_names(chosen.emoji is Emoji.NAMES)
        if self._log_file is not None:
            self._log_file.follow(chosen.log_level)
        if (screen := self._chats()) is not None:
            screen.contacts.by_recency = chosen.order is Order.RECENCY
            if before.emoji is not chosen.emoji:
                self.run_worker(screen.draw_again(), group="drawing", exclusive=True)

    def action_suspend(self) -> None:
        """Goes back to the shell, as Ctrl+Z does in other programs."""
        self.action_suspend_process()

    async def on_unmount(self) -> None:
        self._collector.stop()
        await self._close()
        await self._end_log()


def _log_start(columns: int, rows: int) -> None:
    from xirtam_tui import logs

    _logger.info("%s begins on a terminal of %d × %d", logs.makes(), columns, rows)


def run_app(data_dir: Path, account: Username | None, intro: str | None, passphrase: str | None = None) -> None:
    """Runs the app until the person leaves. `account` opens that one; `intro` is said where there is no chat to show yet."""
    gc.disable()  # the start makes many objects and no garbage; the collector turns it on again, once there is something to look at
    XirtamApp(data_dir, account, intro, passphrase=passphrase).run()
