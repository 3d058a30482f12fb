"""The methods that read a log, the same for a directory of its own and a mirror (spec: directory.md, RPC).

One thread owns the database. The anchor is kept in memory and changes in that thread, between two of its jobs, so that what a job
reads is what the anchor stands for; while there is none, nothing is answered.
"""

import logging
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryChunk, DirectoryHeader, DirectoryItem
from xirtam_core.rpc.directory import Directory, DirectoryBusy, UpdateRejected
from xirtam_server.directory.log_file import LogFile
from xirtam_server.directory.workers import Workers

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class ServedLog(Directory):
    """Answers from the log that a subclass opens as `_log_file`, as far as `_anchor` says."""

    def __init__(self, most_queries: int) -> None:
        self._database = Workers(1, most_queries, "directory-database")
        self._anchor: DirectoryAnchor | None = None
        self._log_file: LogFile

    async def get_anchor(self) -> DirectoryAnchor:
        return self._shown_anchor()

    async def get_chunk(self, height: int) -> DirectoryChunk:
        chunk = await self._read(lambda: self._log_file.find_chunk(height))
        if chunk is None:
            raise UpdateRejected("chunk not found")
        return chunk

    async def get_headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        return await self._read(lambda: self._log_file.headers(first, last))

    async def get_item(self, key: str) -> DirectoryItem:
        return await self._read(lambda: self._log_file.item(key))

    def _shown_anchor(self) -> DirectoryAnchor:
        """The anchor; raises `DirectoryBusy` while none is to be shown."""
        if self._anchor is None:
            raise DirectoryBusy
        return self._anchor

    async def _read(self, job: Callable[[], T]) -> T:
        """What `job` reads of the log as the anchor stands for it."""
        self._shown_anchor()  # spares the way to the thread where nothing may be read

        def read() -> T:
            self._shown_anchor()
            return job()

        return await self._query(read)

    async def _query(self, job: Callable[[], T]) -> T:
        """What `job` gives, run in the database's thread; raises `DirectoryBusy` where the database fails."""
        try:
            return await self._database.run(job)
        except sqlite3.Error as fault:
            _logger.exception("the directory's database failed")
            raise DirectoryBusy from fault
