"""An account's encrypted database: opened, brought up to date, and written in transactions (spec: client.md, Storage).

SQLCipher encrypts every page with a raw 32-byte key. WAL with `synchronous=FULL`: what a transaction wrote is on the disk when it
has ended, and a crash at any instant leaves a database that opens. One connection, used by one thread.

What the disk does wrong is raised as a `StorageFault`, here and nowhere else. `trouble` says what stands in the way of writing at the
moment, until a write succeeds again; damage stays.
"""

import os
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlcipher3 import dbapi2

from xirtam_core.errors import Damaged, Locked, StorageFault
from xirtam_core.storage.faults import storage_fault
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
        """Opens the database at `path`, or makes it; raises `Locked` when `key` does not open it, and `StorageFault`."""
        self.path = path
        self.trouble: StorageFault | None = None
        self.on_trouble: Callable[[], None] = lambda: None
        """Called whenever `trouble` is another than before."""
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        self._key = key
        self._connection = _connected(path, key)
        self._watch = _Watch(self)
        self._at_the_end: dict[str, dict[int, Row]] = {}
        self._afterwards: list[Callable[[], None]] = []

    def execute(self, sql: str, *parameters: Any) -> int:
        """Runs one statement; gives the number of rows it changed."""
        with self._watch:
            found = self._connection.execute(sql, parameters).rowcount
        self._has_written()
        return found

    def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """Runs one statement for each of `rows`; gives the number of rows that all of them changed."""
        with self._watch:
            found = self._connection.executemany(sql, rows).rowcount
        self._has_written()
        return found

    def insert(self, sql: str, *parameters: Any) -> int | None:
        """Runs one `INSERT`; gives the new row's id, or None where it was passed over as a repeat."""
        with self._watch:
            cursor = self._connection.execute(sql, parameters)
        self._has_written()
        return cursor.lastrowid if cursor.rowcount > 0 else None

    def insert_at_the_end(self, sql: str, key: int, row: Row) -> None:
        """Runs an `INSERT` with `row` just before the transaction ends, together with all its other rows, in the order of their keys.

        For a table to which a row by itself costs much; a row of the same key takes the former one's place.
        """
        if self._connection.in_transaction:
            self._at_the_end.setdefault(sql, {})[key] = row
        else:
            self.execute(sql, *row)

    def call_off(self, sql: str, key: int) -> None:
        """Leaves out what `insert_at_the_end` was asked for in this transaction."""
        self._at_the_end.get(sql, {}).pop(key, None)

    def when_stored(self, then: Callable[[], None]) -> None:
        """Calls `then` once the transaction is on the disk, and never where it fails; outside of one, at once."""
        if self._connection.in_transaction:
            self._afterwards.append(then)
        else:
            then()

    def row(self, sql: str, *parameters: Any) -> Row | None:
        """The first row that matches, or None."""
        with self._watch:
            return self._connection.execute(sql, parameters).fetchone()

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """Every row that matches."""
        with self._watch:
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All or nothing, and on the disk when it ends. One inside another is part of the outer one."""
        if self._connection.in_transaction:
            yield
            return
        with self._watch:
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._watch:
                self._insert_what_waits()
                self._connection.execute("COMMIT")
        except BaseException:
            # A commit that failed may have left the transaction open: nothing that follows may count as part of it.
            self._at_the_end.clear()
            self._afterwards.clear()
            self._roll_back()
            raise
        self._has_written()
        waiting, self._afterwards = self._afterwards, []
        for then in waiting:
            then()

    def _insert_what_waits(self) -> None:
        for sql, rows in self._at_the_end.items():
            self._connection.executemany(sql, [row for _, row in sorted(rows.items())])
        self._at_the_end.clear()

    def _roll_back(self) -> None:
        if isinstance(self.trouble, Damaged):
            self._reconnect()
        elif self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _reconnect(self) -> None:
        """Begins anew on a connection that has met a damaged page, and would refuse all other pages as well."""
        self._connection.close()
        self._connection = _connected(self.path, self._key)

    def forget_deleted(self) -> None:
        """Empties the write-ahead log, which still has what was deleted; outside a transaction."""
        with self._watch:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def encrypt_anew(self, key: DatabaseKey) -> None:
        """Encrypts everything with `key` from now on; on any failure it all stays under the present key, which goes on being used."""
        self.forget_deleted()
        try:
            with self._watch:
                self._connection.execute(f"PRAGMA rekey = \"x'{key.hex()}'\"")
        finally:
            # A connection whose change of key has failed would go on writing under the new one.
            self._connection.close()
            try:
                self._connection = _connected(self.path, key)
                self._key = key
            except Locked:
                self._connection = _connected(self.path, self._key)
                raise StorageFault(
                    "the key was not changed, as the disk did not take it all: the old one holds"
                ) from None
        self.forget_deleted()

    def copy_to(self, path: Path, key_text: str) -> None:
        """Writes a consistent copy to the new file at `path`, under the key (SQLCipher's hexadecimal form) in `key_text`."""
        with self._watch:
            self._connection.execute("ATTACH DATABASE ? AS copy KEY ?", (str(path), f"x'{key_text}'"))
            try:
                for pragma in ("journal_mode = DELETE", "synchronous = FULL"):
                    self._connection.execute(f"PRAGMA copy.{pragma}")
                self._connection.execute("SELECT sqlcipher_export('copy')").fetchone()
                (version,) = self._connection.execute("PRAGMA main.user_version").fetchone()
                self._connection.execute(f"PRAGMA copy.user_version = {version}")
            finally:
                self._connection.execute("DETACH DATABASE copy")

    def close(self) -> None:
        """Closes the database; what was committed stays."""
        self._connection.close()

    def _has_written(self) -> None:
        if self.trouble is not None and not self._connection.in_transaction:
            self.now(None)

    def now(self, trouble: StorageFault | None) -> None:
        """Notes what stands in the way of writing, or that nothing does any more."""
        if isinstance(trouble, Damaged) and not self._connection.in_transaction:
            self._reconnect()
        if isinstance(self.trouble, Damaged) or type(trouble) is type(self.trouble):
            return
        self.trouble = trouble
        self.on_trouble()


class _Watch:
    """Turns the library's errors into ours around a statement. Not a generator: it is entered for every one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        """Nothing is to be done before."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, dbapi2.Error) and (fault := storage_fault(error)) is not None:
            self._database.now(fault)
            raise fault from None


def _connected(path: Path, key: DatabaseKey) -> dbapi2.Connection:
    connection = dbapi2.connect(path, isolation_level=None, cached_statements=256)
    try:
        # The library reports a wrong key on stderr, which would land in the middle of the screen.
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        _try_key(connection, path)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        _migrate(connection)
        if path.stat().st_mode & 0o777 != 0o600:
            path.chmod(0o600)
    except dbapi2.Error as error:
        connection.close()
        raise storage_fault(error, path.parent) or error from None
    except BaseException:
        connection.close()
        raise
    return connection


def _try_key(connection: dbapi2.Connection, path: Path) -> None:
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except dbapi2.DatabaseError as error:
        if isinstance(fault := storage_fault(error, path.parent), Damaged):  # the first page tells nothing apart
            raise Locked(
                f"the key does not open {path.name}: it is another account's or an old one, or the passphrase is mistyped, or the "
                "beginning of the file is damaged; nothing was changed. If the key is right, restore a backup (xirtam restore)"
            ) from None
        raise (fault or error) from None


def _migrate(connection: dbapi2.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(STEPS):
        raise Locked("this account was opened by a newer xirtam: update this one, nothing was changed")
    for number, step in enumerate(STEPS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")
