"""Driving the app in tests: open it on a fake machine, wait for what should come, look at what is on the screen."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual._context import visible_screen_stack
from textual.events import Key
from textual.pilot import Pilot
from textual.strip import Strip

from tests.tui.blocking import no_blocking
from tests.tui.demo import Script, frozen_clock
from tests.tui.fake_client import MINUTE, NOW_NS, FakeClient, FakeMachine
from xirtam_core.chat import Message
from xirtam_tui.app import XirtamApp
from xirtam_tui.screens.chat.chat import ChatScreen
from xirtam_tui.screens.chat.conversation import Conversation
from xirtam_tui.widgets.composer import Composer
from xirtam_tui.widgets.contact_list import ContactList
from xirtam_tui.widgets.transcript import Transcript

_LIMIT_S = 10.0
_NAMES = {" ": "space", "@": "at", "_": "underscore"}


def painted(app: XirtamApp) -> list[Strip]:
    """The lines that the terminal would be sent. A picture of them takes ten times as long."""
    # A dialog that is painted without what lies below it keeps its lines so, and shows them again later.
    visible_screen_stack.set(app._background_screens)  # pyright: ignore[reportPrivateUsage] - as Textual does it
    return app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage] - likewise


class Driver:
    """The app under test and its pilot."""

    def __init__(self, app: XirtamApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Waits for `condition`, with a limit."""
        end = time.monotonic() + _LIMIT_S
        while not condition():
            assert time.monotonic() < end, f"never happened: {what or condition}\n{self.text()}"
            await asyncio.sleep(0.01)

    async def press(self, *keys: str) -> None:
        """Presses keys, slowly enough to be a person."""
        for key in keys:
            await self.pilot.press(key)
            await asyncio.sleep(0.01)

    async def write(self, words: str) -> None:
        """Types into what has the focus."""
        for character in words:
            self.app.post_message(Key(_NAMES.get(character, character), character))
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    def press_at_once(self, *keys: str) -> None:
        """Presses keys that come in one read, as over SSH: none of them waits for what the ones before it do."""
        for key in keys:
            self.app.post_message(Key(_NAMES.get(key, key), key if len(key) == 1 else None))

    async def sees(self, *words: str) -> None:
        """Waits until all of `words` are on the screen."""
        await self.until(
            lambda: (text := self.text()) and all(word in text for word in words), f"{words} on the screen"
        )

    async def sees_not(self, *words: str) -> None:
        """Waits until none of `words` is on the screen."""
        await self.until(lambda: (text := self.text()) and not any(word in text for word in words), f"{words} gone")

    async def agree(self) -> None:
        """Agrees to a question that Enter alone does not answer with yes."""
        await self.press("right", "enter")

    def lines(self) -> list[str]:
        """The screen as text."""
        return [strip.text.rstrip() for strip in painted(self.app)]

    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines())

    def line_with(self, words: str) -> str:
        """The line of the screen that has `words` in it."""
        return next(line for line in self.lines() if words in line)

    # The widgets, once the account is open

    @property
    def conversation(self) -> Conversation:
        return self.chats_screen.query_one(Conversation)

    @property
    def transcript(self) -> Transcript:
        return self.conversation.transcript

    @property
    def composer(self) -> Composer:
        return self.conversation.composer

    @property
    def contacts(self) -> ContactList:
        return self.chats_screen.query_one(ContactList)

    @property
    def chats_screen(self) -> ChatScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, ChatScreen))

    @property
    def open_peer(self) -> str | None:
        chat = self.conversation.chat
        return None if chat is None else chat.id

    def messages_in_memory(self) -> list[str]:
        """The ids of the messages that the transcript holds."""
        return [block.message.id for block in self.transcript._layout.blocks]  # pyright: ignore[reportPrivateUsage] - see above


@asynccontextmanager
async def machine_app(
    machine: FakeMachine, folder: Path, size: tuple[int, int] = (100, 30), **options: object
) -> AsyncIterator[Driver]:
    """The app on `machine`. Fails where it makes a call that could block its loop."""
    app = XirtamApp(folder, engines=machine, clock=frozen_clock, **options)  # pyright: ignore[reportArgumentType] - of several types
    async with app.run_test(size=size, notifications=True) as pilot:
        with no_blocking() as caught:
            yield Driver(app, pilot)
    assert not caught, "\n".join(map(str, caught))


@asynccontextmanager
async def account_app(client: FakeClient, folder: Path, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Driver]:
    """The app with `client`'s account open."""
    async with machine_app(FakeMachine(client), folder, size) as driver:
        # once everything is there, the focus goes to the composer or the list
        await driver.until(
            lambda: isinstance(driver.app.screen, ChatScreen) and driver.app.screen.focused, "account open"
        )
        await driver.pilot.pause()
        yield driver


def long_chat(count: int, peer: str = "@bobby") -> list[Message]:
    """`count` messages, `number 1` to `number COUNT`, a minute apart and now and then one's own."""
    script = Script(peer, NOW_NS - count * MINUTE)
    for number in range(1, count + 1):
        script.say("you" if number % 7 == 0 else peer[1:], f"number {number}", after_min=1)
    return script.messages
