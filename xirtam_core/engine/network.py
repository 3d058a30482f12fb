"""The engine's ways out: to the directory, and to each home server that the directory names."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import HeaderStore
from xirtam_core.errors import Equivocation, Malformed, NotFound, Unreachable, XirtamError
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.directory import ServerDescriptor, UserDescriptor
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports.pool import Failover, TransportPool
from xirtam_core.rpc.transports.schemes import usable_url
from xirtam_core.storage import servers
from xirtam_core.storage.database import Database

PREFERENCE: Final = "XIRTAM_TRANSPORT"
"""The environment variable that names the scheme to take first, such as `tcp`, where a server offers several."""

T = TypeVar("T")
Connect = Callable[[Sequence[str]], Transport]
"""A transport to whoever answers at some of these URLs, best first."""

_DESCRIPTOR_AGE_S = 60.0


class Network:
    """Stubs for the directory and for home servers, found by name."""

    def __init__(
        self,
        link: JoinLink,
        headers: HeaderStore,
        database: Database,
        on_equivocation: Callable[[str], None],
        connect: Connect | None = None,
        directory: DirectoryClient | None = None,
    ) -> None:
        """`connect` and `directory` take the place of the real ways out, for a simulation."""
        self._pool = TransportPool()
        self._connect = connect or self._connect_through_pool
        self._database = database
        self._on_equivocation = on_equivocation
        self.directory = directory or self._directory_of(link, headers)
        self._descriptors: dict[ServerName, tuple[float, ServerDescriptor]] = {}
        self._stubs: dict[tuple[str, ...], HomeServer] = {}
        self._locks: defaultdict[ServerName, asyncio.Lock] = defaultdict(asyncio.Lock)

    def _directory_of(self, link: JoinLink, headers: HeaderStore) -> DirectoryClient:
        return DirectoryClient(Directory.stub(self._connect(link.directory_urls)), link.directory_pk, headers)

    def _connect_through_pool(self, urls: Sequence[str]) -> Transport:
        wanted = os.environ.get(PREFERENCE, "")
        return Failover(sorted(urls, key=lambda url: urlsplit(url).scheme != wanted), self._pool)

    async def home_server(self, name: ServerName) -> HomeServer:
        """The server called `name`; raises `NotFound` when the directory has none, `Unreachable` when it cannot be asked.

        What the directory said is good for a minute, and for as long as the directory cannot be reached.
        """
        async with self._locks[name]:
            descriptor = await self._descriptor(name)
        urls = tuple(descriptor.public_urls)
        if urls not in self._stubs:
            if usable_url(urls) is None:
                raise Unreachable(f"{name} offers no address that this version can use")
            self._stubs[urls] = HomeServer.stub(self._connect(urls))
        return self._stubs[urls]

    async def _descriptor(self, name: ServerName) -> ServerDescriptor:
        now = asyncio.get_running_loop().time()
        checked, descriptor = self._descriptors.get(name, (-_DESCRIPTOR_AGE_S, None))
        if descriptor is not None and now - checked < _DESCRIPTOR_AGE_S:
            return descriptor
        try:
            found = await self._watched(self.directory.server(name))
        except XirtamError as fault:
            known = descriptor or servers.find(self._database, name)
            if known is not None:
                return known
            if isinstance(fault, Malformed):
                raise Unreachable(f"the directory's entry of {name} is damaged") from None
            raise
        if found is None:
            raise NotFound(f"the directory knows no server {name}")
        if descriptor != found:
            servers.store(self._database, name, found)
        self._descriptors[name] = (now, found)
        return found

    async def user(self, name: Username) -> UserDescriptor | None:
        """What the directory says of `name` now, None where there is no such user; raises `Unreachable` and `Unverified`."""
        try:
            return await self._watched(self.directory.user(name))
        except Malformed:
            return None  # it is verified, and it is no user: nobody can be found under this name

    async def _watched(self, look_up: Coroutine[Any, Any, T]) -> T:
        """A look-up that tells of a directory caught lying; what was verified before goes on being used."""
        try:
            return await look_up
        except Equivocation as lie:
            self._on_equivocation(str(lie))
            raise

    async def close(self) -> None:
        """Lets go of all connections; calls in flight fail."""
        await self._pool.close()
