"""Which transport a URL's scheme chooses (spec: rpc.md, Transports)."""

import ssl
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from xirtam_core.errors import Malformed
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports.http import HttpTransport
from xirtam_core.rpc.transports.limits import LONGEST_ANSWER
from xirtam_core.rpc.transports.lz4tcp import Lz4TcpTransport
from xirtam_core.rpc.transports.tcp import TcpTransport
from xirtam_core.rpc.transports.ws import WebSocketTransport

_SCHEMES = ("http", "https", "ws", "wss", "tcp", "lz4tcp")
_WITHOUT_USUAL_PORT = ("tcp", "lz4tcp")

SCHEMES: Final = "http, https, ws, wss, and tcp and lz4tcp with a port"


def connect(url: str, *, longest_answer: int = LONGEST_ANSWER, authorities: ssl.SSLContext | None = None) -> Transport:
    """A transport to `url`; it connects with its first call. Raises `Malformed` for a URL that none of our transports serves.

    Answers longer than `longest_answer` bytes are not taken. `authorities` are trusted instead of the public ones, where the URL asks
    for TLS. Belongs to the event loop that it is first used in; whoever makes it closes it.
    """
    if not _is_usable(url):
        raise Malformed(f"not a URL that can be reached from here: {SCHEMES} can")
    match urlsplit(url).scheme:
        case "tcp":
            return TcpTransport(url, longest_answer=longest_answer)
        case "lz4tcp":
            return Lz4TcpTransport(url, longest_answer=longest_answer)
        case "ws" | "wss":
            return WebSocketTransport(url, longest_answer=longest_answer, authorities=authorities)
        case _:
            return HttpTransport(url, longest_answer=longest_answer, authorities=authorities)


def usable_url(urls: Iterable[str]) -> str | None:
    """The first of a server's URLs that `connect` takes, or None."""
    return next((url for url in urls if _is_usable(url)), None)


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = bool(parts.port) or (parts.port is None and parts.scheme not in _WITHOUT_USUAL_PORT)
    except ValueError:
        return False
    has_user = parts.scheme in ("ws", "wss") and parts.username is not None
    return parts.scheme in _SCHEMES and bool(parts.hostname) and has_port and not has_user
