"""Opens a directory's database: one SQLite file, held by one process.

Every commit is on disk before it returns (WAL, `synchronous=FULL`): what was acknowledged survives a power cut, and no anchor is ever
served for a chunk that could still be lost. Two processes on one file would each sign the log on, so a lock beside it keeps a second
one out, and the file remembers whose log it is.
"""

import contextlib
import sqlite3
from collections.abc import Generator
from enum import Enum
from pathlib import Path
from typing import Final

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import Locked, NotFound
from xirtam_server.directory import log, mirrored, staging, tree

_VERSION: Final = 2
_IDENTITY: Final = "CREATE TABLE identity (only INTEGER PRIMARY KEY CHECK (only = 0), directory_pk BLOB NOT NULL);"


class Role(Enum):
    """What a database is for: a log of one's own, or the copy of another's, which nobody may continue."""

    PRIMARY = "a directory of its own"
    MIRROR = "a mirror of another directory"


def open_database(path: Path, directory_pk: SigningPublic, role: Role = Role.PRIMARY) -> sqlite3.Connection:
    """The database at `path`, made if there is none. Raises `Locked` if it has another owner or role, or a newer version."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        connection.execute(
            "PRAGMA wal_autocheckpoint = 4000"
        )  # pages: a chunk touches the tree all over, the next one again
        _prepare(connection, directory_pk, role)
    except BaseException:
        connection.close()
        raise
    return connection


def open_scratch(path: Path) -> sqlite3.Connection:
    """A database for a log that nobody will miss: as fast as it gets, and gone after a crash."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.executescript("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;")
    connection.executescript(f"BEGIN; {log.SCHEMA} {tree.SCHEMA} COMMIT;")
    return connection


def open_read_only(path: Path, directory_pk: SigningPublic) -> sqlite3.Connection:
    """The database at `path`, which another process may be writing; raises `NotFound`, and `Locked` as `open_database` does."""
    if not path.is_file():
        raise NotFound(f"there is no directory database at {path}")
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not 1 <= version <= _VERSION:
            raise Locked(
                f"{path} is no directory's database, or of a version that this program does not know: {version}"
            )
        _check_owner(connection, directory_pk)
    except sqlite3.DatabaseError as fault:
        connection.close()
        raise Locked(f"{path} cannot be read as a directory's database: {fault}") from None
    except BaseException:
        connection.close()
        raise
    return connection


def _check_owner(connection: sqlite3.Connection, directory_pk: SigningPublic) -> None:
    (owner,) = connection.execute("SELECT directory_pk FROM identity").fetchone()
    if owner != directory_pk:
        raise Locked("the directory's database belongs to another key: its log cannot be continued with this one")


def _prepare(connection: sqlite3.Connection, directory_pk: SigningPublic, role: Role) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise Locked(f"the directory's database is of version {version}, and this program knows {_VERSION}: update it")
    if version < _VERSION:
        identity = f"{_IDENTITY} INSERT INTO identity VALUES (0, x'{directory_pk.hex()}');"  # noqa: S608
        first = f"{identity} {log.SCHEMA} {staging.SCHEMA} {tree.SCHEMA}"
        steps = (first, mirrored.SCHEMA)[version:]
        made = mirrored.MARK if version == 0 and role is Role.MIRROR else ""
        connection.executescript(f"BEGIN IMMEDIATE; {' '.join(steps)} {made} PRAGMA user_version = {_VERSION}; COMMIT;")
    _check_owner(connection, directory_pk)
    found = Role.MIRROR if connection.execute("SELECT 1 FROM mirror").fetchone() else Role.PRIMARY
    if found is not role:
        raise Locked(f"the database is that of {found.value}, not of {role.value}: name another place for it")


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """All of the writes in it, or none; once it is left without an error they are on disk."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def take_lock(path: Path) -> sqlite3.Connection:
    """Keeps other processes off the database at `path` until what it returns is closed; raises `Locked` if one has it.

    The lock is SQLite's own, on an empty database next to the real one: it is the same on every system, and ends with the process.
    """
    lock = sqlite3.connect(
        path.with_name(path.name + ".lock"), timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as fault:
        lock.close()
        if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        raise Locked(f"another process uses {path}: stop it first") from fault
    return lock
