"""Whether a database is as it was written, and says nothing that cannot be."""

from typing import Final

from xirtam_core.errors import Damaged
from xirtam_core.storage.database import Database

_MOST_LINES: Final = 20
_SENSE: Final = (
    ("the account has no row", "SELECT count(*) != 1 FROM account"),
    ("no mailbox is read", "SELECT count(*) = 0 FROM mailboxes"),
    ("a message waits to be sent and is not queued", "SELECT count(*) FROM messages WHERE state = 'queued' AND id NOT IN"
     " (SELECT message FROM outbox WHERE message IS NOT NULL)"),
    ("an entry that arrived belongs to no mailbox that is read", "SELECT count(*) FROM journal WHERE NOT EXISTS"
     " (SELECT 1 FROM mailboxes WHERE mailboxes.mailbox = journal.mailbox AND mailboxes.server = journal.server)"),
    ("the quarantine holds more than it may", "SELECT count(*) > 1000 FROM quarantine"),
    ("two messages have one place in a chat", "SELECT count(*) - count(DISTINCT chat || position_ns) FROM messages"),
)  # fmt: skip
"""What would be wrong, and the query that gives anything but 0 where it is."""


def problems(database: Database) -> list[str]:
    """What is wrong, in words; nothing, where all is well. Reads all of the file."""
    try:
        return _damage(database) or [*_broken_references(database), *_nonsense(database), *_index(database)]
    except Damaged as fault:
        return [str(fault)]


def _damage(database: Database) -> list[str]:
    pages = [str(line) for (line,) in database.rows("PRAGMA cipher_integrity_check")]
    found = pages or [str(line) for (line,) in database.rows("PRAGMA integrity_check") if line != "ok"]
    if len(found) > _MOST_LINES:
        found = [*found[:_MOST_LINES], f"and {len(found) - _MOST_LINES} more of the kind"]
    return found


def _broken_references(database: Database) -> list[str]:
    broken = database.rows('SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2')
    return [f"{count} rows of {table} refer to rows of {parent} that are not there" for table, parent, count in broken]


def _nonsense(database: Database) -> list[str]:
    return [words for words, query in _SENSE if (database.row(query) or (0,))[0]]


def _index(database: Database) -> list[str]:
    try:
        database.execute("INSERT INTO message_texts (message_texts) VALUES ('integrity-check')")
    except Damaged:
        return ["the index of words is damaged: searches may find too little"]
    return []
