"""Watches names in a directory, and the directory itself, for what nobody expected (spec: directory.md).

It is a light client with a memory: which log it was shown, and how much of each name's history it has reported. So a restart reports
what happened in between, and a directory that takes something back is found out, whenever it does.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.item import VerifiedItem
from xirtam_core.errors import Locked, Refused, SecurityAlarm, Unreachable, Unverified
from xirtam_core.protocol.directory import ZERO_HASH, Name
from xirtam_core.protocol.update_history import NameState, replay
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.envelope import CallError
from xirtam_server.data_dir import write_private
from xirtam_server.directory.header_file import HeaderFile
from xirtam_server.directory.watch_events import (
    Alarm,
    Answers,
    BadAnswer,
    MovesAgain,
    NameSeen,
    OwnerAdded,
    OwnerRemoved,
    StandsStill,
    Unanswered,
    ValueChanged,
    WatchEvent,
    value_of,
)


class WatchLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a directory is watched. Times in seconds."""

    poll_s: float = 10.0
    """Between two questions for the anchor."""
    still_s: float = 3 * 3600.0
    """So long without a new height is too long: our directory writes one an hour, the reference two a minute."""


class HistoryRewritten(SecurityAlarm):
    """A name's history is not the one that the same directory proved before."""

    def __init__(self, name: Name) -> None:
        super().__init__(
            f"the directory has taken back or replaced updates of {name}, which an honest one cannot. "
            "Tell whoever runs it, and compare keys with your contacts in person"
        )


class _Reported(msgspec.Struct, frozen=True):
    """How much of a name's history has been reported: so many updates, the last with this hash (hex)."""

    updates: int
    last_hash: str


class _Memory:
    """What has been reported of each name, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._by_name = msgspec.json.decode(path.read_bytes(), type=dict[str, _Reported]) if path.exists() else {}
        except msgspec.MsgspecError:
            raise Locked(f"{path} is damaged: remove it, and all names are reported anew") from None

    def find(self, name: Name) -> _Reported | None:
        return self._by_name.get(name)

    def keep(self, name: Name, item: VerifiedItem) -> None:
        """Notes that all of `item` has been reported, durably."""
        reported = _Reported(len(item.history), item.state.last_hash.hex())
        if reported != self._by_name.get(name):
            self._by_name[str(name)] = reported
            write_private(self._path, msgspec.json.encode(self._by_name).decode())


class Watch:
    """Watches `names` in the directory with key `directory_pk`; what it remembers lies in the folder `state`."""

    def __init__(
        self,
        directory: Directory,
        directory_pk: SigningPublic,
        names: Sequence[Name],
        state: Path,
        limits: WatchLimits | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises `Locked` if another process watches there, or the folder is another directory's."""
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._names = names
        self._limits = limits or WatchLimits()
        self._clock = clock
        self._headers = HeaderFile(state / "headers.db", directory_pk)
        self._client = DirectoryClient(directory, directory_pk, self._headers)
        self._memory = _Memory(state / "reported.json")
        self._height = -1
        self._moved = 0.0
        self._is_still = False
        self._problem: str | None = None

    def close(self) -> None:
        """Lets go of what it remembers."""
        self._headers.close()

    async def events(self) -> AsyncGenerator[WatchEvent]:
        """What happens, as it is seen; without end, but for an `Alarm`.

        A change counts as reported once the next event is asked for: who is interrupted before may hear of it twice.
        """
        while True:
            try:
                async for event in self._look():
                    yield event
            except SecurityAlarm as fault:
                yield Alarm(str(fault))
                return
            except Unverified as fault:
                for event in self._failed(BadAnswer(str(fault))):
                    yield event
            except (Unreachable, Refused, CallError) as fault:
                for event in self._failed(Unanswered(str(fault))):
                    yield event
            await asyncio.sleep(self._limits.poll_s)

    def _failed(self, event: BadAnswer | Unanswered) -> Iterator[WatchEvent]:
        if event.problem != self._problem:
            self._problem = event.problem
            yield event

    async def _look(self) -> AsyncGenerator[WatchEvent]:
        """One look at the anchor and, if it has moved, at the names."""
        anchor = await self._client.sync()
        height = anchor.last_header_height
        if height != self._height:
            for name in self._names:
                item = await self._client.item(name)
                for event in self._changes(name, item, height):
                    yield event
                self._memory.keep(name, item)
        if self._problem is not None:
            self._problem = None
            yield Answers(height)
        for event in self._movement(height):
            yield event

    def _movement(self, height: int) -> Iterator[WatchEvent]:
        now = self._clock()
        if height != self._height:
            header = self._headers.header(height)
            # At the first look, the log has stood still for as long as it says; later, for as long as it was watched.
            is_first = self._height < 0 and header is not None
            self._moved = min(now, float(header.time_unix)) if is_first and header is not None else now
            self._height = height
        is_still = now - self._moved > self._limits.still_s
        if is_still and not self._is_still:
            yield StandsStill(height, round(now - self._moved, 1))
        elif self._is_still and not is_still:
            yield MovesAgain(height)
        self._is_still = is_still

    def _changes(self, name: Name, item: VerifiedItem, height: int) -> Iterator[WatchEvent]:
        """What has not been reported of `name`; raises `HistoryRewritten`."""
        reported = self._memory.find(name)
        if reported is None:
            owners = [owner.text() for owner in item.state.owners]
            yield NameSeen(str(name), height, owners, value_of(name, item.state.value))
            return
        known = item.history[: reported.updates]
        last_hash = known[-1].hash() if known else ZERO_HASH
        if len(known) < reported.updates or last_hash.hex() != reported.last_hash:
            raise HistoryRewritten(name)
        state = replay(known)
        for update in item.history[reported.updates :]:
            after = replay((update,), state)
            yield from _difference(name, height, state, after)
            state = after


def _difference(name: Name, height: int, before: NameState, after: NameState) -> Iterator[WatchEvent]:
    for owner in after.owners:
        if owner not in before.owners:
            yield OwnerAdded(str(name), height, owner.text())
    for owner in before.owners:
        if owner not in after.owners:
            yield OwnerRemoved(str(name), height, owner.text())
    if before.value != after.value:
        yield ValueChanged(str(name), height, value_of(name, before.value), value_of(name, after.value))
