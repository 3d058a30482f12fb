"""What `check` looks for in a directory's database: that the log is one chain, and the tree is what the newest header says.

It believes the updates that are in it; replaying them all is what `audit` does.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash
from xirtam_core.errors import Malformed
from xirtam_core.protocol.directory import ZERO_HASH, DirectoryHeader
from xirtam_server.commands.problem import Problem, reading, sqlite_problems
from xirtam_server.directory.tree import Tree

_RESTORE = "stop the directory at once, so that it signs nothing wrong, and restore a backup"


def problems(path: Path, directory_pk: bytes | None) -> Iterator[Problem]:
    """What is wrong with the directory's database at `path`, which belongs to `directory_pk`, if that is known."""
    try:
        with reading(path) as db:
            yield from sqlite_problems(db, path)
            (owner,) = db.execute("SELECT directory_pk FROM identity").fetchone()
            if directory_pk is not None and owner != directory_pk:
                yield Problem(
                    f"{path} belongs to another signing key", "put the directory.key back that it was made with"
                )
            yield from _log_problems(db)
    except (sqlite3.Error, Malformed, TypeError) as fault:  # the latter from a column that holds another type
        yield Problem(f"{path} cannot be read: {fault}", _RESTORE)


def _log_problems(db: sqlite3.Connection) -> Iterator[Problem]:
    previous, root = ZERO_HASH, None
    for expected, (height, body, kept) in enumerate(
        db.execute("SELECT height, body, hash FROM header ORDER BY height")
    ):
        header = bcs.decode(DirectoryHeader, body)
        if height != expected or header.prev != previous or header.hash() != Hash(kept):
            yield Problem(f"the log breaks off at height {expected}", _RESTORE)
            return
        previous, root = header.hash(), header.smt_root
    if root is not None and Hash(Tree(db).root()) != root:
        yield Problem("the tree is not the one that the newest header names", _RESTORE)
    (wrong,) = db.execute(
        """SELECT count(*) FROM name WHERE updates <> (SELECT count(*) FROM history WHERE history.name = name.name)"""
    ).fetchone()
    if wrong:
        yield Problem(f"{wrong} names count other updates than they have", _RESTORE)
