"""A complete private network in one process: a directory, a home server that is registered in it, and the doors to both.

The order matters. The ports are taken before the server is registered, because they go into its entry; the server is in the
directory before anybody is let in; and what stops does so in the reverse order, so that every call that was taken is answered.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Malformed
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl
from xirtam_core.rpc.directory import Directory, DirectoryBusy
from xirtam_core.rpc.home_server import ServerBusy
from xirtam_core.rpc.service import Dispatcher
from xirtam_core.rpc.transports.local import LocalTransport
from xirtam_server import identity
from xirtam_server.config import ServerConfig, StartFailed
from xirtam_server.directory.service import DirectoryService
from xirtam_server.home.service import HomeService
from xirtam_server.home.settings import HomeSettings
from xirtam_server.transports import http, lz4tcp, tcp
from xirtam_server.transports.addresses import TrustedProxies
from xirtam_server.transports.connections import ConnectionLimits, Connections
from xirtam_server.transports.door import Door
from xirtam_server.transports.tls import Certificate, CertificateUnusable, TlsFiles, TlsServer

_GRACE_S = 3.0
_WS_PATH = "/ws"


class Ready(msgspec.Struct, frozen=True):
    """Where a running network is reached."""

    server_name: ServerName
    http_url: str
    ws_url: str
    tcp_url: str | None
    lz4_url: str | None
    directory_url: str
    directory_pk: SigningPublic

    @property
    def join(self) -> JoinLink:
        """What a newcomer pastes."""
        return JoinLink((self.directory_url,), self.directory_pk, self.server_name)


class Listeners(msgspec.Struct, frozen=True):
    """Bound sockets, and the URLs that lead to them."""

    http: socket.socket
    tcp: socket.socket | None
    lz4: socket.socket | None
    http_url: str
    tcp_url: str | None
    lz4_url: str | None

    @property
    def ws_url(self) -> str:
        """WebSocket is where HTTP is, on a path of its own."""
        return self.http_url.replace("http", "ws", 1) + _WS_PATH.lstrip("/")

    def close(self) -> None:
        """Lets go of the ports."""
        for bound in (self.http, self.tcp, self.lz4):
            if bound is not None:
                bound.close()

    def descriptor(self, server_pk: SigningPublic) -> ServerDescriptor:
        """What the directory says of a server that is reached here."""
        urls = (
            self.http_url,
            self.tcp_url,
            self.lz4_url,
        )  # old clients use the first and no other, and know no WebSocket
        return ServerDescriptor(tuple(ServerUrl(url) for url in urls if url is not None), server_pk)


def bind(config: ServerConfig, last: ServerDescriptor | None) -> Listeners:
    """Takes the ports, that of the `last` start again where nothing else is asked for; raises `StartFailed`."""
    http_socket = (_bind_again(config.host, last) if config.port is None else None) or _bind(
        config.host, config.port or 0, "--port"
    )
    tcp_socket = None if config.tcp_port is None else _bind(config.host, config.tcp_port, "--tcp-port")
    lz4_socket = None if config.lz4_port is None else _bind(config.host, config.lz4_port, "--lz4-port")
    http_url = _url("http" if config.tls is None else "https", http_socket)
    tcp_url = None if tcp_socket is None else _url("tcp", tcp_socket)
    lz4_url = None if lz4_socket is None else _url("lz4tcp", lz4_socket)
    return Listeners(http_socket, tcp_socket, lz4_socket, http_url, tcp_url, lz4_url)


def _bind_again(host: str, last: ServerDescriptor | None) -> socket.socket | None:
    port = urlsplit(last.public_urls[0]).port if last is not None and last.public_urls else None
    try:
        return None if port is None else _bind(host, port, "--port")
    except StartFailed:
        return None


def _bind(host: str, port: int, flag: str) -> socket.socket:
    if host in ("", "0.0.0.0", "::"):  # noqa: S104  # this is where it is refused
        raise StartFailed("clients are told this address: give --host one that they reach, like 192.168.1.10")
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as fault:
        raise StartFailed(f"cannot listen on {host} port {port}: {fault.strerror}; name another with {flag}") from None


def _url(scheme: str, bound: socket.socket) -> str:
    """The URL in the normal form that descriptors hold: one of HTTP has a path."""
    host, port = bound.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{'/' if scheme.startswith('http') else ''}"


class Network:
    """A running network."""

    def __init__(
        self, ready: Ready, home: HomeService, connections: Connections, certificate: Certificate | None
    ) -> None:
        self.ready = ready
        self.home = home
        self.connections = connections
        self.certificate = certificate


@contextlib.asynccontextmanager
async def running(
    config: ServerConfig, data_dir: Path, limits: ConnectionLimits | None = None
) -> AsyncGenerator[Network]:
    """The network, from the moment it answers until it has answered all that it took."""
    who = identity.load_or_make(data_dir, config.name)
    connections = Connections(limits or ConnectionLimits(), _trusted(config))
    certificate = None if config.tls is None else _certificate(config.tls)
    async with contextlib.AsyncExitStack() as stack:
        directory = await DirectoryService.open(
            data_dir / "directory.db", who.directory, effort=config.pow_effort, chunk_delay_s=config.chunk_delay_s
        )
        stack.push_async_callback(directory.close)
        directory_pk = signing.public_of(who.directory)
        local = Directory.stub(LocalTransport(Dispatcher(directory)))
        client = DirectoryClient(local, directory_pk, MemoryHeaderStore(), pause_s=config.chunk_delay_s / 2)
        last = await client.server(who.name)
        listeners = bind(config, last)
        stack.callback(listeners.close)
        settings = HomeSettings(who.name, legacy_device_auth=config.legacy_device_auth)
        home = await HomeService.open(settings, data_dir / "home.db", client)
        stack.push_async_callback(home.close)
        descriptor = listeners.descriptor(signing.public_of(who.server))
        if descriptor != last:
            await client.publish(who.name, who.server, descriptor.blob())
        servers = await _open_doors(listeners, home, directory, connections, certificate)
        stack.push_async_callback(_close_doors, home, connections, servers)
        ready = Ready(
            who.name,
            listeners.http_url,
            listeners.ws_url,
            listeners.tcp_url,
            listeners.lz4_url,
            listeners.http_url + "directory",
            directory_pk,
        )
        yield Network(ready, home, connections, certificate)


def _trusted(config: ServerConfig) -> TrustedProxies:
    try:
        return TrustedProxies(config.trusted_proxies)
    except Malformed as fault:
        raise StartFailed(str(fault)) from None


def _certificate(files: TlsFiles) -> Certificate:
    try:
        return Certificate(files)
    except CertificateUnusable as reason:
        raise StartFailed(
            f"cannot use the certificate {files.certificate} with the key {files.key}: {reason}; both are files in PEM"
        ) from None


async def _open_doors(
    listeners: Listeners,
    home: HomeService,
    directory: DirectoryService,
    connections: Connections,
    certificate: Certificate | None,
) -> list[asyncio.Server | TlsServer]:
    home_door, directory_door = Door(home, ServerBusy()), Door(directory, DirectoryBusy())
    app = http.Application(
        {
            "/": http.RpcEndpoint(home_door, connections, says_parse_error=False),
            "/directory": http.RpcEndpoint(directory_door, connections, says_parse_error=True),
        }
    )
    servers: list[asyncio.Server | TlsServer] = [
        await http.listen(app, listeners.http, connections, {_WS_PATH: home_door}, certificate)
    ]
    if listeners.tcp is not None:
        servers.append(await tcp.listen(home_door, listeners.tcp, connections))
    if listeners.lz4 is not None:
        servers.append(await lz4tcp.listen(home_door, listeners.lz4, connections))
    return servers


async def _close_doors(home: HomeService, connections: Connections, servers: list[asyncio.Server | TlsServer]) -> None:
    for server in servers:
        server.close()
    home.stop_waiting()
    try:
        async with asyncio.timeout(_GRACE_S):
            await connections.finish()
    except TimeoutError:
        connections.abort()
