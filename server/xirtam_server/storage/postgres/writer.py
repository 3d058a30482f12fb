"""Writes entries in batches: what comes while a batch is being committed gathers for the next one.

A connection may break when a batch was sent and its answer has not come: then it may be committed, or not, or be under way still.
This is found out, never guessed. Each connection that writes has a row of its own in the table `writer`, in which every batch leaves
its number and its outcomes, in the same transaction. Whoever has lost an answer asks that row, from a new connection: the question
waits for a transaction that is under way, and marks the row, upon which a batch that comes late is refused. If the row has the
number, the batch is committed and its outcomes are known; if not, it will never be, and is sent again under a new row.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from uuid import UUID, uuid4

import psycopg

from xirtam_server.storage.interface import AccessChanged, MailboxFull, StoreBusy, StoreUnreachable
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.postgres import entries
from xirtam_server.storage.postgres.database import Backoff, Connection, Database, connect, end
from xirtam_server.storage.postgres.entries import Append
from xirtam_server.tally import CommitTally

_log = logging.getLogger(__name__)
_LARGEST_BATCH = 256
_LARGEST_BATCH_BYTES = 4 * 2**20
_FENCED = "XF001"
_KEPT_ROWS = "30 days"

Appended = Callable[[Append, int, int], None]
"""Told of each entry that is committed: its `received_at`, and the one before it in the mailbox."""


class Backlog:
    """How much waits to be written, over all writers."""

    def __init__(self, limits: StoreLimits) -> None:
        self._most_jobs, self._most_bytes = limits.most_waiting, limits.most_waiting_bytes
        self.jobs = self.bytes = 0

    def take(self, size: int) -> None:
        """Counts a job in; raises `StoreBusy` rather than hold more than the bounds."""
        if self.jobs >= self._most_jobs or self.bytes + size > self._most_bytes:
            raise StoreBusy
        self.jobs += 1
        self.bytes += size

    def give_back(self, size: int) -> None:
        """Counts a job out."""
        self.jobs -= 1
        self.bytes -= size


class Job:
    """An entry to be written, and who waits for it until loop time `until`."""

    __slots__ = ("append", "future", "is_given_up", "until")

    def __init__(self, append: Append, until: float) -> None:
        self.append, self.until = append, until
        self.future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.is_given_up = False

    def give_up(self) -> None:
        """Its sender has waited long enough; it is not written, if that is still to be decided."""
        self.is_given_up = True
        self.fail(StoreUnreachable())

    def fail(self, fault: Exception) -> None:
        """Tells the sender, if it is still there."""
        if not self.future.done():
            self.future.set_exception(fault)


class _Session:
    """A connection that writes, and its row."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.id = uuid4()
        self.batch = 0

    @classmethod
    async def open(cls, info: str) -> "_Session":
        session = cls(await connect(info))
        try:
            await session.connection.execute("DELETE FROM writer WHERE used_at < now() - %s::interval", (_KEPT_ROWS,))
            await session.connection.execute("INSERT INTO writer (id) VALUES (%s)", (session.id,))
        except BaseException:
            await session.connection.close()
            raise
        return session

    async def outcomes_of(self, writer: UUID, batch: int) -> list[int] | None:
        """What the other row says of a batch: its outcomes, or None for one that is not committed and never will be."""
        found = await self.connection.execute(
            "UPDATE writer SET is_fenced = true WHERE id = %s RETURNING batch, outcomes", (writer,)
        )
        row = await found.fetchone()
        if row is None:
            raise StoreUnreachable  # an older database was put in its place
        return row[1] if row[0] == batch else None


