"""A directory, or a mirror, as strangers reach it: so much for each source, and what many ask for made once."""

import time
from collections.abc import Callable
from typing import cast

import msgspec

from xirtam_core.protocol.directory import (
    DirectoryAnchor,
    DirectoryChunk,
    DirectoryHeader,
    DirectoryItem,
    DirectoryUpdate,
    PowSeed,
    PowSolution,
)
from xirtam_core.rpc.directory import Directory, DirectoryBusy
from xirtam_server.directory.limits import LIMITS, DirectoryLimits
from xirtam_server.directory.rendered_log import Rendered, RenderedLog
from xirtam_server.peer import PEER
from xirtam_server.sources import source_of
from xirtam_server.token_buckets import TokenBuckets


class PublicDirectory(Directory):
    """`inner` behind the doors: who asks too often is told `retry_later`, and nobody else notices.

    The anchor costs nothing and is not counted. Calls from within, and from where no address is known, are not held back.
    """

    def __init__(
        self, inner: Directory, limits: DirectoryLimits = LIMITS, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self._inner = inner
        self._clock = clock
        self._rendered = RenderedLog(inner, limits.kept_answer_bytes)
        self._updates = TokenBuckets[str](limits.updates_per_source, limits.updates_burst, limits.most_sources)
        self._reads = TokenBuckets[str](limits.reads_per_source, limits.reads_burst, limits.most_sources)

    async def rendered_anchor(self) -> Rendered:
        """The anchor as JSON."""
        return await self._rendered.anchor()

    async def rendered_headers(self, first: int, last: int) -> Rendered:
        """Headers as JSON."""
        self._count(self._reads)
        return await self._rendered.headers(first, last)

    async def rendered_chunk(self, height: int) -> Rendered:
        """A chunk as JSON; raises `UpdateRejected` where there is none."""
        self._count(self._reads)
        return await self._rendered.chunk(height)

    # A result that is JSON already goes out as it is (`Dispatcher.answer`).

    async def get_anchor(self) -> DirectoryAnchor:
        return cast("DirectoryAnchor", msgspec.Raw((await self.rendered_anchor()).text))

    async def get_headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        return cast("tuple[DirectoryHeader, ...]", msgspec.Raw((await self.rendered_headers(first, last)).text))

    async def get_chunk(self, height: int) -> DirectoryChunk:
        return cast("DirectoryChunk", msgspec.Raw((await self.rendered_chunk(height)).text))

    async def get_item(self, key: str) -> DirectoryItem:
        self._count(self._reads)
        return await self._inner.get_item(key)

    async def get_pow_seed(self) -> PowSeed:
        self._count(self._updates)
        return await self._inner.get_pow_seed()

    async def insert_update(self, key: str, update: DirectoryUpdate, solution: PowSolution) -> None:
        self._count(self._updates)
        await self._inner.insert_update(key, update, solution)

    def _count(self, rates: TokenBuckets[str]) -> None:
        peer = PEER.get()
        if peer is not None and peer.address and not rates.takes(source_of(peer.address), self._clock()):
            raise DirectoryBusy
