"""The ports that a server takes, and the URLs that lead to them: from here, and from outside."""

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urljoin, urlsplit

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl
from xirtam_server.config import ListenSettings, ServerConfig, StartFailed

WS_PATH = "/ws"


class Listeners(msgspec.Struct, frozen=True):
    """Bound sockets, and where clients and operators find them."""

    http: socket.socket
    tcp: socket.socket | None
    lz4: socket.socket | None
    metrics: socket.socket | None
    http_url: str
    tcp_url: str | None
    lz4_url: str | None
    metrics_url: str | None
    public_urls: tuple[ServerUrl, ...]

    @property
    def ws_url(self) -> str:
        """WebSocket is where HTTP is, on a path of its own."""
        return self.http_url.replace("http", "ws", 1) + WS_PATH.lstrip("/")

    def close(self) -> None:
        """Lets go of the ports."""
        for bound in (self.http, self.tcp, self.lz4, self.metrics):
            if bound is not None:
                bound.close()

    def directory_url(self) -> str:
        """Where clients find a directory that is served here; raises `StartFailed` where they would not."""
        for url in self.public_urls:
            if url.startswith(("http:", "https:")):
                return urljoin(url if url.endswith("/") else url + "/", "directory")
        raise StartFailed("a directory is reached over HTTP: put an http or https URL into public_urls")

    def descriptor(self, server_pk: SigningPublic) -> ServerDescriptor:
        """What the directory says of a server that is reached here."""
        return ServerDescriptor(self.public_urls, server_pk)


def bind(config: ServerConfig, last: ServerDescriptor | None) -> Listeners:
    """Takes the ports, that of the `last` start again where nothing else is asked for; raises `StartFailed`."""
    listen, host = config.listen, config.listen.host
    if host in ("", "0.0.0.0", "::") and not listen.public_urls:  # noqa: S104  # this is where it is refused
        raise StartFailed(
            "clients are told this address: give --host one that they reach, like 192.168.1.10, or a --public-url"
        )
    with ExitStack() as taken:
        http = _bind_http(listen, None if listen.public_urls else last)
        taken.callback(http.close)
        tcp = _bind_if_wanted(host, listen.tcp_port, "--tcp-port", taken.callback)
        lz4 = _bind_if_wanted(host, listen.lz4_port, "--lz4-port", taken.callback)
        metrics = _bind_if_wanted(config.metrics.host, config.metrics.port, "--metrics-port", taken.callback)
        taken.pop_all()
    http_url = _url("http" if listen.tls is None else "https", http)
    tcp_url, lz4_url = _url_if_bound("tcp", tcp), _url_if_bound("lz4tcp", lz4)
    # Old clients use the first and no other, and know no WebSocket.
    here = tuple(ServerUrl(url) for url in (http_url, tcp_url, lz4_url) if url is not None)
    return Listeners(
        http, tcp, lz4, metrics, http_url, tcp_url, lz4_url, _url_if_bound("http", metrics), listen.public_urls or here
    )


def _bind_http(listen: ListenSettings, last: ServerDescriptor | None) -> socket.socket:
    if listen.port is not None:
        return _bind(listen.host, listen.port, "--port")
    port = urlsplit(last.public_urls[0]).port if last is not None and last.public_urls else None
    if port is not None:
        try:
            return _bind(listen.host, port, "--port")
        except StartFailed:
            pass
    return _bind(listen.host, 0, "--port")


def _bind_if_wanted(
    host: str, port: int | None, flag: str, taken: Callable[[Callable[[], None]], object]
) -> socket.socket | None:
    if port is None:
        return None
    bound = _bind(host, port, flag)
    taken(bound.close)
    return bound


def _bind(host: str, port: int, flag: str) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as fault:
        raise StartFailed(f"cannot listen on {host} port {port}: {_reason(fault)}; name another with {flag}") from None


def _reason(fault: OSError) -> str:
    """Why it failed, without the address, which asyncio and `socket` put into `strerror` after it."""
    if isinstance(fault, socket.gaierror) or not fault.errno:
        return fault.strerror or "there is no such address"
    return os.strerror(fault.errno)


def _url_if_bound(scheme: str, bound: socket.socket | None) -> str | None:
    return None if bound is None else _url(scheme, bound)


def _url(scheme: str, bound: socket.socket) -> str:
    """The URL in the normal form that descriptors hold: one of HTTP has a path."""
    host, port = bound.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{'/' if scheme.startswith('http') else ''}"
