"""`RemoteClient`: an account that another process has open, used through that process's engine.

It offers what `Client` does, so whoever works with one need not know which it is. `reach` gives whichever can be had.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from xirtam_core import errors
from xirtam_core.chat import Chat, Message, Page, Received, Status
from xirtam_core.client import Client, open_account
from xirtam_core.engine.announcer import Announcer, Listener
from xirtam_core.engine.control import LONGEST_LINE, RESULTS, encode_name, is_private
from xirtam_core.errors import InUse, Unreachable, XirtamError
from xirtam_core.events import Event
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import AccountDirectory

_CHANGING_HANDS_S = 5.0


class RemoteClient:
    """An account through another process's engine; used in one event loop, the one that it was made in."""

    def __init__(self, account: Username, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """For `connect`, which makes clients."""
        self.account = account
        self._writer = writer
        self._numbers = itertools.count()
        self._waiting: dict[int, tuple[str, asyncio.Future[Any]]] = {}
        self._announcer = Announcer()
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            with contextlib.suppress(OSError, ValueError):
                while line := await reader.readline():
                    self._take(line)
        finally:
            for _, waiter in self._waiting.values():
                if not waiter.done():
                    waiter.set_exception(Unreachable("the xirtam that has this account open has ended: try again"))

    def _take(self, line: bytes) -> None:
        if line.startswith(b"{"):
            self._announcer.announce(msgspec.json.decode(line, type=Event, dec_hook=_name))
            return
        number, *answer = msgspec.json.decode(line)
        method, waiter = self._waiting.pop(number, ("", None))
        if waiter is None or waiter.done():
            return
        if len(answer) == 1:
            result = RESULTS[method]
            waiter.set_result(None if result is None else msgspec.convert(answer[0], result, dec_hook=_name))
        else:
            kind: Any = getattr(errors, answer[1], XirtamError)
            waiter.set_exception(kind(answer[2]))

    async def _call(self, method: str, **arguments: Any) -> Any:
        if self._reading.done():
            raise Unreachable("the xirtam that has this account open has ended: try again")
        number = next(self._numbers)
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (method, waiter)
        self._writer.write(msgspec.json.encode([number, method, arguments], enc_hook=encode_name) + b"\n")
        return await waiter

    async def ended(self) -> None:
        """Returns when the other process has closed the account."""
        await asyncio.wait([self._reading])

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every event from now on, in this event loop; what comes back ends that."""
        self._writer.write(b'"events"\n')
        return self._announcer.subscribe(listener)

    async def status(self) -> Status:
        """See `Client`."""
        return await self._call("status")

    async def chats(self) -> list[Chat]:
        """See `Client`."""
        return await self._call("chats")

    async def start_chat(self, name: Username, *, unseen: bool = False) -> Chat:
        """See `Client`."""
        return await self._call("start_chat", name=name, unseen=unseen)

    async def history(self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        """See `Client`."""
        return await self._call("history", chat=chat, before=before, after=after, limit=limit)

    async def received(self, after: int, limit: int = 100) -> list[Received]:
        """See `Client`."""
        return await self._call("received", after=after, limit=limit)

    async def listened(self, chat: str | None = None) -> int:
        """See `Client`."""
        return await self._call("listened", chat=chat)

    async def mark_listened(self, cursor: int, chat: str | None = None) -> None:
        """See `Client`."""
        await self._call("mark_listened", cursor=cursor, chat=chat)

    async def send_text(self, chat: str, text: str) -> Message:
        """See `Client`."""
        return await self._call("send_text", chat=chat, text=text)

    async def retry(self, message_id: str) -> None:
        """See `Client`."""
        await self._call("retry", message_id=message_id)

    async def discard(self, message_id: str) -> None:
        """See `Client`."""
        await self._call("discard", message_id=message_id)

    async def mark_read(self, chat: str, up_to: int) -> None:
        """See `Client`."""
        await self._call("mark_read", chat=chat, up_to=up_to)

    async def set_draft(self, chat: str, text: str) -> None:
        """See `Client`."""
        await self._call("set_draft", chat=chat, text=text)

    async def acknowledge_alarm(self, chat: str | None) -> None:
        """See `Client`."""
        await self._call("acknowledge_alarm", chat=chat)

    async def close(self) -> None:
        """Leaves; the other process's engine goes on."""
        self._writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


def _name(kind: type, value: Any) -> Any:
    return kind(value)


async def connect(data_dir: Path, account: Username) -> RemoteClient | None:
    """The account through the engine that has it open, or None where none answers."""
    place = AccountDirectory(data_dir, account)
    if not is_private(place.socket.parent):
        return None
    try:
        reader, writer = await asyncio.open_unix_connection(place.socket, limit=LONGEST_LINE)
    except OSError:
        return None
    return RemoteClient(account, reader, writer)


async def reach(data_dir: Path, account: Username, *, passphrase: str | None = None) -> Client | RemoteClient:
    """The account, opened here, or through whoever has it open; raises `Locked` and `NotFound`.

    Who has it may be about to open or to close it, and answer nobody: that is waited for a little.
    """
    until = asyncio.get_running_loop().time() + _CHANGING_HANDS_S
    while True:
        try:
            return await open_account(data_dir, account, passphrase=passphrase)
        except InUse:
            remote = await connect(data_dir, account)
            if remote is not None:
                return remote
            if asyncio.get_running_loop().time() > until:
                raise
        await asyncio.sleep(0.05)
