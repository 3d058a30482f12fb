"""Keeps up with a directory's log: asks for its newest anchor and the headers up to it, verifies and stores them (spec: directory.md).

All who wait for the log to move share one request. What contradicts the stored chain raises `Equivocation`, then and at every later
call, until a person has acknowledged it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.directory.chain import ChainWalk, StaleAnchor, check_anchor, contradicts, two_logs
from xirtam_core.directory.proof import proof_of
from xirtam_core.directory.store import HeaderStore
from xirtam_core.errors import Equivocation, Unreachable, Unverified, XirtamError
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryHeader
from xirtam_core.rpc.directory import Directory

PAGE: Final = 1000
MOST_KEPT: Final = 50_000
"""Headers that one synchronisation stores, the newest. Older ones are fetched and verified where they link to what is known."""

MOST_MISSED: Final = 5_000_000
"""Headers that are fetched to catch up: five years of the reference directory's."""

RECENT_S: Final = 60.0
"""How old what is known may be for an answer of that height to count as the present one."""


class FollowedLog:
    """The log of the directory with key `directory_pk`, as far as `store` has it."""

    def __init__(self, directory: Directory, directory_pk: SigningPublic, store: HeaderStore) -> None:
        self._directory = directory
        self._directory_pk = directory_pk
        self._store = store
        self._alarm: Equivocation | None = None
        self._syncing = asyncio.Lock()
        self._begun = 0
        self._ended = 0
        self._failure: XirtamError | None = None
        self._confirmed: float | None = None

    def check_alarm(self) -> None:
        """Raises the `Equivocation` that was met before, if any."""
        if self._alarm is not None:
            raise self._alarm.with_traceback(None)

    def raise_alarm(self, lie: Equivocation) -> None:
        """Stops asking on account of a lie, such as one that was met before this process began."""
        self._alarm = lie

    def acknowledge_alarm(self) -> None:
        """Goes on asking after an `Equivocation`. What is stored stays, so the same lie raises it again."""
        self._alarm = None

    def height(self) -> int:
        """That of the stored anchor; -1 before the first."""
        anchor = self._store.anchor()
        return -1 if anchor is None else anchor.last_header_height

    async def find_header(self, height: int) -> DirectoryHeader | None:
        """The verified header at `height`, if need be after a synchronisation; None if the directory's anchor is lower."""
        if height > self.height():
            await self._share_sync(lambda: self.height() >= height)
        return self._store.header(height)

    async def confirm(self) -> None:
        """Synchronises unless that was done within the last `RECENT_S`, so that the stored anchor is no older than that."""

        def is_recent() -> bool:
            return self._confirmed is not None and time.monotonic() - self._confirmed < RECENT_S

        if not is_recent():
            await self._share_sync(is_recent)

    async def sync(self) -> DirectoryAnchor:
        """Stores and gives the newest anchor, asked for after this call was made.

        Raises `StaleAnchor` for one that is merely lower than the stored, `Equivocation` for one that contradicts it, `Unverified` for
        a signature or chain that does not hold, and what the call itself raises.
        """
        await self._share_sync(lambda: False)
        anchor = self._store.anchor()
        assert anchor is not None, "a synchronisation stores one"
        return anchor

    async def _share_sync(self, is_enough: Callable[[], bool]) -> None:
        """Takes part in a synchronisation that begins after this call, or makes it, unless an earlier one was enough."""
        begun = self._begun
        async with self._syncing:
            self.check_alarm()
            if is_enough():
                return
            if self._ended <= begun:
                self._begun += 1
                self._failure = await self._find_failure()
                self._ended = self._begun
            if self._failure is not None:
                raise self._failure.with_traceback(None)

    async def _find_failure(self) -> XirtamError | None:
        """Synchronises; what went wrong with it is for all who wait."""
        asked = time.monotonic()
        try:
            await self._sync()
        except XirtamError as fault:
            if isinstance(fault, Equivocation):
                self._alarm = fault
            return fault
        self._confirmed = asked
        return None

    async def _sync(self) -> None:
        anchor = await self._directory.get_anchor()
        check_anchor(anchor, self._directory_pk)
        known = self._store.anchor()
        if known is None or anchor.last_header_height > known.last_header_height:
            await self._extend(known, anchor)
            return
        self._compare(anchor)
        if anchor.last_header_height < known.last_header_height:
            raise StaleAnchor

    async def compare(self, anchor: DirectoryAnchor) -> None:
        """Checks an anchor that came another way, such as through a contact's server, against what the directory shows here.

        Raises `Equivocation` if the two contradict, `Unverified` if the directory did not sign it, `StaleAnchor` if the directory
        does not show here what it showed there. One from below what is stored is passed over.
        """
        self.check_alarm()
        check_anchor(anchor, self._directory_pk)
        if anchor.last_header_height > self.height():
            await self.sync()
        if anchor.last_header_height > self.height():
            raise StaleAnchor
        self._compare(anchor)

    def _compare(self, anchor: DirectoryAnchor) -> None:
        header = self._store.header(anchor.last_header_height)
        if header is not None and contradicts(anchor, header):
            self._alarm = two_logs(anchor.last_header_height, self._proof_against(anchor))
            raise self._alarm

    def _proof_against(self, anchor: DirectoryAnchor) -> str:
        """That `anchor`, which is no higher than the stored one, names another header than the stored log has there."""
        known = self._store.anchor()
        assert known is not None, "there is a header, so there is an anchor"
        heights = range(anchor.last_header_height, known.last_header_height + 1)
        headers = (header for height in heights if (header := self._store.header(height)) is not None)
        return proof_of(known, anchor, heights.start, headers)

    async def _extend(self, known: DirectoryAnchor | None, anchor: DirectoryAnchor) -> None:
        """Fetches the headers up to `anchor`, from the one after `known` or, without one, the last few that are worth keeping."""
        last = anchor.last_header_height
        first = max(0, last - MOST_KEPT + 1) if known is None else known.last_header_height + 1
        if last - first >= MOST_MISSED:
            raise Unverified("the directory claims more headers than it can have made since it was last asked")
        walk = ChainWalk(None if known is None else known.last_header_hash)
        kept: deque[DirectoryHeader] = deque(maxlen=MOST_KEPT)
        for at in range(first, last + 1, PAGE):
            page = await self._directory.get_headers(at, min(at + PAGE - 1, last))
            if len(page) != min(PAGE, last - at + 1):
                raise Unreachable("the directory does not give the headers that its anchor stands for")
            walk.follow(page)
            kept.extend(page)
        try:
            walk.end_at(anchor)
        except Equivocation:
            assert known is not None, "there is something that this does not link to"
            raise two_logs(last, proof_of(known, anchor, last - len(kept) + 1, kept)) from None
        self._store.extend(last - len(kept) + 1, tuple(kept), anchor)
