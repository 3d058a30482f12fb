"""In what order messages have changed: each change gives its message a number above all that were given before."""

from typing import Final

from xirtam_core.storage.database import Database

NEXT: Final = (
    "1 + max(coalesce((SELECT max(revision) FROM messages), 0),"
    " coalesce((SELECT value FROM counters WHERE name = 'revision'), 0))"
)
"""Later than every one before, those of deleted messages included."""


def latest(database: Database) -> int:
    """The revision of the change that came last, 0 where there is none."""
    row = database.row(f"SELECT {NEXT} - 1")
    return 0 if row is None else int(row[0])


def touch(database: Database, row: int) -> None:
    """Notes that the message has changed."""
    database.execute(f"UPDATE messages SET revision = {NEXT} WHERE id = ?", row)  # noqa: S608 # no input
