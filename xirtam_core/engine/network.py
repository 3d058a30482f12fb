"""The engine's ways out: to the directory, and to each home server that the directory names."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.directory.client import DirectoryClient, NextStep, OnProgress, OnSolved, OnStage
from xirtam_core.directory.item import VerifiedItem
from xirtam_core.directory.store import HeaderStore
from xirtam_core.engine.lookups import Lookups
from xirtam_core.engine.routes import Routes
from xirtam_core.errors import Equivocation, Malformed, NotFound, Unreachable
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.directory import DirectoryAnchor, Name, ServerDescriptor, UserDescriptor
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports.pool import Failover, TransportPool
from xirtam_core.rpc.transports.schemes import usable_url
from xirtam_core.storage import account, servers
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
        on_equivocation: Callable[[Equivocation, str], None],
        connect: Connect | None = None,
        directory: DirectoryClient | None = None,
    ) -> None:
        """`on_equivocation` hears of a directory caught lying, and in whose answer. An alarm that stands keeps the directory from use.

        `connect` and `directory` take the place of the real ways out, for a simulation.
        """
        self.routes = Routes()
        self._pool = TransportPool()
        self._connect = connect or self._connect_through_pool
        self._database = database
        self._on_equivocation = on_equivocation
        self.directory = directory or self._directory_of(link, headers)
        if (alarm := account.directory_alarm(database)) is not None:
            self.directory.raise_alarm(Equivocation(alarm))
        self._descriptors: dict[ServerName, tuple[float, ServerDescriptor]] = {}
        self._ways: dict[tuple[ServerName, tuple[str, ...]], Transport] = {}
        self._locks: defaultdict[ServerName, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._look_ups = Lookups(self._look_up_server)

    def _directory_of(self, link: JoinLink, headers: HeaderStore) -> DirectoryClient:
        way = self.routes.route(None, self._connect(link.directory_urls))
        return DirectoryClient(Directory.stub(way), link.directory_pk, headers)

    def _connect_through_pool(self, urls: Sequence[str]) -> Transport:
        wanted = os.environ.get(PREFERENCE, "")
        return Failover(sorted(urls, key=lambda url: urlsplit(url).scheme != wanted), self._pool)

    async def run(self) -> None:
        """Has look-ups of servers go on behind those who asked for them."""
        await self._look_ups.run()

    async def home_server(self, name: ServerName) -> HomeServer:
        """The server called `name`; raises `NotFound` when the directory has none, `Unreachable` when it cannot be asked.

        What the directory said is good for a minute, and for as long as the directory does not answer within a moment.
        """
        return HomeServer.stub(await self.transport(name))

    async def transport(self, name: ServerName) -> Transport:
        """The way to the server called `name`; raises as `home_server` does."""
        return self._way_to(name, await self._descriptor(name))

    def transport_to(self, url: str) -> Transport:
        """A way to whatever answers at an address that a person gave; raises `Unreachable` for one that this version cannot use."""
        if usable_url((url,)) is None:
            raise Unreachable(f"{url} is no address that this version can use")
        return self._connect((url,))

    async def addresses(self, name: ServerName) -> tuple[str, ...]:
        """Where the directory says that a server is; raises as `home_server` does."""
        return tuple((await self._descriptor(name)).public_urls)

    def known_server(self, name: ServerName) -> Transport:
        """The way to a server as it was last known, without asking anybody; raises `Unreachable`."""
        known = self._known(name)
        if known is None:
            raise Unreachable(f"it is not known yet where {name} is")
        return self._way_to(name, known)

    def _way_to(self, name: ServerName, descriptor: ServerDescriptor) -> Transport:
        urls = tuple(descriptor.public_urls)
        if (name, urls) not in self._ways:
            if usable_url(urls) is None:
                raise Unreachable(f"{name} offers no address that this version can use")
            self._ways[name, urls] = self.routes.route(name, self._connect(urls))
        return self._ways[name, urls]

    async def _descriptor(self, name: ServerName) -> ServerDescriptor:
        known = self._known(name)
        if known is None:
            await self._look_up_server(name)
        elif not self._is_fresh(name):
            fault = await self._look_ups.ask(name)
            if isinstance(fault, NotFound):
                raise NotFound(str(fault))
        found = self._known(name)
        assert found is not None, "a look-up that went well leaves what it found"
        return found

    def _known(self, name: ServerName) -> ServerDescriptor | None:
        if name in self._descriptors:
            return self._descriptors[name][1]
        return servers.find(self._database, name)

    def _is_fresh(self, name: ServerName) -> bool:
        checked = self._descriptors[name][0] if name in self._descriptors else -_DESCRIPTOR_AGE_S
        return asyncio.get_running_loop().time() - checked < _DESCRIPTOR_AGE_S

    async def _look_up_server(self, name: ServerName) -> None:
        async with self._locks[name]:
            if self._is_fresh(name):
                return
            asked = asyncio.get_running_loop().time()
            try:
                found = await self._watched(self.directory.server(name))
            except Malformed:
                raise Unreachable(f"the directory's entry of {name} is damaged") from None
            if found is None:
                raise NotFound(f"the directory knows no server {name}")
            if self._known(name) != found:
                servers.store(self._database, name, found)
            self._descriptors[name] = (asked, found)

    async def user(self, name: Username) -> UserDescriptor | None:
        """What the directory says of `name` now, None where there is no such user; raises `Unreachable` and `Unverified`."""
        try:
            return await self._watched(self.directory.user(name))
        except Malformed:
            return None  # it is verified, and it is no user: nobody can be found under this name

    async def item(self, name: Name) -> VerifiedItem:
        """The whole history of a name, verified, asked for now; raises `Unreachable` and `Unverified`."""
        return await self._watched(self.directory.item(name))

    async def change_name(
        self,
        name: Name,
        owner: SigningSecret,
        next_step: NextStep,
        on_progress: OnProgress,
        on_stage: OnStage,
        on_solved: OnSolved = None,
    ) -> None:
        """Changes what the directory has of a name, as `DirectoryClient.change` does."""
        change = self.directory.change(
            name, owner, next_step, on_progress=on_progress, on_stage=on_stage, on_solved=on_solved
        )
        await self._watched(change)

    async def compare(self, anchor: DirectoryAnchor, source: str) -> None:
        """Holds the directory's anchor as `source` gave it against its own answers; raises as `DirectoryClient.compare` does."""
        await self._watched(self.directory.compare(anchor), source)

    async def _watched(self, look_up: Coroutine[Any, Any, T], source: str = "the directory") -> T:
        """A look-up that tells of a directory caught lying; what was verified before goes on being used."""
        try:
            return await look_up
        except Equivocation as lie:
            self._on_equivocation(lie, source)
            raise

    async def close(self) -> None:
        """Lets go of all connections; calls in flight fail."""
        await self._pool.close()
