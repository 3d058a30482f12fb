"""Calls over TCP: lines of JSON on one connection, many calls in flight (spec: rpc.md, TCP)."""

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from xirtam_core.errors import Malformed, Unreachable
from xirtam_core.rpc.transports.limits import LONGEST_ANSWER
from xirtam_core.rpc.transports.multiplexed import KEEP_ALIVE_S, MultiplexedTransport
from xirtam_core.rpc.transports.sockets import dial


class TcpTransport(MultiplexedTransport):
    """A transport to the server at one `tcp` URL, which names the port."""

    def __init__(self, url: str, *, keep_alive_s: float = KEEP_ALIVE_S, longest_answer: int = LONGEST_ANSWER) -> None:
        host, port = host_and_port(url)

        async def opener() -> LineChannel:
            return LineChannel(*await dial(host, port, limit=longest_answer))

        super().__init__(f"tcp://{host}:{port}", opener, keep_alive_s)


def host_and_port(url: str) -> tuple[str, int]:
    """Where a `tcp` or `lz4tcp` URL leads; raises `Malformed` for one that does not say both."""
    parts = urlsplit(url)
    if parts.hostname is None or not parts.port:
        raise Malformed(f"a {parts.scheme} URL names a host and a port")
    return parts.hostname, parts.port


def as_line(message: bytes) -> bytes:
    """A message as it travels; within JSON a line end is only white space."""
    return message.replace(b"\n", b" ") + b"\n"


class LineChannel:
    """A connection on which each line is a message. (asyncio has set TCP_NODELAY.)"""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, messages: Iterable[bytes]) -> None:
        """See `Channel`."""
        self._writer.writelines([as_line(message) for message in messages])

    async def receive(self) -> bytes:
        """See `Channel`."""
        try:
            line = await self._reader.readline()
        except ValueError:
            raise Unreachable("the server's answer is too long") from None
        if not line.endswith(b"\n"):
            raise Unreachable("the server closed the connection")
        return line

    def abort(self) -> None:
        """See `Channel`."""
        self._writer.transport.abort()  # rather than close, which would wait for a peer that reads nothing
