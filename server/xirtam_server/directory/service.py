"""The directory as its callers see it: what changes it, and the clock that turns what is staged into chunks (spec: directory.md, RPC).

The event loop never waits for the disk or for a proof of work: one thread owns the database, two others verify. The anchor is signed
once a height, after that height is on disk, so none is ever taken back.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.pow.solution import find_flaw
from xirtam_core.protocol.directory import DirectoryUpdate, PowSeed, PowSolution, sign_anchor
from xirtam_core.rpc.directory import UpdateRejected
from xirtam_server.directory.admission import BOUNDS, Bounds
from xirtam_server.directory.limits import LIMITS, DirectoryLimits
from xirtam_server.directory.registry import Commit, Payment, Registry
from xirtam_server.directory.seeds import SeedMint, Terms
from xirtam_server.directory.served_log import ServedLog
from xirtam_server.directory.workers import Workers

SEED_VALID_S: Final = 600
"""More than the reference's 120: a slow machine that is unlucky needs it."""

HEARTBEAT_S: Final = 3600.0
_PAUSE_AFTER_FAILURE_S: Final = 1.0

_logger = logging.getLogger(__name__)


class DirectoryService(ServedLog):
    """A directory over a database of its own. Make one with `await DirectoryService.open(…)`, and `await close()` it."""

    def __init__(
        self, secret: SigningSecret, mint: SeedMint, clock: Callable[[], float], limits: DirectoryLimits
    ) -> None:
        super().__init__(limits.most_queries)
        self._secret = secret
        self._mint = mint
        self._clock = clock
        self._verifiers = Workers(limits.verifiers, limits.most_verifying, "directory-pow")
        self._is_staged = asyncio.Event()
        self._committer: asyncio.Task[None] | None = None
        self._registry: Registry

    @classmethod
    async def open(
        cls,
        path: Path,
        secret: SigningSecret,
        *,
        effort: int,
        chunk_delay_s: float = 1.0,
        heartbeat_s: float = HEARTBEAT_S,
        seed_valid_s: int = SEED_VALID_S,
        bounds: Bounds = BOUNDS,
        limits: DirectoryLimits = LIMITS,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """The directory in the SQLite file at `path`, which is made, with height 0, if there is none.

        `secret` signs anchors and is what clients know the directory by. `effort` is asked of new seeds. A chunk is committed
        `chunk_delay_s` after an update, and after `heartbeat_s` without any. Raises `Locked` if another process or key has the file.
        """
        service = cls(secret, SeedMint(secret, effort=effort, valid_s=seed_valid_s), clock, limits)
        try:
            await service._start(path, bounds, chunk_delay_s, heartbeat_s)
        except BaseException:
            await service.close()
            raise
        return service

    async def _start(self, path: Path, bounds: Bounds, chunk_delay_s: float, heartbeat_s: float) -> None:
        self._registry = await self._database.run(lambda: Registry(path, signing.public_of(self._secret), bounds))
        self._log_file = self._registry
        self._database.at_close(self._registry.close)
        tip = await self._database.run(self._registry.tip)
        if tip is None:
            await self._commit()
        else:
            self._anchor = sign_anchor(self._secret, tip.height, tip.hash)
            if await self._database.run(self._registry.is_anything_staged):
                self._is_staged.set()
        age_s = 0.0 if tip is None else max(0.0, self._clock() - tip.time_unix)
        self._committer = asyncio.create_task(self._commit_when_due(chunk_delay_s, heartbeat_s, age_s))

    async def close(self) -> None:
        """Stops. What is staged stays so, and lands after the next start."""
        if self._committer is not None:
            self._committer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._committer
        await asyncio.to_thread(self._verifiers.close)
        await asyncio.to_thread(self._database.close)

    async def _commit_when_due(self, chunk_delay_s: float, heartbeat_s: float, age_s: float) -> None:
        pause_s = max(0.0, heartbeat_s - age_s)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._is_staged.wait()
            is_heartbeat = not self._is_staged.is_set()
            if not is_heartbeat:
                await asyncio.sleep(chunk_delay_s)
            self._is_staged.clear()
            try:
                # An update that is accepted while a commit runs may land with it, and leaves nothing for the next.
                if not is_heartbeat and not await self._database.run(self._registry.is_anything_staged):
                    continue
                if (await self._commit()).is_more_staged:
                    self._is_staged.set()
                pause_s = heartbeat_s
            except Exception:  # whatever it is, what is staged is on disk, and must not wait for a restart
                _logger.exception("a chunk could not be committed, and is tried again")
                self._is_staged.set()
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_S)

    async def _commit(self) -> Commit:
        def commit() -> Commit:
            done = self._registry.commit(int(self._clock()))
            # Here, and not after the wait for this thread, which may be cancelled.
            self._anchor = sign_anchor(self._secret, done.tip.height, done.tip.hash)
            return done

        return await self._database.run(commit)

    async def probe(self) -> None:
        """Commits a write, and raises what keeps it from that."""
        await self._database.run(self._registry.probe)

    async def get_pow_seed(self) -> PowSeed:
        return self._mint.new(int(self._clock()))

    async def insert_update(self, key: str, update: DirectoryUpdate, solution: PowSolution) -> None:
        terms = self._terms_of(solution)
        seed = solution.seed
        if await self._query(lambda: self._registry.is_bought(seed, key, update)):
            return
        flaw = await self._verifiers.run(lambda: find_flaw(seed, solution.nonce, solution.solution, terms.effort))
        if flaw is not None:
            raise UpdateRejected(flaw)
        payment = Payment(seed, terms.use_before)
        await self._query(lambda: self._registry.accept(key, update, payment))
        self._is_staged.set()

    def _terms_of(self, solution: PowSolution) -> Terms:
        terms = self._mint.find_terms(solution.seed)
        if terms is None:
            raise UpdateRejected("unknown pow seed")
        if terms.use_before <= self._clock():
            raise UpdateRejected("pow seed expired")
        return terms
