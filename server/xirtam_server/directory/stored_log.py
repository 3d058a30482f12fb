"""The log in a directory's or mirror's database, read while another process may be adding to it: what an audit reads."""

import sqlite3
from pathlib import Path

from xirtam_core.codec.primitives import Signature, SigningPublic
from xirtam_core.protocol.directory import DIRECTORY_ID, DirectoryAnchor, DirectoryChunk, DirectoryHeader
from xirtam_core.rpc.directory import DirectoryBusy, UpdateRejected
from xirtam_server.directory import mirrored
from xirtam_server.directory.database import open_read_only
from xirtam_server.directory.log import Log
from xirtam_server.directory.workers import Workers

_MOST_WAITING = 1024


class StoredLog:
    """The log in the file at `path` of the directory with key `directory_pk`. What it has once said stays true: a log only grows."""

    def __init__(self, path: Path, directory_pk: SigningPublic) -> None:
        """Raises `NotFound` and `Locked`."""
        self._connection = open_read_only(path, directory_pk)
        self._log = Log(self._connection)
        self._reader = Workers(1, _MOST_WAITING, "stored-log")
        self._reader.at_close(self._connection.close)

    def close(self) -> None:
        """Lets go of the file."""
        self._reader.close()

    async def get_anchor(self) -> DirectoryAnchor:
        """What the log ends in; of a mirror's as the directory signed it, else without a signature, for the key is not in the file."""
        return await self._reader.run(self._anchor)

    def _anchor(self) -> DirectoryAnchor:
        tip = self._log.tip()
        if tip is None:
            raise DirectoryBusy
        kept = self._mirrored_anchor()
        if kept is not None and kept.last_header_height == tip.height:
            return kept
        return DirectoryAnchor(DIRECTORY_ID, tip.height, tip.hash, Signature(bytes(Signature.size)))

    def _mirrored_anchor(self) -> DirectoryAnchor | None:
        try:
            row = self._connection.execute("SELECT 1 FROM mirror").fetchone()
        except sqlite3.OperationalError:  # the first version knows no mirrors
            return None
        return None if row is None else mirrored.read(self._connection).anchor

    async def get_headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        """The headers from `first` to `last` that exist, at most a page."""
        return await self._reader.run(lambda: self._log.headers(first, last))

    async def get_chunk(self, height: int) -> DirectoryChunk:
        """What `height` added."""
        found = await self._reader.run(lambda: self._log.find_chunk(height))
        if found is None:
            raise UpdateRejected("chunk not found")
        return found
