"""Solving a proof of work without getting in the way: `await solve(seed, effort)` (spec: directory.md, Proof of work).

The search runs in one process per core, of lower priority, so that neither an event loop nor a screen in this process waits for it;
only a search that is shorter than starting processes runs in a thread. Cancelling the task ends the search, and nothing is left.
"""

import asyncio
import contextlib
import math
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xirtam_core.directory.pow.solution import SOLUTIONS_PER_CHALLENGE, meets
from xirtam_core.errors import XirtamError

if TYPE_CHECKING:
    from xirtam_core.directory.pow.search import Search

_WORKER: Final = "xirtam_core.directory.pow.worker"
_MOST_EFFORT_IN_A_THREAD: Final = 2
# Each takes 45 MB of memory.
_MOST_WORKERS: Final = 8
_REPORT_INTERVAL_S: Final = 0.1


class PowError(XirtamError):
    """The search for a proof of work could not go on."""


@dataclass(frozen=True)
class Solved:
    """A solution (16 bytes) that meets the effort asked for, and the 64-bit nonce that it is for."""

    nonce: int
    solution: bytes


@dataclass(frozen=True)
class Progress:
    """How far a search is. It is a lottery: each challenge is as likely to be the last one as any other."""

    tried: int
    """Challenges tried in vain."""
    expected: float
    """How many it takes on average."""
    elapsed_s: float

    @property
    def share(self) -> float:
        """Of all such searches, the share (0 to 1) that would have ended by now: what a progress bar can show."""
        return 1 - math.exp(-self.tried / self.expected)

    @property
    def expected_left_s(self) -> float | None:
        """Seconds that it goes on, on average: no fewer however long it has run. None until there is a rate to go by."""
        return self.elapsed_s / self.tried * self.expected if self.tried else None


async def solve(
    seed: bytes, effort: int, *, on_progress: Callable[[Progress], None] | None = None, workers: int | None = None
) -> Solved:
    """Finds a solution of `seed` that meets `effort`.

    `on_progress` is called from this task's loop, at the start and then up to ten times a second. `workers` is the number of
    processes, one per core (8 at most) if not given. Raises PowError if no process can search.
    """
    tally = _Tally(effort, on_progress)
    if effort <= _MOST_EFFORT_IN_A_THREAD:
        return await _solve_in_a_thread(seed, effort, tally)
    return await _solve_in_processes(seed, effort, tally, workers or min(_cores(), _MOST_WORKERS))


class _Tally:
    """Counts challenges, and reports them now and then."""

    def __init__(self, effort: int, on_progress: Callable[[Progress], None] | None) -> None:
        self._expected = max(effort, 1) / SOLUTIONS_PER_CHALLENGE
        self._on_progress = on_progress
        self._tried = 0
        self._started = time.monotonic()
        self._reported = self._started
        self._report(self._started)

    def count(self) -> None:
        self._tried += 1
        now = time.monotonic()
        if now - self._reported >= _REPORT_INTERVAL_S:
            self._report(now)

    def _report(self, now: float) -> None:
        self._reported = now
        if self._on_progress is not None:
            self._on_progress(Progress(self._tried, self._expected, now - self._started))


async def _solve_in_a_thread(seed: bytes, effort: int, tally: _Tally) -> Solved:
    search = await asyncio.to_thread(_new_search, seed, effort)
    while (found := await asyncio.to_thread(search.try_next)) is None:
        tally.count()
    return Solved(*found)


async def _solve_in_processes(seed: bytes, effort: int, tally: _Tally, workers: int) -> Solved:
    reasons: list[str] = []
    async with asyncio.TaskGroup() as group:
        searches = [group.create_task(_run_worker(seed, effort, tally)) for _ in range(workers)]
        for next_to_end in asyncio.as_completed(searches):
            outcome = await next_to_end
            if isinstance(outcome, Solved):
                for search in searches:
                    search.cancel()
                return outcome
            reasons.append(outcome)
    raise PowError(f"the proof of work was not found, because every process that searched for it ended: {reasons[0]}")


async def _run_worker(seed: bytes, effort: int, tally: _Tally) -> Solved | str:
    """What one process finds; or why it ended without."""
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", _WORKER),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={**os.environ, **_worker_environment()},
        )
    )
    try:
        try:
            process = await asyncio.shield(starting)
        except OSError as error:
            return str(error)
        return await _follow(process, seed, effort, tally)
    finally:
        await _to_its_end(lambda: _end(starting))


async def _end(starting: asyncio.Task[Process]) -> None:
    """Ends the process once it has started, if it does, and rids the event loop of it."""
    try:
        process = await asyncio.shield(starting)
    except OSError:
        return
    except asyncio.CancelledError:
        if starting.cancelled():
            return
        raise
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    # Also closes the pipes.
    await process.communicate()


async def _to_its_end(end: Callable[[], Coroutine[None, None, None]]) -> None:
    """Awaits `end`, however often that is cancelled: by the group of searches and by a loop that ends with every task in it."""
    cancelled: asyncio.CancelledError | None = None
    task = asyncio.create_task(end())
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
            if task.cancelled():
                task = asyncio.create_task(end())
    if cancelled is not None:
        raise cancelled


async def _follow(process: Process, seed: bytes, effort: int, tally: _Tally) -> Solved | str:
    assert process.stdin and process.stdout
    process.stdin.write(f"{seed.hex()} {effort}\n".encode())
    async for line in process.stdout:
        match line.decode().split():
            case ["tried"]:
                tally.count()
            case ["found", nonce, solution]:
                solved = Solved(int(nonce), bytes.fromhex(solution))
                return solved if meets(seed, solved.nonce, solved.solution, effort) else "it gave a wrong solution"
            case ["failed", *reason]:
                return " ".join(reason)
            case words:
                return f"it said {words}"
    return f"exit status {await process.wait()}"


def _worker_environment() -> dict[str, str]:
    return {
        # The worker must find the modules that this process has found, however it did.
        "PYTHONPATH": os.pathsep.join(sys.path),
        # The library that numpy uses for linear algebra would start a thread per core, for nothing.
        "OPENBLAS_NUM_THREADS": "1",
    }


def _new_search(seed: bytes, effort: int) -> "Search":
    # Only here, and in a thread, because it loads numpy.
    from xirtam_core.directory.pow.search import Search

    return Search(seed, effort)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
