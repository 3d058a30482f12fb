"""Another directory's log, read from below: headers that its anchor vouches for, then the chunks that belong to them.

Headers are not signed, only the newest is, through the anchor. So they are walked once up to it before any is believed; of a long
walk only the hash at the end of each page is kept, and a page that is fetched again must end in it. A chunk whose root is that of the
height before added nothing, since every update changes a leaf, and need not be asked for: in a log of heartbeats, that is most.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from xirtam_core.codec.primitives import Hash
from xirtam_core.directory.chain import BrokenChain, ChainWalk, two_logs
from xirtam_core.errors import Unreachable, Unverified
from xirtam_core.protocol.directory import ZERO_HASH, DirectoryAnchor, DirectoryChunk, DirectoryHeader
from xirtam_core.rpc.directory import UpdateRejected
from xirtam_server.directory.log import BadChunk

PAGE: Final = 1000
"""Headers that a directory gives at once."""


class LogSource(Protocol):
    """Whoever gives a log away: a directory, or a database."""

    def get_headers(self, first: int, last: int) -> Awaitable[tuple[DirectoryHeader, ...]]:
        """Those from `first` to `last` that exist, at most a page of them."""
        ...

    def get_chunk(self, height: int) -> Awaitable[DirectoryChunk]:
        """What `height` added; raises `UpdateRejected` where there is none."""
        ...


class Known(msgspec.Struct, frozen=True):
    """What was verified of a log before: the height and hash of the last header here, and the highest anchor ever shown."""

    height: int = -1
    hash: Hash = ZERO_HASH
    goal: DirectoryAnchor | None = None


class Fetching(msgspec.Struct, frozen=True):
    """How much is asked for at once."""

    most_headers: int
    chunks: int
    at_once: int


async def _page(source: LogSource, first: int, last: int) -> tuple[DirectoryHeader, ...]:
    headers = await source.get_headers(first, last)
    if len(headers) != last - first + 1:
        raise Unreachable("the directory does not give the headers that its anchor stands for")
    return headers


class Withheld(Unreachable):
    """A chunk that the directory does not give, though its headers stand for it."""

    def __init__(self, height: int) -> None:
        super().__init__(f"the directory does not give the chunk of height {height}, though its headers stand for it")
        self.height = height
        self.reason = "its chunk is withheld, though its header stands for it"


class Ascent:
    """The way from what is known up to `anchor`, whose signature has been verified."""

    def __init__(self, source: LogSource, known: Known, anchor: DirectoryAnchor, fetching: Fetching) -> None:
        self._source, self._known, self._anchor, self._fetching = source, known, anchor, fetching
        self._ends: list[Hash] = []
        self._newest: tuple[DirectoryHeader, ...] = ()

    def _bounds(self, number: int) -> tuple[int, int]:
        """The first and the last height of a page."""
        first = self._known.height + 1 + number * PAGE
        return first, min(first + PAGE - 1, self._anchor.last_header_height)

    async def verify(self) -> None:
        """Walks the headers, after which they may be asked for.

        Raises `Equivocation` if they lead to the anchor, but not through what is known; `BrokenChain` if they do not lead to it.
        """
        ahead = self._anchor.last_header_height - self._known.height
        if ahead > self._fetching.most_headers:
            raise Unverified("the directory claims more headers than this mirror is set to follow")
        walk, goal = ChainWalk(None if self._known.height < 0 else self._known.hash), self._known.goal
        keeps_goal = True
        for number in range(-(-ahead // PAGE)):
            first, last = self._bounds(number)
            self._newest = await _page(self._source, first, last)
            walk.follow(self._newest)
            self._ends.append(self._newest[-1].hash())
            if goal is not None and first <= goal.last_header_height <= last:
                keeps_goal = self._newest[goal.last_header_height - first].hash() == goal.last_header_hash
        walk.end_at(self._anchor)
        if goal is not None and not keeps_goal:
            raise two_logs(goal.last_header_height)

    async def page(self, number: int) -> tuple[DirectoryHeader, ...]:
        """The headers of one page, each vouched for; raises `BrokenChain` if they are not those that were walked."""
        first, last = self._bounds(number)
        if number == len(self._ends) - 1:
            return self._newest
        headers = await _page(self._source, first, last)
        walk = ChainWalk(None)
        walk.follow(headers)
        if headers[-1].hash() != self._ends[number]:
            raise BrokenChain
        return headers

    def __len__(self) -> int:
        return len(self._ends)


class Span(msgspec.Struct, frozen=True):
    """Some heights in a row, from `first` on, few enough to be fetched and written at once."""

    first: int
    headers: tuple[DirectoryHeader, ...]
    asked: tuple[int, ...]
    """Those whose chunk is to be asked for; that of the others has no updates."""


def spans(first: int, headers: Sequence[DirectoryHeader], root: Hash | None, most_chunks: int) -> Iterator[Span]:
    """`headers` in pieces with at most so many chunks to ask for: all, or, after a height with `root`, those that change it."""
    begun, asked = 0, list[int]()
    for number, header in enumerate(headers):
        if root is None or header.smt_root != root:
            if len(asked) == most_chunks:
                yield Span(first + begun, tuple(headers[begun:number]), tuple(asked))
                begun, asked = number, []
            asked.append(first + number)
        root = None if root is None else header.smt_root
    yield Span(first + begun, tuple(headers[begun:]), tuple(asked))


async def fetch_chunks(source: LogSource, span: Span, at_once: int) -> list[DirectoryChunk]:
    """The chunks of a span, of which the source says that they belong to its headers; what is in them is yet to be verified.

    Raises `Withheld`, and `BadChunk` where one comes with another header.
    """
    gate = asyncio.Semaphore(at_once)

    async def fetch(height: int) -> DirectoryChunk:
        async with gate:
            try:
                return await source.get_chunk(height)
            except UpdateRejected:
                raise Withheld(height) from None

    try:
        async with asyncio.TaskGroup() as tasks:
            fetching = {height: tasks.create_task(fetch(height)) for height in span.asked}
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None
    chunks: list[DirectoryChunk] = []
    for height, header in enumerate(span.headers, span.first):
        chunk = fetching[height].result() if height in fetching else DirectoryChunk(header, {})
        if chunk.header != header:
            raise BadChunk(height, "its chunk comes with another header")
        chunks.append(chunk)
    return chunks
