"""The ports of a server, taken before anybody is let in, and the URLs that lead to them: from here, and from outside."""

import socket
from urllib.parse import urljoin, urlsplit

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl
from xirtam_server.config import ServerConfig, StartFailed


class Listeners(msgspec.Struct, frozen=True):
    """Bound sockets, and the URLs that lead to them: from here, and from outside."""

    http: socket.socket
    tcp: socket.socket | None
    http_url: str
    tcp_url: str | None
    public_urls: tuple[ServerUrl, ...]
    metrics: socket.socket | None

    @property
    def metrics_url(self) -> str | None:
        """Where operators ask."""
        return None if self.metrics is None else _url("http", self.metrics)

    def close(self) -> None:
        """Lets go of the ports."""
        self.http.close()
        for also in (self.tcp, self.metrics):
            if also is not None:
                also.close()

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
    listen, operators = config.listen, config.metrics
    if listen.host in ("", "0.0.0.0", "::") and not listen.public_urls:  # noqa: S104  # this is where it is refused
        raise StartFailed(
            "clients are told this address: give --host one that they reach, like 192.168.1.10, or a --public-url"
        )
    last = None if listen.public_urls else last
    http_socket = (_bind_again(listen.host, last) if listen.port is None else None) or _bind(
        listen.host, listen.port or 0, "--port"
    )
    tcp_socket = None if listen.tcp_port is None else _bind(listen.host, listen.tcp_port, "--tcp-port")
    http_url, tcp_url = _url("http", http_socket), None if tcp_socket is None else _url("tcp", tcp_socket)
    at_socket = tuple(ServerUrl(url) for url in (http_url, tcp_url) if url is not None)
    metrics = None if operators.port is None else _bind(operators.host, operators.port, "--metrics-port")
    return Listeners(http_socket, tcp_socket, http_url, tcp_url, listen.public_urls or at_socket, metrics)


def _bind_again(host: str, last: ServerDescriptor | None) -> socket.socket | None:
    port = urlsplit(last.public_urls[0]).port if last is not None and last.public_urls else None
    try:
        return None if port is None else _bind(host, port, "--port")
    except StartFailed:
        return None


def _bind(host: str, port: int, flag: str) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as fault:
        raise StartFailed(f"cannot listen on {host} port {port}: {fault.strerror}; name another with {flag}") from None


def _url(scheme: str, bound: socket.socket) -> str:
    """The URL in the normal form that descriptors hold: one of HTTP has a path."""
    host, port = bound.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{'/' if scheme == 'http' else ''}"
