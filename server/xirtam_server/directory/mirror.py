"""A mirror: another directory's log, verified again, served from a copy of its own (spec: directory.md, mirror).

What readers are told when something is wrong follows from what is known then:

- The upstream does not answer, shows an older anchor, or gives what its signed headers do not stand for: nothing of that is kept,
  and the last good state, which is a true past of the log, is served on; but not for longer than `longest_unconfirmed_s`.
- The directory has signed two logs: nobody can tell which of the two others see, or how long before that it began to lie. A mirror
  then answers nothing (`retry_later`), over restarts too, until a person has seen the proof.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.directory.chain import two_logs
from xirtam_core.errors import Equivocation, Refused, Unreachable, Unverified, XirtamError
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryUpdate, PowSeed, PowSolution
from xirtam_core.rpc.directory import Directory, DirectoryBusy, UpdateRejected
from xirtam_core.rpc.envelope import CallError
from xirtam_server.directory.following import Following
from xirtam_server.directory.limits import LIMITS, MIRROR_LIMITS, DirectoryLimits, MirrorLimits
from xirtam_server.directory.replica import Replica
from xirtam_server.directory.served_log import ServedLog

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class MirrorState(StrEnum):
    """How a mirror stands to its upstream."""

    CATCHING_UP = "catching-up"
    FOLLOWING = "following"
    CUT_OFF = "cut-off"
    """The upstream does not answer, or with an older state than before."""
    DISTRUSTED = "distrusted"
    """The upstream gives what its signature does not stand for."""
    ALARM = "alarm"
    """The directory has signed two logs."""


class MirrorStatus(msgspec.Struct, frozen=True):
    """What an operator is to know: the state, and what is wrong, if anything."""

    state: MirrorState
    height: int | None
    """That is served; None: nothing is."""
    copied: int
    """The height up to which the log is here; -1: none of it."""
    problem: str | None
    unconfirmed_s: float
    """Seconds since the upstream last showed a verified anchor, or since the start."""


class MirrorService(ServedLog):
    """A mirror over a database of its own. Make one with `await MirrorService.open(…)`, and `await close()` it."""

    def __init__(self, upstream: Directory, limits: MirrorLimits, most_queries: int) -> None:
        super().__init__(most_queries)
        self._upstream = upstream
        self._limits = limits
        self._state = MirrorState.CATCHING_UP
        self._problem: XirtamError | None = None
        self._copied = -1
        self._confirmed = time.monotonic()
        self._forwarded = 0
        self._is_acknowledged = asyncio.Event()
        self._follower: asyncio.Task[None] | None = None
        self._replica: Replica

    @classmethod
    async def open(
        cls,
        path: Path,
        upstream: Directory,
        directory_pk: SigningPublic,
        *,
        limits: MirrorLimits = MIRROR_LIMITS,
        directory_limits: DirectoryLimits = LIMITS,
    ) -> Self:
        """The mirror in the SQLite file at `path`, which is made if there is none, of the directory with key `directory_pk`.

        `upstream` is that directory, or another mirror of it; the caller closes what it runs over, after this. Raises `Locked` if
        another process, directory or role has the file.
        """
        mirror = cls(upstream, limits, directory_limits.most_queries)
        try:
            await mirror._start(path, directory_pk)
        except BaseException:
            await mirror.close()
            raise
        return mirror

    async def _start(self, path: Path, directory_pk: SigningPublic) -> None:
        self._replica = await self._database.run(lambda: Replica(path, directory_pk))
        self._log_file = self._replica
        self._database.at_close(self._replica.close)
        await self._change(lambda: None)
        following = Following(self._upstream, directory_pk, self._replica, self._change, self._limits)
        self._follower = asyncio.create_task(self._follow(following), name="directory mirror")

    async def close(self) -> None:
        """Stops. It goes on from where it is after the next start."""
        if self._follower is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
        await asyncio.to_thread(self._database.close)

    def status(self) -> MirrorStatus:
        """How it stands at present."""
        problem = None if self._problem is None else str(self._problem)
        height = None if self._shown() is None else self._shown_anchor().last_header_height
        return MirrorStatus(self._state, height, self._copied, problem, time.monotonic() - self._confirmed)

    async def acknowledge_alarm(self) -> None:
        """Goes on after a person has seen that the directory signed two logs. The copy stays, so the same lie raises it again."""
        await self._change(lambda: self._replica.set_contradiction(None))
        self._is_acknowledged.set()

    def _shown(self) -> DirectoryAnchor | None:
        is_recent = time.monotonic() - self._confirmed <= self._limits.longest_unconfirmed_s
        return self._anchor if is_recent else None

    def _shown_anchor(self) -> DirectoryAnchor:
        shown = self._shown()
        if shown is None:
            raise DirectoryBusy
        return shown

    async def _change(self, job: Callable[[], T]) -> T:
        """What `job` gives, run in the database's thread; afterwards the anchor is what the copy then stands for."""

        def change() -> T:
            try:
                return job()
            finally:
                self._anchor = self._replica.anchor()
                self._copied = -1 if (tip := self._replica.tip()) is None else tip.height

        return await self._database.run(change)

    async def _follow(self, following: Following) -> None:
        pause_s = self._limits.poll_s
        while True:
            is_well = await self._look(following)
            pause_s = self._limits.poll_s if is_well else min(2 * pause_s, self._limits.longest_pause_s)
            await asyncio.sleep(pause_s)

    async def _look(self, following: Following) -> bool:
        """Looks at the upstream once; whether all is well."""
        try:
            await self._wait_for_acknowledgement()
            await following.look()
        except Equivocation as fault:
            self._enter(MirrorState.ALARM, fault)  # the copy remembers
        except Unverified as fault:
            self._enter(MirrorState.DISTRUSTED, fault)
        except (Unreachable, Refused, CallError) as fault:
            self._enter(MirrorState.CUT_OFF, fault)
        except Exception:  # a full disk, or a fault of ours: what is on disk is whole, and it may pass
            _logger.exception("the mirror could not go on, and tries again")
        else:
            self._confirmed = time.monotonic()
            self._enter(MirrorState.FOLLOWING, None)
            return True
        return False

    async def _wait_for_acknowledgement(self) -> None:
        """Returns once there is no proof of two logs, or a person has seen it."""
        proof = (await self._change(self._replica.mirrored)).contradiction
        if proof is not None:
            self._enter(MirrorState.ALARM, two_logs(proof.last_header_height))
            self._is_acknowledged.clear()
            await self._is_acknowledged.wait()

    def _enter(self, state: MirrorState, problem: XirtamError | None) -> None:
        if (state, str(problem)) != (self._state, str(self._problem)):
            level = logging.INFO if problem is None else logging.WARNING
            if state in (MirrorState.DISTRUSTED, MirrorState.ALARM):
                level = logging.CRITICAL
            _logger.log(level, "the mirror is %s: %s", state, problem or "it has caught up with its upstream")
        self._state, self._problem = state, problem

    async def get_pow_seed(self) -> PowSeed:
        return await self._forward(self._upstream.get_pow_seed)

    async def insert_update(self, key: str, update: DirectoryUpdate, solution: PowSolution) -> None:
        await self._forward(lambda: self._upstream.insert_update(key, update, solution))

    async def _forward(self, call: Callable[[], Awaitable[T]]) -> T:
        """What the upstream answers; raises `DirectoryBusy` where it does not."""
        if self._forwarded >= self._limits.most_forwarded or self._state is MirrorState.ALARM:
            raise DirectoryBusy
        self._forwarded += 1
        try:
            return await call()
        except UpdateRejected:
            raise
        except XirtamError as fault:
            raise DirectoryBusy from fault
        finally:
            self._forwarded -= 1
