"""The directory's log as a server has verified it, on disk: the `HeaderStore` of its light client.

Without it a restart would fetch the headers again, and forget which log it was shown: a directory could then show it another one. Each
step is one transaction. A kill loses nothing; a power cut may lose the last step, after which the check goes on from the one before:
waiting for the disk here would hold up the event loop at every look-up that meets a new height.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import Locked
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryHeader
from xirtam_server.directory.database import take_lock, transaction

MOST_KEPT: Final = 50_000
"""Headers below the anchor: items are of the newest heights, and an anchor from far below says nothing new."""

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE identity (only INTEGER PRIMARY KEY CHECK (only = 0), directory_pk BLOB NOT NULL);
CREATE TABLE header (height INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE anchor (only INTEGER PRIMARY KEY CHECK (only = 0), body BLOB NOT NULL);
"""


class HeaderFile:
    """The headers in the SQLite file at `path`, of the directory with key `directory_pk`; the newest `most_kept`.

    Raises `Locked` if another process has the file, or it is of another directory or a newer version.
    """

    def __init__(self, path: Path, directory_pk: SigningPublic, most_kept: int = MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._lock = take_lock(path)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(directory_pk)
        except BaseException:
            self.close()
            raise

    def _prepare(self, directory_pk: SigningPublic) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise Locked(f"the directory's headers are kept in version {version}, and this program knows {_VERSION}")
        if version == 0:
            identity = f"INSERT INTO identity VALUES (0, x'{directory_pk.hex()}');"  # noqa: S608
            self._connection.executescript(f"BEGIN; {_SCHEMA} {identity} PRAGMA user_version = {_VERSION}; COMMIT;")
        (owner,) = self._connection.execute("SELECT directory_pk FROM identity").fetchone()
        if owner != directory_pk:
            raise Locked("the headers kept here are of another directory: name another place, or the directory's key")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        try:
            self._connection.close()
        finally:
            self._lock.close()

    def anchor(self) -> DirectoryAnchor | None:
        """The highest anchor; None before the first."""
        row = self._connection.execute("SELECT body FROM anchor").fetchone()
        return None if row is None else bcs.decode(DirectoryAnchor, row[0])

    def header(self, height: int) -> DirectoryHeader | None:
        """The header at `height`, if it is kept."""
        row = self._connection.execute("SELECT body FROM header WHERE height = ?", (height,)).fetchone()
        return None if row is None else bcs.decode(DirectoryHeader, row[0])

    def extend(self, first_height: int, headers: Sequence[DirectoryHeader], anchor: DirectoryAnchor) -> None:
        """Adds `headers` from `first_height` on, keeps `anchor`, and forgets what is too far below."""
        rows = [(height, bcs.encode(header)) for height, header in enumerate(headers, first_height)]
        oldest = anchor.last_header_height - self._most_kept + 1
        with transaction(self._connection):
            self._connection.executemany("INSERT INTO header VALUES (?, ?)", rows)
            self._connection.execute("DELETE FROM header WHERE height < ?", (oldest,))
            self._connection.execute("REPLACE INTO anchor VALUES (0, ?)", (bcs.encode(anchor),))
