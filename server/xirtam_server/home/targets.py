"""Where other servers are, as the directory says: the first URL of each (spec: rpc.md, Transports)."""

import asyncio
import logging
from collections import OrderedDict
from typing import Protocol

from xirtam_core.errors import XirtamError
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ServerDescriptor
from xirtam_core.rpc.home_server import ServerBusy, UpstreamFailed

_log = logging.getLogger(__name__)
_KNOWN_S = 60.0
_UNKNOWN_S = 5.0
_MOST_KNOWN = 1000
_MOST_LOOKUPS = 16
_TIMEOUT_S = 15.0


class ServerDirectory(Protocol):
    """Where servers are looked up."""

    async def server(self, name: ServerName) -> ServerDescriptor | None:
        """What the directory says of `name`, verified; None for a name that it does not have."""
        ...


class Targets:
    """Looks servers up, and remembers for a minute what was said: a reference peer follows a move within that time, too."""

    def __init__(self, servers: ServerDirectory) -> None:
        self._servers = servers
        self._lookups = asyncio.Semaphore(_MOST_LOOKUPS)
        self._known: OrderedDict[ServerName, tuple[str | None, float]] = OrderedDict()

    async def url(self, name: ServerName) -> str:
        """The URL of the server; raises `UpstreamFailed` for one that is unknown, `ServerBusy` where the directory is away."""
        now = asyncio.get_running_loop().time()
        url, until = self._known.get(name, (None, 0.0))
        if until <= now:
            url = await self._look_up(name)
            self._known[name] = url, now + (_UNKNOWN_S if url is None else _KNOWN_S)
            self._known.move_to_end(name)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        if url is None:
            raise UpstreamFailed("server not in directory")
        return url

    async def _look_up(self, name: ServerName) -> str | None:
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._lookups:
                descriptor = await self._servers.server(name)
        except (XirtamError, TimeoutError) as fault:
            _log.warning("the directory did not answer usably: %s", type(fault).__name__)
            raise ServerBusy from None
        return descriptor.public_urls[0] if descriptor is not None and descriptor.public_urls else None
