"""Driving the app in tests: open it on a fake machine, wait for what should come, look at what is on the screen."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

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


class Driver:
    """The app under test and its pilot."""

    def __init__(self, app: XirtamApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Waits for `condition`, with a limit."""
        end = time.monotonic() + _LIMIT_S
        while not condition():
            assert time.monotonic() < end, f"never happened: {what or condition}\n{self.text()}"
            await self.pilot.pause()
            await asyncio.sleep(0.005)

    async def press(self, *keys: str) -> None:
        """Presses keys, slowly enough to be a person."""
        for key in keys:
            await self.pilot.press(key)
            await asyncio.sleep(0.01)

    async def write(self, words: str) -> None:
        """Types into what has the focus."""
        names = {" ": "space", "@": "at", "_": "underscore"}
        await self.press(*(names.get(character, character) for character in words))

    async def sees(self, *words: str) -> None:
        """Waits until all of `words` are on the screen."""
        await self.until(lambda: all(word in self.text() for word in words), f"{words} on the screen")

    async def sees_not(self, *words: str) -> None:
        """Waits until none of `words` is on the screen."""
        await self.until(lambda: not any(word in self.text() for word in words), f"{words} gone")

    def lines(self) -> list[str]:
        """The screen as text."""
        screen = self.app.screen
        width, height = screen.size
        rows = [[" "] * width for _ in range(height)]
        for widget, (region, clip) in ((w, (screen.find_widget(w).region, screen.find_widget(w).clip)) for w in _leaves(self)):
            del widget, region, clip
        return ["".join(row) for row in rows]

    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines())
