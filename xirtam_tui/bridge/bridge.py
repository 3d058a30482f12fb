"""The only way between the app and the engine: calls in, typed events out.

The engine lives in a thread of its own. Calls are awaited here while it works; its events are collected from its thread and handed
over in batches, at most one every few milliseconds, so that a flood of them costs the screen one update and not thousands. All text
that came from elsewhere is made safe here (`text.py`), once, before anything in the app sees it.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import copy_context

import msgspec

from xirtam_core.chat import Chat, DraftEdit, Message, Page, Received, Status
from xirtam_core.events import Event
from xirtam_core.names import Username
from xirtam_tui.bridge.batch import Batch
from xirtam_tui.bridge.devices import Devices
from xirtam_tui.bridge.engine import Engine
from xirtam_tui.bridge.groups import Groups
from xirtam_tui.bridge.home import Home
from xirtam_tui.bridge.keeping import Keeping
from xirtam_tui.bridge.messages import Messages
from xirtam_tui.bridge.names import Names
from xirtam_tui.bridge.owners import Owners
from xirtam_tui.bridge.people import People
from xirtam_tui.bridge.preferences import Preferences
from xirtam_tui.bridge.safe import safe_chat, safe_message, safe_status
from xirtam_tui.bridge.trust import Trust

_BATCH_S, _LONGEST_BATCH_S = 0.03, 0.5
_FLOOD = 8
"""So many events in one batch are a flood; what a person does and gets comes in fewer, and shows at once."""
_SHARE = 32
"""In a flood of events, showing them takes one part of the time in so many; the rest is for keys."""


class Bridge:
    """An account's engine, as the app sees it. Lives in the app's event loop."""

    def __init__(self, engine: Engine, on_batch: Callable[[Batch], None]) -> None:
        self.account = engine.account
        self.messages = Messages(engine)
        self.people = People(engine)
        self.groups = Groups(engine)
        self.names = Names(engine)
        self.preferences = Preferences(engine)
        self.devices = Devices(engine)
        self.owners = Owners(engine)
        self.keeping = Keeping(engine)
        self.trust = Trust(engine)
        self.home = Home(engine)
        self._engine = engine
        self._on_batch = on_batch
        self._loop = asyncio.get_running_loop()
        self._context = (
            copy_context()
        )  # the app's own: in the engine's thread there is none, and timers begun in that would fail
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._last = self._worked = 0.0
        self._pause_s = _BATCH_S
        self._closed = False
        self._unsubscribe = engine.subscribe(self._hear)

    # Events out

    def _hear(self, event: Event) -> None:
        """Called in the engine's thread."""
        with self._lock:
            self._events.append(event)
            is_first = len(self._events) == 1
        if is_first and not self._closed:
            try:
                self._loop.call_soon_threadsafe(self._schedule, context=self._context)
            except RuntimeError:  # the app's loop has ended: nobody is left to tell
                self._closed = True

    def _schedule(self) -> None:
        self._loop.call_later(max(0.0, self._last + self._pause_s - time.monotonic()), self._flush)

    def _flush(self) -> None:
        with self._lock:
            events, self._events = self._events, []
        self._last, worked = time.monotonic(), time.thread_time()
        # What the batch before has cost with all that it had painted: this thread does little else.
        needed_s = _SHARE * (worked - self._worked) if len(events) >= _FLOOD else 0.0
        self._pause_s, self._worked = min(max(_BATCH_S, needed_s), _LONGEST_BATCH_S), worked
        if self._closed:
            return
        batch = Batch()
        for event in events:
            batch.add(event)
        self._on_batch(batch)
        if batch.is_moving_news:
            self.home.hear(batch.home_move)

    # Calls in

    async def chats(self) -> list[Chat]:
        """Every chat, newest first as the engine gives them."""
        return [safe_chat(chat) for chat in await self._engine.chats()]

    async def start_chat(self, name: Username) -> Chat:
        """The chat with `name`, new or not; raises `NotFound` or `Unreachable`."""
        return safe_chat(await self._engine.start_chat(name))

    async def history(self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        """A page of a chat's messages (the engine's `history`)."""
        page = await self._engine.history(chat, before=before, after=after, limit=limit)
        return msgspec.structs.replace(page, messages=tuple(safe_message(message) for message in page.messages))

    async def count_messages(self, chat: str, *, before: int | None = None) -> int:
        """How many messages a chat has, or has before a position."""
        return await self._engine.count_messages(chat, before=before)

    async def position_of(self, chat: str, number: int) -> int | None:
        """Where in a chat the message lies that so many come before; None where there is none."""
        return await self._engine.position_of(chat, number)

    async def search(
        self, words: str, *, chat: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[Received]:
        """Messages that hold all of `words`, the newest first (the engine's `search`)."""
        found = await self._engine.search(words, chat=chat, before=before, limit=limit)
        return [msgspec.structs.replace(each, message=safe_message(each.message)) for each in found]

    async def send_text(self, chat: str, content: str, *, reply_to: str | None = None) -> Message:
        """Queues a message, in answer to that of the id `reply_to`; it is on disk when this returns."""
        return safe_message(await self._engine.send_text(chat, content, reply_to=reply_to))

    async def retry(self, message_id: str) -> None:
        """Sends a failed message again."""
        await self._engine.retry(message_id)

    async def discard(self, message_id: str) -> None:
        """Takes back a message that no server has."""
        await self._engine.discard(message_id)

    async def mark_read(self, chat: str, up_to: int) -> None:
        """Marks a chat as read up to a position."""
        await self._engine.mark_read(chat, up_to)

    async def set_draft(
        self, chat: str, content: str, *, reply_to: str | None = None, edit: DraftEdit | None = None
    ) -> None:
        """Keeps what is written but not sent, and what it is for."""
        await self._engine.set_draft(chat, content, reply_to=reply_to, edit=edit)

    async def acknowledge_alarm(self, chat: str | None) -> None:
        """Puts an alarm away that a person has seen: a chat's, or the directory's."""
        await self._engine.acknowledge_alarm(chat)

    async def status(self) -> Status:
        """The account's state at a glance."""
        return safe_status(await self._engine.status())

    async def close(self) -> None:
        """Ends the engine, everything on disk. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._unsubscribe()
            await self._engine.close()
