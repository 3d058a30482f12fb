"""One look at the upstream directory, and what comes of it for the copy (spec: directory.md, mirror).

What a directory signed and what somebody in between could have made up are told apart. Two signed anchors that name two logs are
proof: `Equivocation`, kept until a person has seen it. Headers, histories or roots that do not fit the signed header prove nothing,
since they are not signed: `Unverified`, nothing of them is kept, and the same is asked for again later.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.directory.chain import StaleAnchor, check_anchor, two_logs
from xirtam_core.errors import Equivocation
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryChunk
from xirtam_core.rpc.directory import Directory
from xirtam_server.directory.limits import MirrorLimits
from xirtam_server.directory.replica import Replica
from xirtam_server.directory.upstream import Ascent, Fetching, Known, fetch_chunks, spans


class InDatabaseThread(Protocol):
    """Runs a job in the thread that owns the copy."""

    def __call__(self, job: Callable[[], Any]) -> Awaitable[Any]: ...


class Following:
    """Brings `replica` up to what `upstream`, the directory with key `directory_pk`, shows."""

    def __init__(
        self,
        upstream: Directory,
        directory_pk: SigningPublic,
        replica: Replica,
        run: InDatabaseThread,
        limits: MirrorLimits,
    ) -> None:
        self._upstream, self._directory_pk, self._replica, self._run = upstream, directory_pk, replica, run
        self._fetching = Fetching(limits.most_headers, limits.chunks_per_write, limits.chunks_at_once)

    async def look(self) -> DirectoryAnchor:
        """Asks for the anchor and follows it all the way; gives it.

        Raises `StaleAnchor` for one that is merely lower than one before, `Equivocation` (after keeping the proof) for one of another
        log, `Unverified` for what does not hold, and what the calls raise.
        """
        anchor = await self._upstream.get_anchor()
        check_anchor(anchor, self._directory_pk)
        try:
            await self._follow(anchor)
        except Equivocation:
            await self._run(lambda: self._replica.set_contradiction(anchor))
            raise
        return anchor

    async def _follow(self, anchor: DirectoryAnchor) -> None:
        known: Known = await self._run(self._known)
        await self._compare(known, anchor)
        if anchor.last_header_height <= known.height:
            return
        ascent = Ascent(self._upstream, known, anchor, self._fetching)
        await ascent.verify()
        if known.goal != anchor:
            await self._run(lambda: self._replica.set_goal(anchor))
        await self._climb(ascent, known.height + 1, anchor)

    def _known(self) -> Known:
        tip, goal = self._replica.tip(), self._replica.mirrored().goal
        return Known(goal=goal) if tip is None else Known(tip.height, tip.hash, goal)

    async def _compare(self, known: Known, anchor: DirectoryAnchor) -> None:
        """Raises for an anchor that is not above the highest one seen, unless it is that."""
        height, goal = anchor.last_header_height, known.goal
        if goal is None or height > goal.last_header_height:
            return
        expected: Hash | None
        if height == goal.last_header_height:
            expected = goal.last_header_hash
        else:
            headers = await self._run(lambda: self._replica.headers(height, height))
            expected = headers[0].hash() if headers else None
        if expected is not None and expected != anchor.last_header_hash:
            raise two_logs(height)
        if height < goal.last_header_height:
            raise StaleAnchor

    async def _climb(self, ascent: Ascent, first: int, anchor: DirectoryAnchor) -> None:
        root = await self._run(self._replica.root)
        for number in range(len(ascent)):
            headers = await ascent.page(number)
            for span in spans(first, headers, root, self._fetching.chunks):
                chunks = await fetch_chunks(self._upstream, span, self._fetching.at_once)
                await self._extend(chunks, anchor)
            first, root = first + len(headers), headers[-1].smt_root

    async def _extend(self, chunks: list[DirectoryChunk], anchor: DirectoryAnchor) -> None:
        await self._run(lambda: self._replica.extend(chunks, anchor))
