"""Calls over TCP: lines of JSON on one connection, many calls in flight (spec: rpc.md, TCP).

The connection is made by the first call, and again by the first call after it was lost. Each has one task that connects, reads, and
fails the calls still waiting when it ends. A line that is no response breaks the connection, as nothing after it can be trusted.
"""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import msgspec

from xirtam_core.errors import Malformed, NotConnected, Unreachable
from xirtam_core.rpc.transports.limits import CONNECT_TIMEOUT_S, LONGEST_ANSWER, check_request, probing

KEEP_ALIVE_S: Final = 120.0
"""A server stops reading a connection on which no line came for 600 s, calls in flight or not."""

_MOST_IDLE_BEATS = 5


class TcpTransport:
    """A transport to the server at one `tcp` URL, which names the port."""

    def __init__(self, url: str, *, keep_alive_s: float = KEEP_ALIVE_S, longest_answer: int = LONGEST_ANSWER) -> None:
        parts = urlsplit(url)
        if parts.hostname is None or not parts.port:
            raise Malformed("a tcp URL names a host and a port")
        self._host, self._port = parts.hostname, parts.port
        self._keep_alive_s = keep_alive_s
        self._longest_answer = longest_answer
        self._connection: _Connection | None = None
        self._is_closed = False

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """See `Transport`. Raises `Malformed` for a request over 1 MiB, and `NotConnected` where nothing was sent."""
        check_request(request)
        if self._is_closed:
            raise NotConnected("the connection was closed")
        if self._connection is None or self._connection.is_lost:
            self._connection = _Connection(self._host, self._port, self._keep_alive_s, self._longest_answer)
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

    def __init__(self, host: str, port: int, keep_alive_s: float, longest_answer: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._keep_alive_s = keep_alive_s
        self._waiting: dict[str | int, asyncio.Future[bytes]] = {}
        self._unsent: dict[str, bytes] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._idle_beats = 0
        self._heard_at = 0.0
        self.is_lost = False
        self._task = asyncio.create_task(self._run(host, port, longest_answer), name=f"tcp://{host}:{port}")

    async def call(self, request: bytes, call_id: str, timeout_s: float) -> bytes:
        """The line that answers `request`."""
        line = request.replace(b"\n", b" ") + b"\n"  # within JSON a line end is only white space
        answer = self._waiting[call_id] = self._loop.create_future()
        if self._writer is None:
            self._unsent[call_id] = line
        else:
            self._writer.write(line)
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

    async def _run(self, host: str, port: int, longest_answer: int) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                streams = await asyncio.open_connection(host, port, limit=longest_answer)
        except (OSError, UnicodeError) as fault:  # a time-out is an OSError; a host that is no name, a UnicodeError
            self._lose(NotConnected(f"no connection to the server: {fault or 'it does not react'}"))
            return
        try:
            self._open(streams[1])
            self._lose(Unreachable(await self._read(streams[0])))
        except OSError as fault:
            self._lose(Unreachable(f"the connection broke: {fault}"))
        finally:
            streams[1].transport.abort()  # rather than close, which would wait for a peer that reads nothing

    def _open(self, writer: asyncio.StreamWriter) -> None:
        """Sends what waited for the connection. (asyncio has set TCP_NODELAY.)"""
        self._writer = writer
        for option in probing():
            writer.get_extra_info("socket").setsockopt(*option)
        writer.writelines(self._unsent.values())
        self._unsent.clear()
        self._beat = self._loop.call_later(self._keep_alive_s, self._keep_alive)

    def _keep_alive(self) -> None:
        """Sends an empty line, or ends a connection that nobody has used for long."""
        self._idle_beats = 0 if self._waiting else self._idle_beats + 1
        if self._writer is None or self._idle_beats > _MOST_IDLE_BEATS:
            self._end(Unreachable("the connection was idle"))
            return
        self._writer.write(b"\n")
        self._beat = self._loop.call_later(self._keep_alive_s, self._keep_alive)

    async def _read(self, reader: asyncio.StreamReader) -> str:
        """Hands out answers until the connection ends; returns why it did."""
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                return "the server's answer is too long"
            if not line.endswith(b"\n"):
                return "the server closed the connection"
            self._heard_at = self._loop.time()
            if line.isspace():
                continue
            try:
                answer = self._waiting.get(_answer_to.decode(line).id)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                return "the server sent something that is no response"
            if answer is not None and not answer.done():
                answer.set_result(line)

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
