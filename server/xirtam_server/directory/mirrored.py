"""How far a mirror has come with another's log, and what it caught it at: one row beside the log (spec: directory.md, mirror).

Three anchors, all verified. The `goal` is the highest that the upstream has shown; `anchor` the last one that all of the log below it
was here for, which is what readers are shown; and a `contradiction`, where there is one, is signed like the others and names another
log, which proves to anybody that the directory has two. It stays, over restarts too, until a person has seen it.
"""

import sqlite3
from typing import Final

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.protocol.directory import DirectoryAnchor

SCHEMA: Final = """
CREATE TABLE mirror (       -- a row in a mirror's database, none in that of a directory of its own
    only INTEGER PRIMARY KEY CHECK (only = 0),
    goal BLOB,
    anchor BLOB,
    contradiction BLOB
);
"""

MARK: Final = "INSERT INTO mirror (only) VALUES (0);"
"""Makes an empty database a mirror's."""


class Mirrored(msgspec.Struct, frozen=True):
    """The anchors that a mirror knows."""

    goal: DirectoryAnchor | None
    anchor: DirectoryAnchor | None
    contradiction: DirectoryAnchor | None


def read(connection: sqlite3.Connection) -> Mirrored:
    """The anchors in a mirror's database."""
    row = connection.execute("SELECT goal, anchor, contradiction FROM mirror").fetchone()
    return Mirrored(*(None if raw is None else bcs.decode(DirectoryAnchor, raw) for raw in row))


def set_goal(connection: sqlite3.Connection, goal: DirectoryAnchor) -> None:
    """Keeps the anchor that the log is to reach."""
    connection.execute("UPDATE mirror SET goal = ?", (bcs.encode(goal),))


def set_anchor(connection: sqlite3.Connection, anchor: DirectoryAnchor) -> None:
    """Keeps the anchor that the log has reached."""
    connection.execute("UPDATE mirror SET anchor = ?", (bcs.encode(anchor),))


def set_contradiction(connection: sqlite3.Connection, contradiction: DirectoryAnchor | None) -> None:
    """Keeps the proof that the directory has two logs; None once a person has seen it."""
    raw = None if contradiction is None else bcs.encode(contradiction)
    connection.execute("UPDATE mirror SET contradiction = ?", (raw,))
