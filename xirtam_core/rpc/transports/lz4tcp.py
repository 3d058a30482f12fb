"""Calls over LZ4: the lines of TCP inside one LZ4 frame per direction (spec: rpc.md, LZ4)."""

import asyncio
from collections import deque
from collections.abc import Iterable

from xirtam_core.errors import Malformed, Unreachable
from xirtam_core.rpc.transports.limits import LONGEST_ANSWER
from xirtam_core.rpc.transports.lz4stream import FrameReader, FrameWriter
from xirtam_core.rpc.transports.multiplexed import KEEP_ALIVE_S, MultiplexedTransport
from xirtam_core.rpc.transports.sockets import dial
from xirtam_core.rpc.transports.tcp import as_line, host_and_port

_READ = 64 * 2**10


class Lz4TcpTransport(MultiplexedTransport):
    """A transport to the server at one `lz4tcp` URL, which names the port."""

    def __init__(self, url: str, *, keep_alive_s: float = KEEP_ALIVE_S, longest_answer: int = LONGEST_ANSWER) -> None:
        host, port = host_and_port(url)

        async def opener() -> Lz4Channel:
            return Lz4Channel(*await dial(host, port), longest_answer)

        super().__init__(f"lz4tcp://{host}:{port}", opener, keep_alive_s)


class Lz4Channel:
    """A connection on which each line is a message, packed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, longest_answer: int) -> None:
        self._reader, self._writer, self._longest_answer = reader, writer, longest_answer
        self._incoming, self._outgoing = FrameReader(), FrameWriter()
        self._lines: deque[bytes] = deque()
        self._partial = bytearray()

    def send(self, messages: Iterable[bytes]) -> None:
        """See `Channel`."""
        lines = b"".join([as_line(message) for message in messages])
        if lines:
            self._writer.write(self._outgoing.pack(lines))

    async def receive(self) -> bytes:
        """See `Channel`."""
        while not self._lines:
            try:
                self._split(await self._piece())
            except Malformed as fault:
                raise Unreachable(f"the server sent {fault}") from None
        return self._lines.popleft()

    async def _piece(self) -> bytes:
        if self._incoming.has_more:
            await asyncio.sleep(0)  # a little that comes may stand for much: others get their turn in between
        else:
            packed = await self._reader.read(_READ)
            if not packed:
                raise Unreachable("the server closed the connection")
            self._incoming.feed(packed)
        return self._incoming.read()

    def _split(self, piece: bytes) -> None:
        end = piece.rfind(b"\n") + 1
        whole, rest = piece[:end], piece[end:]
        if whole:
            # An empty line says no more than that somebody is there, and that is said once however many there are.
            self._lines.extend(
                line for line in (bytes(self._partial) + whole).split(b"\n") if line and not line.isspace()
            )
            self._partial.clear()
            if not self._lines:
                self._lines.append(b"")
        self._partial += rest
        if len(self._partial) > self._longest_answer:
            raise Unreachable("the server's answer is too long")

    def abort(self) -> None:
        """See `Channel`."""
        self._writer.transport.abort()
