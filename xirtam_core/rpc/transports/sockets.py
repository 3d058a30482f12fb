"""A client's sockets, which find out by themselves that the other end is gone."""

import asyncio
import socket
import ssl
from typing import Final

_PROBES: Final = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}


def probing() -> list[tuple[int, int, int]]:
    """Options for a client's sockets, by which the system finds out within a minute that the other end is gone.

    A long poll says nothing for minutes; after a change of networks, or a night with the lid closed, it would wait for nobody.
    """
    known = ((getattr(socket, name, None), value) for name, value in _PROBES.items())
    options = [(socket.IPPROTO_TCP, option, value) for option, value in known if option is not None]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *options]


async def dial(
    host: str, port: int, *, limit: int = 2**16, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection whose lines have at most `limit` bytes; raises what the system has to say against it."""
    reader, writer = await asyncio.open_connection(host, port, limit=limit, ssl=context)
    for option in probing():
        writer.get_extra_info("socket").setsockopt(*option)
    return reader, writer
