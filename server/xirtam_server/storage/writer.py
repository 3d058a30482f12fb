"""The one thread that writes: it takes all that waits, does it in one transaction, and answers after the commit.

A commit with `synchronous=FULL` costs a flush of the disk however many changes it holds, so changes that come together share one.
While one transaction is being committed the next ones gather. Nothing is answered before it is on the disk.

Jobs run in the order in which they came. Outcomes are handed to the event loop in one piece per transaction, in the same order:
first each job's `settled`, then its future. So a cache that `settled` keeps is exact for whoever hears of the outcome.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Generic, Protocol, TypeVar

from xirtam_server.storage.interface import StoreBusy
from xirtam_server.tally import CommitTally

R = TypeVar("R")

_LARGEST_BATCH = 256


class Job(Generic[R]):
    """One change: what to do inside the transaction, and on the event loop once that is committed."""

    __slots__ = ("future", "settled", "size", "work")

    def __init__(
        self,
        future: asyncio.Future[R],
        work: Any,
        settled: Callable[[R], None] | None = None,
        size: int = 0,
    ) -> None:
        self.future = future
        self.work = work
        self.settled = settled
        self.size = size


class Worker(Protocol):
    """Does jobs, inside a transaction that the writer began where one is needed."""

    def is_one_statement(self, work: Sequence[Any]) -> bool:
        """Whether `perform` writes all of `work` in one statement, which is a transaction of its own."""
        ...

    def perform(self, db: sqlite3.Connection, work: Sequence[Any]) -> list[Any]:
        """The outcomes of `work`, in order: a value, or an exception for the one who asked. Raises to undo all of it."""
        ...

    def forget(self) -> None:
        """The transaction was undone: what was remembered of it no longer holds."""
        ...


class GroupWriter:
    """Owns the write connection, in a thread of its own."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], worker: Worker, *, most_jobs: int, most_bytes: int
    ) -> None:
        self._connect = connect
        self._worker = worker
        self._most_jobs, self._most_bytes = most_jobs, most_bytes
        self._jobs = self._bytes = 0
        self.commits = CommitTally()
        self._gathered: list[Job[Any]] = []
        self._queue: queue.SimpleQueue[list[Job[Any]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._closed = self._loop.create_future()
        self._thread.start()

    def submit(self, work: Any, settled: Callable[[Any], None] | None = None, *, size: int = 0) -> asyncio.Future[Any]:
        """Queues `work` of about `size` bytes; raises `StoreBusy` rather than hold more than the bounds."""
        if self._jobs >= self._most_jobs or self._bytes + size > self._most_bytes:
            raise StoreBusy
        job: Job[Any] = Job(self._loop.create_future(), work, settled, size)
        self._jobs += 1
        self._bytes += size
        if not self._gathered:
            # What comes in one turn of the event loop is handed over at its end: waking a thread costs both.
            self._loop.call_soon(self._hand_over)
        self._gathered.append(job)
        return job.future

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._queue.put(gathered)

    @property
    def waiting(self) -> int:
        """How many changes wait or are being written."""
        return self._jobs

    async def close(self) -> None:
        """Finishes what was queued and lets go of the database."""
        self._hand_over()
        self._queue.put(None)
        await self._closed
        self._thread.join()

    def _run(self) -> None:
        db = self._connect()
        try:
            is_open = True
            while is_open:
                waiting, is_open = self._take()
                for start in range(0, len(waiting), _LARGEST_BATCH):
                    batch = waiting[start : start + _LARGEST_BATCH]
                    began = perf_counter()
                    outcomes = self._commit(db, batch)
                    self.commits.add(len(batch), perf_counter() - began)
                    self._loop.call_soon_threadsafe(self._settle, batch, outcomes)
        finally:
            db.close()
            self._loop.call_soon_threadsafe(self._closed.set_result, None)

    def _take(self) -> tuple[list[Job[Any]], bool]:
        """All that waits, and whether more may come; waits for the first."""
        gathered = self._queue.get()
        waiting: list[Job[Any]] = []
        while gathered is not None:
            waiting += gathered
            try:
                gathered = self._queue.get_nowait()
            except queue.Empty:
                return waiting, True
        return waiting, False

    def _commit(self, db: sqlite3.Connection, batch: list[Job[Any]]) -> list[Any]:
        try:
            return self._attempt(db, batch)
        except Exception as fault:  # whatever it is, the callers must hear of it and the thread must live
            if len(batch) == 1:
                return [fault]
        # One bad job must not take its neighbours down: each alone, then.
        return [self._commit(db, [job])[0] for job in batch]

    def _attempt(self, db: sqlite3.Connection, batch: list[Job[Any]]) -> list[Any]:
        work = [job.work for job in batch]
        try:
            # Each statement gives the interpreter away, and waits to get it back: one less is felt.
            if self._worker.is_one_statement(work):
                return self._worker.perform(db, work)
            db.execute("BEGIN IMMEDIATE")
            outcomes = self._worker.perform(db, work)
            db.execute("COMMIT")
        except BaseException:
            self._worker.forget()
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        return outcomes

    def _settle(self, batch: list[Job[Any]], outcomes: list[Any]) -> None:
        for job, outcome in zip(batch, outcomes, strict=True):
            self._jobs -= 1
            self._bytes -= job.size
            failed = isinstance(outcome, Exception)
            if job.settled is not None and not failed:
                job.settled(outcome)
            if job.future.cancelled():
                continue
            if failed:
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)
