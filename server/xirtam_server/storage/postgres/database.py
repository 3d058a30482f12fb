"""Connections to PostgreSQL, and what becomes of a call when one breaks.

A database may be restarted, or another take its place, at any time. A call then waits for a while and is tried again, so everything
that is handed to `run` must come to the same when it has been done before. Who has waited long enough is told to come again.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, TooManyRequests

from xirtam_server.storage.interface import StoreBusy, StoreUnreachable
from xirtam_server.storage.postgres import arrays
from xirtam_server.storage.postgres.settings import PostgresSettings

R = TypeVar("R")
Connection = psycopg.AsyncConnection[Any]

_log = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_ENDS_S = 0.2
_DISCONNECTS_S = 0.3
_TRY_AGAIN: Final = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_DEFAULTS: Final = {
    "connect_timeout": 5,
    "application_name": "xirtam-server",
    # A peer that is gone without a word is noticed within seconds, not hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def conninfo(url: str) -> str:
    """What libpq is told; what the URL says goes before our defaults. Raises `psycopg.ProgrammingError`."""
    return make_conninfo(url, **{key: value for key, value in _DEFAULTS.items() if key not in conninfo_to_dict(url)})


def place(url: str) -> str:
    """The URL as people may see it: where, without who and with what password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "that was named"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


async def connect(info: str) -> Connection:
    """A connection of one's own, on which each statement is a transaction, and durable before it returns."""
    connection = await psycopg.AsyncConnection.connect(info, autocommit=True)
    try:
        await prepare(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def prepare(connection: Connection) -> None:
    """Sees to it that what is committed is flushed, unless the operator asks for more than that."""
    arrays.register(connection)
    await connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )


class Backoff:
    """Pauses between attempts: longer each time, and never the same for two processes."""

    def __init__(self) -> None:
        self._pause_s = _FIRST_PAUSE_S

    async def pause(self) -> None:
        await asyncio.sleep(self._pause_s * random.uniform(0.5, 1))  # noqa: S311  # spreads attempts
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)


async def end(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancels `tasks`: twice, as upon the first a connection asks its server to stop, which may be away as well."""
    left = set(tasks)
    for _ in range(2):
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_ENDS_S)


class Database:
    """A pool of connections."""

    def __init__(self, info: str, settings: PostgresSettings) -> None:
        self.info = info
        self._patience_s = settings.patience_s
        self._is_away = False
        self._running: set[asyncio.Future[Any]] = set()
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # we say it ourselves, once
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            info,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=settings.connections,
            max_waiting=settings.most_waiting,
            timeout=settings.patience_s,
            reconnect_timeout=2.0,
            configure=prepare,
            open=False,
        )

    async def open(self) -> None:
        """Starts to connect."""
        await self._pool.open()

    async def close(self, until: float) -> None:
        """Waits for calls that are under way, until loop time `until`, and disconnects."""
        if self._running:
            await asyncio.wait(self._running, timeout=max(until - asyncio.get_running_loop().time(), 0))
        await end(tuple(self._running))
        await self._pool.close(timeout=_DISCONNECTS_S)

    async def run(self, work: Callable[[Connection], Awaitable[R]]) -> R:
        """What `work` gives, done on one connection, perhaps more than once; raises `StoreUnreachable`, and `StoreBusy` where too
        many wait.

        It goes on when the caller is cancelled: a change is not left half known.
        """
        task = asyncio.ensure_future(self._persist(work))
        self._running.add(task)
        task.add_done_callback(self._finished)
        await asyncio.wait((task,), timeout=self._patience_s)
        if not task.done():
            task.cancel()
            raise StoreUnreachable
        return task.result()

    def _finished(self, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone

    async def _persist(self, work: Callable[[Connection], Awaitable[R]]) -> R:
        until, backoff = asyncio.get_running_loop().time() + self._patience_s, Backoff()
        refusal: type[StoreBusy | StoreUnreachable] = StoreBusy
        while True:
            try:
                async with self._pool.connection() as connection:
                    found = await work(connection)
            except TooManyRequests:
                raise refusal from None
            except psycopg.OperationalError as fault:
                refusal = StoreUnreachable  # whoever lost an answer cannot say that nothing came about
                self.note(is_away=True, fault=fault)
                if asyncio.get_running_loop().time() >= until:
                    raise StoreUnreachable from None
            else:
                self.note(is_away=False)
                return found
            await backoff.pause()

    def note(self, *, is_away: bool, fault: Exception | None = None) -> None:
        """Writes into the log when the database goes and when it comes back."""
        if is_away == self._is_away or isinstance(fault, _TRY_AGAIN):
            return
        self._is_away = is_away
        if is_away:
            _log.warning("the database does not answer (%s): callers are told to come again", type(fault).__name__)
        else:
            _log.warning("the database answers again")
