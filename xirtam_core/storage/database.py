"""An account's encrypted database: opened, brought up to date, and written in transactions (spec: client.md, Storage).

SQLCipher encrypts every page with a raw 32-byte key. WAL with `synchronous=FULL`: what a transaction wrote is on the disk when it
has ended, and a crash at any instant leaves a database that opens. One connection, used by one thread.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2

from xirtam_core.errors import Locked
from xirtam_core.storage.keys import DatabaseKey
from xirtam_core.storage.schema import STEPS

Row = tuple[Any, ...]

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "secure_delete = ON",  # a secret that was destroyed is gone from the file, not only from its table
)


class Database:
    """One open account database."""

    def __init__(self, path: Path, key: DatabaseKey) -> None:
        """Opens the database at `path`, or makes it; raises `Locked` when `key` does not open it."""
        self._connection = dbapi2.connect(path, isolation_level=None, cached_statements=256)
        try:
            # The library reports a wrong key on stderr, which would land in the middle of the screen.
            self._connection.execute("PRAGMA cipher_log_level = NONE")
            self._connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except dbapi2.DatabaseError:
            self._connection.close()
            raise Locked(f"the key does not open {path.name}: nothing was changed") from None
        try:
            for pragma in _PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
            self._migrate()
            path.chmod(0o600)
        except BaseException:
            self._connection.close()
            raise

    def _migrate(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(STEPS):
            raise Locked("this account was opened by a newer xirtam: update this one, nothing was changed")
        for number, step in enumerate(STEPS[version:], version + 1):
            self._connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")

    def execute(self, sql: str, *parameters: Any) -> int:
        """Runs one statement; gives the number of rows it changed."""
        return self._connection.execute(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """Runs one statement for each of `rows`; gives the number of rows that all of them changed."""
        return self._connection.executemany(sql, rows).rowcount

    def insert(self, sql: str, *parameters: Any) -> int | None:
        """Runs one `INSERT`; gives the new row's id, or None where it was passed over as a repeat."""
        cursor = self._connection.execute(sql, parameters)
        return cursor.lastrowid if cursor.rowcount > 0 else None

    def row(self, sql: str, *parameters: Any) -> Row | None:
        """The first row that matches, or None."""
        return self._connection.execute(sql, parameters).fetchone()

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """Every row that matches."""
        return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing, and on the disk when it ends. One inside another is part of the outer one."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # A commit that failed may have left the transaction open: nothing that follows may count as part of it.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def forget_deleted(self) -> None:
        """Empties the write-ahead log, which still has what was deleted; outside a transaction."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Closes the database; what was committed stays."""
        self._connection.close()
