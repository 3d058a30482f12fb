"""A running server in one process: a directory or a mirror of one, a home server, or both, and the doors to them.

The order matters. The ports are taken before the server is registered, because they go into its entry; the server is in the
directory before anybody is let in; and what stops does so in the reverse order, so that every call that was taken is answered.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from starlette.routing import Route

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.errors import Malformed, XirtamError
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ServerDescriptor
from xirtam_core.rpc.directory import DirectoryBusy
from xirtam_core.rpc.home_server import ServerBusy
from xirtam_server import known_directory
from xirtam_server.config import Role, ServerConfig, StartFailed
from xirtam_server.data_dir import DIRECTORY_DATABASE
from xirtam_server.directory import cacheable
from xirtam_server.directory.limits import UNLIMITED
from xirtam_server.directory.mirror import MirrorService
from xirtam_server.directory.public import PublicDirectory
from xirtam_server.directory.service import DirectoryService
from xirtam_server.home.proxying import Forwarder
from xirtam_server.home.service import HomeService
from xirtam_server.identity import HomeIdentity, directory_key, home_identity
from xirtam_server.known_directory import KnownDirectory
from xirtam_server.listeners import WS_PATH, Listeners, bind
from xirtam_server.operations.listener import Operations
from xirtam_server.operations.metrics import Metrics
from xirtam_server.transports import http, lz4tcp, tcp
from xirtam_server.transports.addresses import TrustedProxies
from xirtam_server.transports.connections import Connections
from xirtam_server.transports.door import Door
from xirtam_server.transports.tls import Certificate, CertificateUnusable, TlsFiles, TlsServer

_log = logging.getLogger(__name__)
_GRACE_S = 3.0
_DIRECTORY_PATH = "/directory"

ServedDirectory = DirectoryService | MirrorService


class Ready(msgspec.Struct, frozen=True):
    """Where a running server is reached: at the addresses it listens on, and the directory from outside."""

    server_name: ServerName | None
    http_url: str
    ws_url: str
    tcp_url: str | None
    lz4_url: str | None
    directory_urls: tuple[str, ...]
    directory_pk: SigningPublic
    metrics_url: str | None

    @property
    def join(self) -> JoinLink:
        """What a newcomer pastes."""
        return JoinLink(self.directory_urls, self.directory_pk, self.server_name)


class Network(msgspec.Struct, frozen=True):
    """A running server. `doors` are those of the services that it has, by "home" and "directory"."""

    ready: Ready
    home: HomeService | None
    directory: ServedDirectory | None
    doors: Mapping[str, Door]
    connections: Connections
    certificate: Certificate | None


@contextlib.asynccontextmanager
async def running(config: ServerConfig, data_dir: Path, role: Role = Role.NETWORK) -> AsyncGenerator[Network]:
    """The server, from the moment it answers until it has answered all that it took."""
    connections = Connections(config.limits.connections, _trusted(config))
    certificate = None if config.listen.tls is None else _certificate(config.listen.tls)
    async with contextlib.AsyncExitStack() as stack:
        who = home_identity(config, data_dir, role) if role.serves_home else None
        known, served = await _directories(config, data_dir, role, stack)
        may_publish = role is Role.NETWORK
        last = await _last_entry(known.client, who.name, must_answer=may_publish) if who else None
        listeners = bind(config, last)
        stack.callback(listeners.close)
        home = None
        if who is not None:
            home = await _open_home(config, data_dir, who.name, known, stack)
            await _settle_entry(known.client, who, listeners, last, may_publish=may_publish)
        doors, routes = _doors(home, served, config)
        servers = await _open_doors(listeners, doors, routes, connections, certificate)
        stack.push_async_callback(_close_doors, home, connections, servers)
        ready = Ready(
            None if who is None else who.name,
            listeners.http_url,
            listeners.ws_url,
            listeners.tcp_url,
            listeners.lz4_url,
            (listeners.directory_url(),) if role.serves_directory else known.urls,
            known.pk,
            listeners.metrics_url,
        )
        network = Network(ready, home, served, doors, connections, certificate)
        if listeners.metrics is not None:
            operations = _operations(config, data_dir, network)
            stack.push_async_callback(operations.close)
            await operations.listen(listeners.metrics)
        yield network


def _trusted(config: ServerConfig) -> TrustedProxies:
    try:
        return TrustedProxies(config.listen.trusted_proxies)
    except Malformed as fault:
        raise StartFailed(str(fault)) from None


def _certificate(files: TlsFiles) -> Certificate:
    try:
        return Certificate(files)
    except CertificateUnusable as reason:
        raise StartFailed(
            f"cannot use the certificate {files.certificate} with the key {files.key}: {reason}; both are files in PEM"
        ) from None


async def _directories(
    config: ServerConfig, data_dir: Path, role: Role, stack: contextlib.AsyncExitStack
) -> tuple[KnownDirectory, ServedDirectory | None]:
    """The directory that is asked from here, and the one that others ask here."""
    if role is Role.HOME:
        known = known_directory.elsewhere(config.directory, data_dir)
        stack.push_async_callback(known.close)
        return known, None
    if role is Role.MIRROR:
        known = known_directory.elsewhere(config.directory)
        stack.push_async_callback(known.close)
        mirror = await MirrorService.open(
            data_dir / "directory.db",
            known.service,
            known.pk,
            limits=config.limits.mirror,
            directory_limits=config.limits.directory_callers,
        )
        stack.push_async_callback(mirror.close)
        return known, mirror
    key = directory_key(config, data_dir)
    service = await DirectoryService.open(
        data_dir / "directory.db",
        key,
        effort=config.pow_effort,
        chunk_delay_s=config.chunk_delay_s,
        heartbeat_s=config.directory.heartbeat_s,
        seed_valid_s=config.directory.seed_valid_s,
        bounds=config.limits.directory,
        limits=config.limits.directory_callers,
    )
    stack.push_async_callback(service.close)
    return known_directory.served_here(service, key, pause_s=config.chunk_delay_s / 2), service


async def _open_home(
    config: ServerConfig, data_dir: Path, name: ServerName, known: KnownDirectory, stack: contextlib.AsyncExitStack
) -> HomeService:
    settings = config.home_settings(name)
    forwarder = Forwarder(settings.proxy, known.client, known.transport)
    stack.push_async_callback(forwarder.close)
    home = await HomeService.open(
        settings, config.database, known.client, config.fragments, config.limits.store, forwarder, config.postgres
    )
    stack.push_async_callback(home.close)
    return home


async def _last_entry(client: DirectoryClient, name: ServerName, *, must_answer: bool) -> ServerDescriptor | None:
    """What the directory says of this server; None, and a warning, where one that is elsewhere does not say."""
    try:
        return await client.server(name)
    except Malformed:
        return None
    except XirtamError as fault:
        if must_answer:
            raise
        _log.warning("the directory did not answer usably (%s): this server starts without it", type(fault).__name__)
        return None


async def _settle_entry(
    client: DirectoryClient,
    who: HomeIdentity,
    listeners: Listeners,
    last: ServerDescriptor | None,
    *,
    may_publish: bool,
) -> None:
    """Sees to it that the directory says where this server is, or says what keeps clients from finding it."""
    descriptor = listeners.descriptor(signing.public_of(who.key))
    if descriptor == last:
        return
    if may_publish:
        await client.publish(who.name, who.key, descriptor.blob())
    elif last is not None and last.server_pk != descriptor.server_pk:
        raise StartFailed(f"the directory knows {who.name} by another key: restore server.key, or take another name")
    else:
        _log.warning("the directory does not say where this server is: run xirtam-server register-name")


def _doors(
    home: HomeService | None, directory: ServedDirectory | None, config: ServerConfig
) -> tuple[dict[str, Door], list[Route]]:
    """The doors of what is served, and what can be had of it by GET."""
    doors: dict[str, Door] = {}
    routes: list[Route] = []
    depth = config.limits.connections.max_depth
    if home is not None:
        doors["home"] = Door(home, ServerBusy(), depth)
    if directory is not None:
        # A directory that only this machine asks has no strangers, and no need of caches.
        limits = UNLIMITED if config.listen.is_private else config.limits.directory_callers
        public = PublicDirectory(directory, limits)
        doors["directory"] = Door(public, DirectoryBusy(), depth)
        routes = cacheable.routes(_DIRECTORY_PATH, public)
    return doors, routes


async def _open_doors(
    listeners: Listeners,
    doors: Mapping[str, Door],
    routes: Sequence[Route],
    connections: Connections,
    certificate: Certificate | None,
) -> list[asyncio.Server | TlsServer]:
    endpoints: dict[str, http.RpcEndpoint] = {}
    if "directory" in doors:
        # Where there is no home server the directory is at the root, too, as that of others is.
        endpoints[_DIRECTORY_PATH] = endpoints["/"] = http.RpcEndpoint(
            doors["directory"], connections, says_parse_error=True
        )
    if "home" in doors:
        endpoints["/"] = http.RpcEndpoint(doors["home"], connections, says_parse_error=False)
    at_root = doors.get("home") or doors["directory"]
    app = http.Application(endpoints, routes)
    servers = [await http.listen(app, listeners.http, connections, {WS_PATH: at_root}, certificate)]
    if listeners.tcp is not None:
        servers.append(await tcp.listen(at_root, listeners.tcp, connections))
    if listeners.lz4 is not None:
        servers.append(await lz4tcp.listen(at_root, listeners.lz4, connections))
    return servers


def _operations(config: ServerConfig, data_dir: Path, network: Network) -> Operations:
    probes: dict[str, Callable[[], Awaitable[object]]] = {}
    home, directory = network.home, network.directory
    if home is not None:
        probes["home"] = lambda: home.store.probe(time.time_ns())
    if isinstance(directory, DirectoryService):
        probes["directory"] = directory.probe
    elif directory is not None:
        probes["mirror"] = directory.get_anchor  # which it has while it keeps up
    databases = {} if directory is None else {"directory": data_dir / DIRECTORY_DATABASE}
    if home is not None and config.home_database is not None:
        databases["home"] = config.home_database
    metrics = Metrics(data_dir, databases, home, network.doors, network.connections)
    return Operations(metrics, None if home is None else home.store, probes, config.metrics)


async def _close_doors(
    home: HomeService | None, connections: Connections, servers: list[asyncio.Server | TlsServer]
) -> None:
    for server in servers:
        server.close()
    if home is not None:
        home.stop_waiting()
    try:
        async with asyncio.timeout(_GRACE_S):
            await connections.finish()
    except TimeoutError:
        connections.abort()
