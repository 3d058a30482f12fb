"""A running engine, reachable by other processes of the same user over a local socket (mode 0600).

So an app and commands can be used on one account at the same time: whoever finds the account locked talks to the engine that holds
it. Each line is one JSON value. A call is `[number, path of an operation, arguments]`; answers are `[number, result]` or
`[number, null, kind, message]` with the name of an error of `xirtam_core.errors`, in the order in which calls come to their ends;
`[number]` cancels a call. The line `"events"` asks for events, which come as objects.

A caller that reads slowly is given no more than it has read: its further calls are not looked at, and where too many events wait for
it, it is hung up on and asks again from where it was.
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
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.engine import Engine
from xirtam_core.errors import Malformed, XirtamError
from xirtam_core.events import Event
from xirtam_core.faces.face import Operation

LONGEST_ANSWER: Final = 256 * 1024 * 1024
"""What a caller takes at most: pages are bounded, but there may be many chats with long last messages."""
_LONGEST_CALL = 16 * 1024 * 1024
_MOST_CALLS = 64
_MOST_WAITING_BYTES = 16 * 1024 * 1024
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

            server = await asyncio.start_unix_server(serve, self._path, limit=_LONGEST_CALL)
            self._path.chmod(0o600)  # the directory is its owner's alone already
            try:
                await asyncio.Event().wait()
            finally:
                server.close()
                self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                conversation = _Conversation(self._engine, writer, tasks)
                try:
                    while line := await reader.readline():
                        await conversation.take(msgspec.json.decode(line))
                finally:
                    conversation.end()
        except* (OSError, ValueError):
            pass  # the caller has gone, or does not speak this language: that is no concern of the others
        except* Exception as faults:
            _log.warning("a caller was hung up on: %s", faults.exceptions[0])
        finally:
            writer.close()


class _Conversation:
    """What one caller has asked for, and is given as it comes about."""

    def __init__(self, engine: Engine, writer: asyncio.StreamWriter, tasks: asyncio.TaskGroup) -> None:
        self._engine = engine
        self._writer = writer
        self._tasks = tasks
        self._calls: dict[Any, asyncio.Task[None]] = {}
        self._free = asyncio.Semaphore(_MOST_CALLS)
        self._events: _Events | None = None

    async def take(self, asked: Any) -> None:
        """Begins with what a line asks for, once the caller has taken what it was given before."""
        if asked == "events":
            self._give_events()
            return
        number = asked[0] if isinstance(asked, list) and asked else None  # pyright: ignore[reportUnknownVariableType]
        if isinstance(asked, list) and len(asked) == 1:  # pyright: ignore[reportUnknownArgumentType]
            if (call := self._calls.get(number)) is not None:
                call.cancel()
            return
        await self._free.acquire()
        await self._writer.drain()
        call = self._tasks.create_task(self._answer(number, asked))
        self._calls[number] = call
        call.add_done_callback(lambda done: self._forget(number, done))
        await asyncio.sleep(0)  # most calls are over at once

    def _forget(self, number: Any, call: asyncio.Task[None]) -> None:
        self._free.release()
        if self._calls.get(number) is call:
            del self._calls[number]

    async def _answer(self, number: Any, asked: Any) -> None:
        self._writer.write(await _answer(self._engine, number, asked))

    def _give_events(self) -> None:
        if self._events is None:
            self._events = _Events(self._writer)
            self._events.begin(self._engine.announcer, self._tasks)

    def end(self) -> None:
        """Stops what is still going on."""
        for call in tuple(self._calls.values()):
            call.cancel()
        if self._events is not None:
            self._events.end()


class _Events:
    """Events on their way to one caller, no more than a bounded number of bytes."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._waiting_bytes = 0
        self._unsubscribe: Callable[[], None] | None = None
        self._pumping: asyncio.Task[None] | None = None

    def begin(self, announcer: Announcer, tasks: asyncio.TaskGroup) -> None:
        """Gives events from now on."""
        self._unsubscribe = announcer.subscribe(self._offer)
        self._pumping = tasks.create_task(self._pump())

    def _offer(self, event: Event) -> None:
        line = _line(event)
        self._waiting_bytes += len(line)
        if self._waiting_bytes > _MOST_WAITING_BYTES:
            self._writer.transport.abort()  # it asks again from where it was
        else:
            self._lines.put_nowait(line)

    async def _pump(self) -> None:
        while True:
            line = await self._lines.get()
            self._writer.write(line)
            await self._writer.drain()
            self._waiting_bytes -= len(line)

    def end(self) -> None:
        """Gives no more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._pumping is not None:
            self._pumping.cancel()


async def _answer(engine: Engine, number: Any, asked: Any) -> bytes:
    """The line that answers a call."""
    try:
        method, arguments = _understood(engine, asked)
        result = method(**arguments)
        if inspect.isawaitable(result):
            result = await result
        return _line([number, result])
    except XirtamError as error:
        return _line([number, None, _kind(error), str(error)])
    except Exception:  # whatever a caller brought about, the engine goes on
        _log.exception("a call from another process failed")
        return _line([number, None, "XirtamError", "the xirtam that has this account open could not do that"])


def _understood(engine: Engine, asked: Any) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The method that is called, and its arguments as the types that it takes; raises `XirtamError` for any other call."""
    try:
        _, path, arguments = asked
        operation = OPERATIONS.get(path)
    except (TypeError, ValueError):
        raise XirtamError("a call that is not understood") from None
    if operation is None:
        raise XirtamError(f"a running xirtam has no {path!r}: is it another version?")
    try:
        method = engine.method(operation)
        typed = {name: _typed(operation, name, value) for name, value in arguments.items()}
        inspect.signature(method).bind(**typed)
    except (TypeError, AttributeError) as fault:
        raise Malformed(f"a call of {path} that is not understood: {fault}") from None
    return method, typed


def _typed(operation: Operation, name: str, value: Any) -> Any:
    if name not in operation.parameters:
        raise Malformed(f"{operation.path} takes no {name!r}: is it another version?")
    try:
        return msgspec.convert(value, operation.parameters[name], dec_hook=decode_name)
    except ValueError as fault:
        raise Malformed(f"{operation.path}, {name}: {fault}") from None


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


def _line(value: Any) -> bytes:
    return msgspec.json.encode(value, enc_hook=encode_name) + b"\n"
