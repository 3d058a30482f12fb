"""Something that `check` found, and how the databases are opened for looking only."""

import contextlib
import sqlite3
from collections.abc import Generator, Iterator
from pathlib import Path

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, and what to do about it."""

    what: str
    advice: str


@contextlib.contextmanager
def reading(path: Path) -> Generator[sqlite3.Connection]:
    """The database at `path` as it is at one moment, whoever writes to it meanwhile."""
    with contextlib.closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    ) as db:
        db.execute("PRAGMA busy_timeout = 5000")
        db.execute("BEGIN")
        yield db


def sqlite_problems(db: sqlite3.Connection, path: Path) -> Iterator[Problem]:
    """What SQLite itself finds wrong with a database."""
    advice = "stop the server, and restore a backup into a new place"
    for (finding,) in db.execute("PRAGMA integrity_check(3)"):
        if finding != "ok":
            yield Problem(f"{path} is damaged: {' '.join(finding.split())}", advice)
    for table, _, parent, _ in db.execute("PRAGMA foreign_key_check").fetchmany(3):
        yield Problem(f"{path} has rows in {table} that belong to nothing in {parent}", advice)
