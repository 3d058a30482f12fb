"""Many calls in flight on one connection, matched by their ids: what TCP, LZ4 and WebSocket have in common (spec: rpc.md, Transports).

The connection is made by the first call, and again by the first call after it was lost. Each has one task that connects, reads, and
fails the calls still waiting when it ends. What is no response breaks the connection, as nothing after it can be trusted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

import msgspec

from xirtam_core.errors import NotConnected, Unreachable
from xirtam_core.rpc.transports.limits import CONNECT_TIMEOUT_S, check_request

KEEP_ALIVE_S: Final = 120.0
"""A server stops reading a connection on which nothing came for 600 s, calls in flight or not."""

_MOST_IDLE_BEATS = 5


class Channel(Protocol):
    """An open connection that carries whole messages; b"" is one too, and says only that this end is there."""

    def send(self, messages: Iterable[bytes]) -> None:
        """Sends them soon, in order."""
        ...

    async def receive(self) -> bytes:
        """The next message; raises `Unreachable` or `OSError` when there will be none, and where it is too long."""
        ...

    def abort(self) -> None:
        """Ends the connection at once, whether or not the other end reads."""
        ...


Opener = Callable[[], Awaitable[Channel]]
"""Makes the connection; raises `NotConnected`, or what the system or the host's name has to say against it."""


class MultiplexedTransport:
    """A transport to one server over one connection at a time, which `opener` makes."""

    def __init__(self, name: str, opener: Opener, keep_alive_s: float = KEEP_ALIVE_S) -> None:
        self._name, self._opener, self._keep_alive_s = name, opener, keep_alive_s
        self._connection: _Connection | None = None
        self._is_closed = False

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """See `Transport`. Raises `Malformed` for a request over 1 MiB, and `NotConnected` where nothing was sent."""
        check_request(request)
        if self._is_closed:
            raise NotConnected("the connection was closed")
        if self._connection is None or self._connection.is_lost:
            self._connection = _Connection(self._name, self._opener, self._keep_alive_s)
        return await self._connection.call(request, call_id, timeout_s)

    async def close(self) -> None:
        """Lets go of the connection; calls in flight fail."""
        self._is_closed = True
        if self._connection is not None:
            await self._connection.close()


class _AnswerTo(msgspec.Struct):
    """All of a response that matters here; the rest is decoded by whoever waits for it."""

    id: str | int


_answer_to = msgspec.json.Decoder(_AnswerTo)


class _Connection:
    """One connection while it lasts, and who waits for what on it."""

    def __init__(self, name: str, opener: Opener, keep_alive_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._keep_alive_s = keep_alive_s
        self._waiting: dict[str | int, asyncio.Future[bytes]] = {}
        self._unsent: dict[str, bytes] = {}
        self._channel: Channel | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._idle_beats = 0
        self._heard_at = 0.0
        self.is_lost = False
        self._task = asyncio.create_task(self._run(opener), name=name)

    async def call(self, request: bytes, call_id: str, timeout_s: float) -> bytes:
        """The message that answers `request`."""
        answer = self._waiting[call_id] = self._loop.create_future()
        if self._channel is None:
            self._unsent[call_id] = request
        else:
            self._channel.send((request,))
        started = self._loop.time()
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            if call_id in self._unsent:
                raise NotConnected(f"no connection within {timeout_s:g} s") from None
            if self._heard_at < started:
                self._end(Unreachable("the connection fell silent"))  # so that the next call tries a new one
            raise Unreachable(f"no answer within {timeout_s:g} s") from None
        finally:
            self._waiting.pop(call_id, None)
            self._unsent.pop(call_id, None)

    async def close(self) -> None:
        """Ends the connection, and waits until it has ended."""
        self._end(Unreachable("the connection was closed"))
        await asyncio.wait([self._task])

    async def _run(self, opener: Opener) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                channel = await opener()
        except (
            OSError,
            UnicodeError,
            Unreachable,
        ) as fault:  # a time-out is an OSError; a host that is no name, a UnicodeError
            self._lose(NotConnected(f"no connection to the server: {fault or 'it does not react'}"))
            return
        try:
            self._open(channel)
            self._lose(Unreachable(await self._read(channel)))
        except Unreachable as fault:
            self._lose(fault)
        except OSError as fault:
            self._lose(Unreachable(f"the connection broke: {fault}"))
        finally:
            channel.abort()

    def _open(self, channel: Channel) -> None:
        """Sends what waited for the connection."""
        self._channel = channel
        channel.send(self._unsent.values())
        self._unsent.clear()
        self._beat = self._loop.call_later(self._keep_alive_s, self._keep_alive)

    def _keep_alive(self) -> None:
        """Sends an empty message, or ends a connection that nobody has used for long."""
        self._idle_beats = 0 if self._waiting else self._idle_beats + 1
        if self._channel is None or self._idle_beats > _MOST_IDLE_BEATS:
            self._end(Unreachable("the connection was idle"))
            return
        self._channel.send((b"",))
        self._beat = self._loop.call_later(self._keep_alive_s, self._keep_alive)

    async def _read(self, channel: Channel) -> str:
        """Hands out answers until one cannot be understood; returns why it ended."""
        while True:
            message = await channel.receive()
            self._heard_at = self._loop.time()
            if not message or message.isspace():
                continue
            try:
                answer = self._waiting.get(_answer_to.decode(message).id)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                return "the server sent something that is no response"
            if answer is not None and not answer.done():
                answer.set_result(message)

    def _lose(self, fault: Unreachable) -> None:
        self.is_lost = True
        if self._beat is not None:
            self._beat.cancel()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(type(fault)(*fault.args))  # one each: a traceback grows with every raise

    def _end(self, fault: Unreachable) -> None:
        self._lose(fault)
        self._task.cancel()
