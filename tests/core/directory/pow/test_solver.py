"""The solver from end to end, and what it leaves behind: nothing."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from xirtam_core.directory.pow.solution import meets
from xirtam_core.directory.pow.solver import PowError, Progress, Solved, solve

SEED = bytes(range(32))
NEVER = 1 << 60  # an effort that no test lives to see met
WORKER = "xirtam_core.directory.pow.worker"


def worker_pids() -> list[int]:
    """The worker processes of this process that are alive, or dead and not yet waited for."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state_and_parent = stat.read_text().rpartition(")")[2].split()
            arguments = (stat.parent / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(state_and_parent[1]) == os.getpid() and (WORKER.encode() in arguments or state_and_parent[0] == "Z"):
            found.append(int(stat.parent.name))
    return found


async def workers_are_there(number: int) -> None:
    for _ in range(2000):
        if len(worker_pids()) == number:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the workers have not started")


class Watched:
    """A search in the background, and what it reports."""

    def __init__(self, effort: int, workers: int) -> None:
        self.reports: list[Progress] = []
        self._goes_on = asyncio.Event()
        self.task = asyncio.create_task(solve(SEED, effort, on_progress=self._report, workers=workers))

    def _report(self, progress: Progress) -> None:
        self.reports.append(progress)
        if progress.tried:
            self._goes_on.set()

    async def goes_on(self) -> None:
        async with asyncio.timeout(20):
            await self._goes_on.wait()

    async def cancel(self) -> float:
        """Cancels the search; gives the seconds that it takes to end."""
        started = time.monotonic()
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task
        return time.monotonic() - started


async def test_a_small_effort_is_met_without_starting_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    solved = await solve(SEED, 1)
    assert meets(SEED, solved.nonce, solved.solution, 1)


async def test_a_larger_effort_is_met_by_two_processes_that_are_gone_afterwards() -> None:
    solved = await solve(SEED, 8, workers=2)
    assert meets(SEED, solved.nonce, solved.solution, 8)
    assert worker_pids() == []


def test_a_search_works_in_a_loop_of_another_thread() -> None:
    found: list[Solved] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(solve(SEED, 8, workers=1))))
    thread.start()
    thread.join(30)
    assert meets(SEED, found[0].nonce, found[0].solution, 8)


async def test_cancelling_a_search_ends_it_at_once_and_leaves_no_process() -> None:
    search = Watched(NEVER, workers=2)
    await search.goes_on()
    assert len(worker_pids()) == 2
    assert await search.cancel() < 1
    assert worker_pids() == []


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
async def test_a_search_can_be_cancelled_while_its_processes_start(turns: int) -> None:
    search = Watched(NEVER, workers=2)
    for _ in range(turns):
        await asyncio.sleep(0)
    assert await search.cancel() < 1
    assert worker_pids() == []


@pytest.mark.parametrize("is_cancelled", [False, True])
@pytest.mark.parametrize("turns", range(7))
def test_a_search_leaves_no_process_when_its_loop_ends(is_cancelled: bool, turns: int) -> None:
    async def begin() -> None:
        search = Watched(NEVER, workers=2)
        await search.goes_on()
        if is_cancelled:
            search.task.cancel()
        for _ in range(turns):
            await asyncio.sleep(0)

    asyncio.run(begin())  # cancels every task there is, those of the search apart from the search
    assert worker_pids() == []
    gc.collect()  # a process that nobody has waited for says so now


async def test_cancelling_a_search_in_a_thread_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xirtam_core.directory.pow.solver._MOST_EFFORT_IN_A_THREAD", NEVER)
    search = Watched(NEVER, workers=1)
    await search.goes_on()
    assert await search.cancel() < 1


async def test_progress_starts_at_nothing_and_says_what_to_expect() -> None:
    search = Watched(NEVER, workers=1)
    await search.goes_on()
    await search.cancel()
    first, last = search.reports[0], search.reports[-1]
    assert (first.tried, first.share, first.expected_left_s) == (0, 0, None)
    assert last.tried > 0
    assert last.elapsed_s > first.elapsed_s
    assert abs(last.expected / NEVER - 0.5) < 0.01


def test_the_share_of_searches_that_have_ended_is_that_of_a_lottery() -> None:
    half = Progress(tried=345, expected=497.5, elapsed_s=10)
    assert abs(half.share - 0.5) < 0.001
    assert half.expected_left_s is not None
    assert abs(half.expected_left_s - 14.42) < 0.01


async def test_when_a_worker_dies_the_others_go_on() -> None:
    search = Watched(30, workers=2)
    await workers_are_there(2)
    os.kill(worker_pids()[0], signal.SIGKILL)
    solved = await search.task
    assert meets(SEED, solved.nonce, solved.solution, 30)


async def test_when_all_workers_die_the_search_says_so() -> None:
    search = Watched(NEVER, workers=2)
    await search.goes_on()
    for pid in worker_pids():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(PowError, match="exit status -9"):
        await search.task
    assert worker_pids() == []


async def test_when_no_process_can_be_started_the_search_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(PowError, match="No such file"):
        await solve(SEED, 8, workers=2)


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("found 1 000102030405060708090a0b0c0d0e0f", "a wrong solution"),
        ("failed ModuleNotFoundError: No module named 'numpy'", "No module named 'numpy'"),
        ("hello", "hello"),
    ],
)
async def test_a_worker_is_not_believed_blindly(
    says: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho "{says}"\n')
    fake.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(PowError, match=reason):
        await solve(SEED, 8, workers=1)


def test_a_worker_ends_when_its_parent_does() -> None:
    # The kernel closes the pipe of a parent that ends, however it ends.
    command = [sys.executable, "-m", WORKER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdin and worker.stdout
        worker.stdin.write(f"{SEED.hex()} {NEVER}\n".encode())
        worker.stdin.flush()
        assert worker.stdout.readline() == b"tried\n"
        worker.stdin.close()
        assert worker.wait(5) == 0
