"""A running server in one process: a directory, a home server that is registered in it, or both, and the doors to them.

The order matters. The ports are taken before the server is registered, because they go into its entry; the server is in the
directory before anybody is let in; and what stops does so in the reverse order, so that every call that was taken is answered.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

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
from xirtam_server.directory.service import DirectoryService
from xirtam_server.home.service import HomeService
from xirtam_server.identity import HomeIdentity, directory_key, home_identity
from xirtam_server.known_directory import KnownDirectory
from xirtam_server.listeners import Listeners, bind
from xirtam_server.operations.listener import Operations
from xirtam_server.operations.metrics import Metrics
from xirtam_server.transports import http, tcp
from xirtam_server.transports.connections import Connections
from xirtam_server.transports.door import Door

_log = logging.getLogger(__name__)
_GRACE_S = 3.0


class Ready(msgspec.Struct, frozen=True):
    """Where a running server is reached: at the addresses it listens on, and the directory from outside."""

    server_name: ServerName | None
    http_url: str
    tcp_url: str | None
    directory_urls: tuple[str, ...]
    directory_pk: SigningPublic
    metrics_url: str | None

    @property
    def join(self) -> JoinLink:
        """What a newcomer pastes."""
        return JoinLink(self.directory_urls, self.directory_pk, self.server_name)


class Network:
    """A running server. `doors` are those of the services that it has, by "home" and "directory"."""

    def __init__(
        self,
        ready: Ready,
        home: HomeService | None,
        directory: DirectoryService | None,
        doors: Mapping[str, Door],
        connections: Connections,
    ) -> None:
        self.ready = ready
        self.home = home
        self.directory = directory
        self.doors = doors
        self.connections = connections


@contextlib.asynccontextmanager
async def running(config: ServerConfig, data_dir: Path, role: Role = Role.NETWORK) -> AsyncGenerator[Network]:
    """The server, from the moment it answers until it has answered all that it took."""
    connections = Connections(config.limits.connections)
    async with contextlib.AsyncExitStack() as stack:
        who = home_identity(config, data_dir, role) if role.serves_home else None
        served = None
        if role.serves_directory:
            served = await _open_directory(config, data_dir)
            stack.push_async_callback(served.close)
        known = _known_directory(config, data_dir, served)
        stack.push_async_callback(known.close)
        last = await _last_entry(known.client, who.name, must_answer=served is not None) if who else None
        listeners = bind(config, last)
        stack.callback(listeners.close)
        directory_urls = known.urls or (listeners.directory_url(),)
        home = None
        if who is not None:
            home = await HomeService.open(
                config.home_settings(who.name), data_dir / "home.db", known.client, config.limits.store
            )
            stack.push_async_callback(home.close)
            await _settle_entry(known.client, who, listeners, last, may_publish=served is not None)
        doors = _doors(home, served)
        servers = await _open_doors(listeners, doors, connections)
        stack.push_async_callback(_close_doors, home, connections, servers)
        name = None if who is None else who.name
        ready = Ready(name, listeners.http_url, listeners.tcp_url, directory_urls, known.pk, listeners.metrics_url)
        if listeners.metrics is not None:
            operations = _operations(config, data_dir, home, served, doors, connections)
            stack.push_async_callback(operations.close)
            await operations.listen(listeners.metrics)
        yield Network(ready, home, served, doors, connections)


async def _open_directory(config: ServerConfig, data_dir: Path) -> DirectoryService:
    return await DirectoryService.open(
        data_dir / "directory.db",
        directory_key(config, data_dir),
        effort=config.pow_effort,
        chunk_delay_s=config.chunk_delay_s,
        heartbeat_s=config.directory.heartbeat_s,
        seed_valid_s=config.directory.seed_valid_s,
        bounds=config.limits.directory,
    )


def _known_directory(config: ServerConfig, data_dir: Path, served: DirectoryService | None) -> KnownDirectory:
    if served is None:
        return known_directory.elsewhere(config.directory)
    return known_directory.served_here(served, directory_key(config, data_dir), pause_s=config.chunk_delay_s / 2)


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


def _doors(home: HomeService | None, directory: DirectoryService | None) -> dict[str, Door]:
    doors: dict[str, Door] = {}
    if home is not None:
        doors["home"] = Door(home, ServerBusy())
    if directory is not None:
        doors["directory"] = Door(directory, DirectoryBusy())
    return doors


async def _open_doors(
    listeners: Listeners, doors: Mapping[str, Door], connections: Connections
) -> list[asyncio.Server]:
    endpoints: dict[str, http.RpcEndpoint] = {}
    if "directory" in doors:
        # Where there is no home server the directory is at the root, too, as that of others is.
        endpoints["/directory"] = endpoints["/"] = http.RpcEndpoint(
            doors["directory"], connections, says_parse_error=True
        )
    if "home" in doors:
        endpoints["/"] = http.RpcEndpoint(doors["home"], connections, says_parse_error=False)
    servers = [await http.listen(http.Application(endpoints), listeners.http, connections)]
    if listeners.tcp is not None:
        servers.append(await tcp.listen(doors.get("home") or doors["directory"], listeners.tcp, connections))
    return servers


def _operations(
    config: ServerConfig,
    data_dir: Path,
    home: HomeService | None,
    directory: DirectoryService | None,
    doors: Mapping[str, Door],
    connections: Connections,
) -> Operations:
    probes: dict[str, Callable[[], Awaitable[None]]] = {}
    store = None
    if home is not None:
        store = home.store
        probes["home"] = lambda: home.store.probe(time.time_ns())
    if directory is not None:
        probes["directory"] = directory.probe
    return Operations(Metrics(data_dir, home, doors, connections), store, probes, config.metrics)


async def _close_doors(home: HomeService | None, connections: Connections, servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
    if home is not None:
        home.stop_waiting()
    try:
        async with asyncio.timeout(_GRACE_S):
            await connections.finish()
    except TimeoutError:
        connections.abort()
