"""Replays a whole log and verifies all of it: every link, history and root, and the anchor's signature (spec: directory.md).

It believes nothing but the directory's key. The log is built again in a temporary database, so memory stays the same for any number of
names, and a log takes about the space of the original. It says whether this one log holds; whether others are shown another one is for
mirrors and monitors to find.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Final

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.directory.chain import check_anchor
from xirtam_core.errors import Unverified
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryChunk
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.transports import connect
from xirtam_server.directory.database import open_scratch, transaction
from xirtam_server.directory.log import BadChunk, Log, Tip
from xirtam_server.directory.stored_log import StoredLog
from xirtam_server.directory.upstream import PAGE, Withheld, fetch_chunks, spans

_CHUNKS: Final = 64
_AT_ONCE: Final = 8


class AuditProgress(msgspec.Struct, frozen=True):
    """How far an audit has come: up to `height` of `last_height` everything holds."""

    height: int
    last_height: int


class Flaw(msgspec.Struct, frozen=True):
    """The first thing that does not hold, and at which height; None: in the anchor itself."""

    height: int | None
    reason: str


class AuditReport(msgspec.Struct, frozen=True):
    """What an audit found: up to `height` (-1: nowhere) all holds, with so many names and updates; then comes `flaw`, if any."""

    height: int
    names: int
    updates: int
    is_signed: bool
    """Whether the log ends in an anchor that the directory signed. A primary directory's database has none: its key is not there."""
    flaw: Flaw | None
    took_s: float


OnProgress = Callable[[AuditProgress], None]


class _Replay:
    """The log, built again."""

    def __init__(self, folder: Path) -> None:
        self._connection = open_scratch(folder / "audit.db")
        self._log = Log(self._connection)

    def tip(self) -> Tip | None:
        return self._log.tip()

    def extend(self, chunks: list[DirectoryChunk]) -> None:
        """Adds the chunks before the first that does not hold, for which it raises `BadChunk`."""
        done = 0
        try:
            with transaction(self._connection):
                for chunk in chunks:
                    self._log.replay(chunk)
                    done += 1
        except BadChunk:
            if done:
                self.extend(chunks[:done])
            raise

    def counts(self) -> tuple[int, int]:
        """The names, and the updates of all of them."""
        return self._connection.execute("SELECT count(*), coalesce(sum(updates), 0) FROM name").fetchone()

    def close(self) -> None:
        self._connection.close()


async def audit(
    source: Path | str | Directory, directory_pk: SigningPublic, on_progress: OnProgress | None = None
) -> AuditReport:
    """Verifies the log in a database file, which may be in use, or at a URL, or of a directory that is at hand.

    What does not hold is told in the report. Raises `Unreachable` and `RetryLater` where the log cannot be read now, `NotFound` and
    `Locked` for a file that is not there or not this directory's, `Malformed` for a URL that cannot be used.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="xirtam-audit-") as folder:
        replay = _Replay(Path(folder))
        try:
            async with _opened(source, directory_pk) as log:
                anchor = await log.get_anchor()
                flaw = _anchor_flaw(anchor, directory_pk, must_be_signed=not isinstance(log, StoredLog))
                flaw = flaw or await _find_flaw(log, anchor, replay, on_progress or (lambda _: None))
            tip, (names, updates) = replay.tip(), replay.counts()
        finally:
            replay.close()
    height = -1 if tip is None else tip.height
    return AuditReport(height, names, updates, anchor.is_signed_by(directory_pk), flaw, time.monotonic() - began)


@contextlib.asynccontextmanager
async def _opened(source: Path | str | Directory, directory_pk: SigningPublic) -> AsyncGenerator[StoredLog | Directory]:
    async with contextlib.AsyncExitStack() as stack:
        if isinstance(source, Path):
            stored = StoredLog(source, directory_pk)
            stack.callback(stored.close)
            yield stored
        elif isinstance(source, str):
            transport = connect(source)
            stack.push_async_callback(transport.close)
            yield Directory.stub(transport)
        else:
            yield source


def _anchor_flaw(anchor: DirectoryAnchor, directory_pk: SigningPublic, *, must_be_signed: bool) -> Flaw | None:
    try:
        if must_be_signed:
            check_anchor(anchor, directory_pk)
    except Unverified as fault:
        return Flaw(None, str(fault))
    return None


async def _find_flaw(
    log: StoredLog | Directory, anchor: DirectoryAnchor, replay: _Replay, on_progress: OnProgress
) -> Flaw | None:
    """Replays the log up to `anchor`."""
    last = anchor.last_header_height
    try:
        for first in range(0, last + 1, PAGE):
            headers = await log.get_headers(first, min(first + PAGE - 1, last))
            for span in spans(first, headers, None, _CHUNKS):
                await asyncio.to_thread(replay.extend, await fetch_chunks(log, span, _AT_ONCE))
                on_progress(AuditProgress(span.first + len(span.headers) - 1, last))
            if len(headers) != min(PAGE, last - first + 1):
                return Flaw(first + len(headers), "its header is withheld, though the anchor stands for it")
    except (BadChunk, Withheld) as fault:
        return Flaw(fault.height, fault.reason)
    tip = replay.tip()
    if tip is None or tip.hash != anchor.last_header_hash:
        return Flaw(last, "its header is not the one that the anchor names")
    return None
