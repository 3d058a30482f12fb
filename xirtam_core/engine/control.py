"""A running engine, reachable by other processes of the same user over a local socket (mode 0600).

So an app and commands can be used on one account at the same time: whoever finds the account locked talks to the engine that holds
it. Each line is one JSON value. A call is `[number, path of an operation, arguments]`; answers are `[number, result]` or
`[number, null, kind, message]` with the name of an error of `xirtam_core.errors`. The line `"events"` asks for events, which come as
objects.
"""

import asyncio
import inspect
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from xirtam_core import errors
from xirtam_core.client import OPERATIONS
from xirtam_core.engine.engine import Engine
from xirtam_core.errors import XirtamError
from xirtam_core.events import Event
from xirtam_core.faces.face import Operation

LONGEST_LINE: Final = 16 * 1024 * 1024
_MOST_WAITING_EVENTS = 10_000
_log = logging.getLogger(__name__)


def encode_name(value: Any) -> Any:
    """How msgspec writes a validated name: as its text."""
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"no way to write {type(value).__name__}")


def decode_name(kind: Any, value: Any) -> Any:
    """How msgspec reads a validated name, by its class."""
    return kind(value)


class ControlSocket:
    """Answers calls from other processes for as long as it runs."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._path = path

    async def run(self) -> None:
        """Listens until cancelled. Where there can be no socket the engine goes on without."""
        try:
            await self._listen()
        except OSError as fault:
            _log.warning("other processes cannot reach this account while it is open here: %s", fault)

    async def _listen(self) -> None:
        _make_private(self._path.parent)
        self._path.unlink(missing_ok=True)  # the account's lock says that nobody else listens there
        async with asyncio.TaskGroup() as tasks:

            def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                tasks.create_task(self._serve(reader, writer))

            server = await asyncio.start_unix_server(serve, self._path, limit=LONGEST_LINE)
            self._path.chmod(0o600)  # the directory is its owner's alone already
            try:
                await asyncio.Event().wait()
            finally:
                server.close()
                self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except* (OSError, ValueError):
            pass  # the caller has gone, or does not speak this language: that is no concern of the others
        except* Exception as faults:
            _log.warning("a caller was hung up on: %s", faults.exceptions[0])
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        events: asyncio.Queue[Event] = asyncio.Queue(_MOST_WAITING_EVENTS)
        async with asyncio.TaskGroup() as tasks:
            pump: asyncio.Task[None] | None = None
            unsubscribe: Callable[[], None] | None = None
            try:
                while line := await reader.readline():
                    asked = msgspec.json.decode(line)
                    if asked == "events" and pump is None:
                        unsubscribe = self._engine.announcer.subscribe(lambda event: _offer(events, event, writer))
                        pump = tasks.create_task(_pump(events, writer))
                    else:
                        writer.write(await self._answer(asked))
                        await writer.drain()
            finally:
                if unsubscribe is not None:
                    unsubscribe()
                if pump is not None:
                    pump.cancel()

    async def _answer(self, asked: Any) -> bytes:
        number: Any = None
        try:
            number, path, arguments = asked
            operation = OPERATIONS.get(path)
            if operation is None:
                raise XirtamError(f"a running xirtam has no {path!r}: is it another version?")
            result = self._engine.method(operation)(**_typed(operation, arguments))
            if inspect.isawaitable(result):
                result = await result
            return _line([number, result])
        except XirtamError as error:
            return _line([number, None, _kind(error), str(error)])
        except (TypeError, ValueError, KeyError) as fault:
            return _line([number, None, "XirtamError", f"a call that is not understood: {fault}"])
        except Exception:  # whatever a caller brought about, the engine goes on
            _log.exception("a call from another process failed")
            return _line([number, None, "XirtamError", "the xirtam that has this account open could not do that"])


def _kind(error: XirtamError) -> str:
    """What the other side knows an error as: its nearest relative in the tree of errors."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_private(directory):
        raise PermissionError(f"{directory} is open to others: make it yours alone (chmod 700)")


def is_private(directory: Path) -> bool:
    """Whether `directory` is this user's and nobody else can enter it: only then is a socket in it to be trusted."""
    try:
        found = directory.stat()
    except OSError:
        return False
    return found.st_uid == os.getuid() and not found.st_mode & 0o077


def _typed(operation: Operation, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        name: msgspec.convert(value, operation.parameters[name], dec_hook=decode_name)
        for name, value in arguments.items()
    }


def _line(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=encode_name) + b"\n"


def _offer(events: asyncio.Queue[Event], event: Event, writer: asyncio.StreamWriter) -> None:
    try:
        events.put_nowait(event)
    except asyncio.QueueFull:
        writer.transport.abort()  # a listener that does not keep up asks again from where it was


async def _pump(events: asyncio.Queue[Event], writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(_line(await events.get()))
        await writer.drain()
