"""Which transport a URL's scheme chooses (spec: rpc.md, Transports)."""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from xirtam_core.errors import Malformed
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports.http import HttpTransport
from xirtam_core.rpc.transports.limits import LONGEST_ANSWER
from xirtam_core.rpc.transports.tcp import TcpTransport

_TRANSPORTS: dict[str, Callable[..., Transport]] = {
    "http": HttpTransport,
    "https": HttpTransport,
    "tcp": TcpTransport,
}


def connect(url: str, *, longest_answer: int = LONGEST_ANSWER) -> Transport:
    """A transport to `url`; it connects with its first call. Raises `Malformed` for a URL that none of our transports serves.

    Answers longer than `longest_answer` bytes are not taken.

    Belongs to the event loop that it is first used in; whoever makes it closes it.
    """
    if not _is_usable(url):
        raise Malformed("not a URL that can be reached from here: http, https and tcp (with a port) can")
    return _TRANSPORTS[urlsplit(url).scheme](url, longest_answer=longest_answer)


def usable_url(urls: Iterable[str]) -> str | None:
    """The first of a server's URLs that `connect` takes, or None."""
    return next((url for url in urls if _is_usable(url)), None)


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = bool(parts.port) or (parts.port is None and parts.scheme != "tcp")
    except ValueError:
        return False
    return parts.scheme in _TRANSPORTS and bool(parts.hostname) and has_port
