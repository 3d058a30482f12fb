"""`RemoteClient`: an account that another process has open, used through that process's engine.

`reach` gives the account opened here or through such a process, whichever can be had.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from xirtam_core import errors
from xirtam_core.accounts import open_account
from xirtam_core.client import Client, Listener
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.control import LONGEST_ANSWER, decode_name, encode_name, is_private
from xirtam_core.errors import InUse, Unreachable, XirtamError
from xirtam_core.events import Event
from xirtam_core.faces.face import Operation
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import AccountDirectory

_CHANGING_HANDS_S = 5.0
_UPDATE = "end it, and start it again"


class Ended(Unreachable):
    """The process that has the account open has ended; `was_asked` says whether it may have done what was asked of it."""

    def __init__(self, *, was_asked: bool) -> None:
        super().__init__("the xirtam that has this account open has ended: try again")
        self.was_asked = was_asked


class RemoteClient(Client):
    """An account through another process's engine; used in one event loop, the one that it was made in."""

    def __init__(self, account: Username, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """For `connect`, which makes clients."""
        super().__init__(account)
        self._writer = writer
        self._numbers = itertools.count()
        self._waiting: dict[int, tuple[Operation, asyncio.Future[Any]]] = {}
        self._announcer = Announcer()
        self._has_asked_for_events = False
        self._reading = asyncio.create_task(self._read(reader), name=f"answers about {account}")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            with contextlib.suppress(OSError, ValueError):
                while line := await reader.readline():
                    self._take(line)
        finally:
            for _, waiter in self._waiting.values():
                if not waiter.done():
                    waiter.set_exception(Ended(was_asked=True))
            self._end()

    def _take(self, line: bytes) -> None:
        if line.startswith(b"{"):
            self._announcer.announce(msgspec.json.decode(line, type=Event, dec_hook=decode_name))
            return
        number, *answer = msgspec.json.decode(line)
        operation, waiter = self._waiting.pop(number, (None, None))
        if operation is None or waiter is None or waiter.done():
            return
        if len(answer) > 1:
            kind: Any = getattr(errors, answer[1], XirtamError)
            waiter.set_exception(kind(answer[2]))
            return
        try:
            waiter.set_result(msgspec.convert(answer[0], operation.result, dec_hook=decode_name))
        except ValueError:
            waiter.set_exception(XirtamError(f"the xirtam that has this account open is of another version: {_UPDATE}"))

    async def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """See `Client`; cancelling it cancels the call."""
        if self._reading.done():
            raise Ended(was_asked=False)
        number = next(self._numbers)
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (operation, waiter)
        self._say([number, operation.path, arguments])
        try:
            return await waiter
        except asyncio.CancelledError:
            if self._waiting.pop(number, None) is not None:
                self._say([number])
            raise

    def _say(self, value: Any) -> None:
        self._writer.write(msgspec.json.encode(value, enc_hook=encode_name) + b"\n")

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See `Client`; listeners are called in this event loop."""
        if not self._has_asked_for_events:
            self._has_asked_for_events = True
            self._say("events")
        return self._announcer.subscribe(listener)

    async def close(self) -> None:
        """See `Client`; the other process's engine goes on."""
        self.is_closed = True
        self._writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


async def connect(data_dir: Path, account: Username) -> RemoteClient | None:
    """The account through the engine that has it open, or None where none answers."""
    place = AccountDirectory(data_dir, account)
    if not is_private(place.socket.parent):
        return None
    try:
        reader, writer = await asyncio.open_unix_connection(place.socket, limit=LONGEST_ANSWER)
    except OSError:
        return None
    return RemoteClient(account, reader, writer)


async def reach(data_dir: Path, account: Username, *, passphrase: str | None = None) -> Client:
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
