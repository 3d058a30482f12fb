"""Threads for what must not hold up the event loop, each group with a bounded queue, past which the answer is `retry_later`."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from xirtam_core.rpc.directory import DirectoryBusy

T = TypeVar("T")


class Workers:
    """Some threads, and at most `most_waiting` jobs that run or wait for one."""

    def __init__(self, threads: int, most_waiting: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, name)
        self._most_waiting = most_waiting
        self._waiting = 0
        self._counting = threading.Lock()  # a job ends in its thread
        self._at_close: Callable[[], None] | None = None

    async def run(self, job: Callable[[], T]) -> T:
        """What `job` gives or raises, run in a thread. Raises `DirectoryBusy` when too many wait.

        A job that has begun goes on when its caller is cancelled; one that has not is dropped.
        """
        if self._waiting >= self._most_waiting:
            raise DirectoryBusy
        try:
            future = self._threads.submit(job)
        except RuntimeError:  # it has been closed
            raise DirectoryBusy from None
        self._count(1)
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def _count(self, change: int) -> None:
        with self._counting:
            self._waiting += change

    def _done(self, _: Future[Any]) -> None:
        self._count(-1)

    def at_close(self, job: Callable[[], None]) -> None:
        """Has a thread do `job` after all others."""
        self._at_close = job

    def close(self) -> None:
        """Waits for what runs or waits, and ends."""
        last, self._at_close = self._at_close, None
        if last is not None:
            self._threads.submit(last)
        self._threads.shutdown()
