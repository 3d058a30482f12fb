"""Hints from process to process that something came to a mailbox, by NOTIFY: outside of the writing, some at a time, and no promise.

A hint that is lost, because a connection broke or there were too many, costs a reader some seconds: all mailboxes that are waited
for are looked at now and then in any case.
"""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence

import psycopg

from xirtam_core.codec.primitives import Hash
from xirtam_server.storage.postgres.database import Backoff, Connection, connect, end

_CHANNEL = "xirtam_mailboxes"
_PAUSE_S = 0.01
"""Between two notifications: what comes in it is told together."""
_MOST_IN_ONE = 180
"""Names of 44 characters in a payload, which has to be below 8000."""
_MOST_UNTOLD = 20_000


class Hints:
    """Tells other processes, and hears from them."""

    def __init__(self, info: str, heard: Callable[[Sequence[Hash]], Awaitable[None]]) -> None:
        self._info, self._heard = info, heard
        self._untold: dict[Hash, None] = {}
        self._news = asyncio.Event()
        self._own_pid = 0
        self._tasks = (
            asyncio.create_task(self._keep(self._speak), name="hints, told"),
            asyncio.create_task(self._keep(self._listen), name="hints, heard"),
        )

    def tell(self, mailbox: Hash) -> None:
        """Something came to `mailbox`."""
        if len(self._untold) < _MOST_UNTOLD:
            self._untold[mailbox] = None
            self._news.set()

    async def close(self) -> None:
        """Stops."""
        await end(self._tasks)

    async def _keep(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        """Does `work` on a connection, on another one when that breaks."""
        backoff = Backoff()
        while True:
            try:
                connection = await connect(self._info)
            except psycopg.Error:
                await backoff.pause()
                continue
            backoff = Backoff()
            try:
                await work(connection)
            except psycopg.Error:
                await backoff.pause()
            finally:
                await connection.close()

    async def _speak(self, connection: Connection) -> None:
        await connection.execute("SET synchronous_commit = off")  # a hint need not be on the disk
        self._own_pid = connection.info.backend_pid
        while True:
            await self._news.wait()
            told = list(self._untold)[:_MOST_IN_ONE]
            for name in told:
                del self._untold[name]
            if not self._untold:
                self._news.clear()
            payload = " ".join(b64encode(name).decode() for name in told)
            await connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))
            await asyncio.sleep(_PAUSE_S)

    async def _listen(self, connection: Connection) -> None:
        await connection.execute("LISTEN xirtam_mailboxes")
        async for notice in connection.notifies():
            if notice.pid != self._own_pid:
                await self._heard(_names(notice.payload))


def _names(payload: str) -> list[Hash]:
    """The mailboxes in a payload; none where it is not of ours."""
    try:
        return [Hash(b64decode(word)) for word in payload.split()]
    except ValueError:
        return []