class EntryWriter:
    """Owns a connection, and writes the entries of its share of the mailboxes in the order in which they came."""

    def __init__(
        self,
        database: Database,
        limits: StoreLimits,
        backlog: Backlog,
        patience_s: float,
        appended: Appended,
        commits: CommitTally,
    ) -> None:
        self._database, self._limits, self._backlog, self._appended = database, limits, backlog, appended
        self._patience_s, self._commits = patience_s, commits
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Job] = deque()
        self._written: list[Job] = []
        self._news = asyncio.Event()
        self._is_closing = False
        self._session: _Session | None = None
        self._task = asyncio.create_task(self._run(), name="writer")
        self._sweep = asyncio.create_task(self._give_up_old(), name="writer's patience")

    def submit(self, append: Append) -> asyncio.Future[int]:
        """Queues an entry; raises `StoreBusy`."""
        self._backlog.take(append.size + 512)
        job = Job(append, self._loop.time() + self._patience_s)
        self._waiting.append(job)
        self._news.set()
        return job.future

    async def close(self, until: float) -> None:
        """Writes what waits, until loop time `until`, and disconnects."""
        self._is_closing = True
        self._news.set()
        await asyncio.wait((self._task,), timeout=max(until - self._loop.time(), 0))
        await end((self._task, self._sweep))
        for job in (*self._written, *self._waiting):
            job.give_up()
        await self._end_session()

    async def _give_up_old(self) -> None:
        while True:
            await asyncio.sleep(self._patience_s / 20)
            now = self._loop.time()
            for job in self._written:
                if job.until <= now:
                    job.give_up()
            while self._waiting and self._waiting[0].until <= now:
                job = self._waiting.popleft()
                self._backlog.give_back(job.append.size + 512)
                job.give_up()

    async def _run(self) -> None:
        while not (self._is_closing and not self._waiting):
            self._news.clear()
            if self._waiting:
                self._written = self._take()
                try:
                    await self._write(self._written)
                except Exception as fault:  # an observer's fault: it must not end the writing
                    _log.error("a batch could not be told of: %s", type(fault).__name__)
                    for job in self._written:
                        job.fail(StoreBusy())
                for job in self._written:
                    self._backlog.give_back(job.append.size + 512)
                self._written = []
            else:
                await self._news.wait()

    def _take(self) -> list[Job]:
        batch = [self._waiting.popleft()]
        size = batch[0].append.size
        while self._waiting and len(batch) < _LARGEST_BATCH and size < _LARGEST_BATCH_BYTES:
            batch.append(self._waiting.popleft())
            size += batch[-1].append.size
        return batch

    async def _write(self, batch: list[Job]) -> None:
        """Sees to an answer for every job."""
        try:
            jobs, outcomes = await self._commit(batch)
        except StoreUnreachable as fault:
            for job in batch:
                job.fail(fault)
        except Exception as fault:  # whatever it is, the senders must hear of it and the task must live
            if len(batch) == 1:
                batch[0].fail(StoreBusy() if isinstance(fault, psycopg.OperationalError) else fault)
                return
            # One bad entry must not take its neighbours down: each alone, then.
            for job in batch:
                await self._write([job])
        else:
            self._settle(jobs, outcomes)

    async def _commit(self, batch: list[Job]) -> tuple[list[Job], list[int]]:
        """Writes the batch, less what is given up before it comes to that; raises what keeps the database from taking it."""
        backoff = Backoff()
        while jobs := [job for job in batch if not job.is_given_up]:
            try:
                session = self._session = self._session or await _Session.open(self._database.info)
            except psycopg.OperationalError as fault:
                self._database.note(is_away=True, fault=fault)
            else:
                outcomes = await self._attempt(session, [job.append for job in jobs])
                if outcomes is not None:
                    self._database.note(is_away=False)
                    return jobs, outcomes
            await backoff.pause()
        return [], []

    async def _attempt(self, session: _Session, appends: Sequence[Append]) -> list[int] | None:
        """The outcomes; None where the batch was certainly not written and may be sent again."""
        batch, limits, began = session.batch + 1, self._limits, perf_counter()
        try:
            outcomes = await entries.append(
                session.connection, session.id, batch, appends, limits.most_entries, limits.most_mailbox_bytes
            )
            self._commits.add(len(appends), perf_counter() - began)
        except psycopg.Error as fault:
            if session.connection.broken or session.connection.closed:
                self._database.note(is_away=True, fault=fault)
                return await self._find_out(session, batch)
            if fault.sqlstate == _FENCED:
                await self._end_session()
                return None
            if isinstance(fault, (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)):
                return None
            raise
        session.batch = batch
        return outcomes

    async def _find_out(self, lost: _Session, batch: int) -> list[int] | None:
        """What became of a batch whose answer was lost; asks until somebody answers."""
        backoff = Backoff()
        await self._end_session()
        while True:
            try:
                session = await _Session.open(self._database.info)
                try:
                    outcomes = await session.outcomes_of(lost.id, batch)
                except BaseException:
                    await session.connection.close()
                    raise
            except psycopg.Error as fault:
                self._database.note(is_away=True, fault=fault)
                await backoff.pause()
            else:
                self._session = session
                return outcomes

    async def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.connection.close()

    def _settle(self, jobs: list[Job], outcomes: list[int]) -> None:
        ends: dict[int, int] = {}
        for job, outcome, last in zip(jobs, outcomes[: len(jobs)], outcomes[len(jobs) :], strict=True):
            if outcome == entries.FULL:
                job.fail(MailboxFull())
            elif outcome == entries.ACCESS_CHANGED:
                job.fail(AccessChanged())
            else:
                row = job.append.state.row
                before, ends[row] = ends.get(row, last), outcome
                self._appended(job.append, outcome, before)
                if not job.future.done():
                    job.future.set_result(outcome)
