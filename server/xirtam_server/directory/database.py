"""Opens a directory's database: one SQLite file, held by one process.

Every commit is on disk before it returns (WAL, `synchronous=FULL`): what was acknowledged survives a power cut, and no anchor is ever
served for a chunk that could still be lost. Two processes on one file would each sign the log on, so a lock beside it keeps a second
one out, and the file remembers whose log it is.
"""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import Locked
from xirtam_server.directory import log, staging, tree

_VERSION: Final = 1
_IDENTITY: Final = "CREATE TABLE identity (only INTEGER PRIMARY KEY CHECK (only = 0), directory_pk BLOB NOT NULL);"


def open_database(path: Path, directory_pk: SigningPublic) -> sqlite3.Connection:
    """The database at `path`, made if there is none. Raises `Locked` if it belongs to another directory or a newer version."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -32768")  # KiB
        _prepare(connection, directory_pk)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, directory_pk: SigningPublic) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        identity = f"{_IDENTITY} INSERT INTO identity VALUES (0, x'{directory_pk.hex()}');"  # noqa: S608
        schema = f"{identity} {log.SCHEMA} {staging.SCHEMA} {tree.SCHEMA} PRAGMA user_version = {_VERSION};"
        connection.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT;")
    elif version > _VERSION:
        raise Locked(f"the directory's database is of version {version}, and this program knows {_VERSION}: update it")
    (owner,) = connection.execute("SELECT directory_pk FROM identity").fetchone()
    if owner != directory_pk:
        raise Locked(
            "the directory's database belongs to another signing key: its log cannot be continued with this one"
        )


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
        raise Locked(f"another process serves the directory in {path}: stop it first") from fault
    return lock
