"""Archives that the account's other devices have offered, until each has been taken in or given up."""

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.names import ServerName
from xirtam_core.protocol.attachment import Attachment
from xirtam_core.storage.database import Database

_MOST = 50
_LONGEST_WAIT_S = 3600


class OfferedHistory(msgspec.Struct, frozen=True):
    """An archive to be fetched, and where it lies; `attempts` have failed so far."""

    id: int
    root: Attachment
    server: ServerName | None
    came_s: int
    attempts: int


def add(database: Database, root: Attachment, server: ServerName | None, now_s: int) -> bool:
    """Notes an archive to be fetched, once; gives whether that was news. Of very many, the latest count."""
    added = database.execute(
        "INSERT OR IGNORE INTO offered_histories (root_hash, root, server, came_s) VALUES (?, ?, ?, ?)",
        bytes(bcs_hash(root)), bcs.encode(root), server, now_s,
    )  # fmt: skip
    database.execute("DELETE FROM offered_histories WHERE id <= (SELECT max(id) FROM offered_histories) - ?", _MOST)
    return added > 0


def recall(database: Database, now_s: int) -> None:
    """Makes due what was put off further than anything is, by a clock that has been put back since."""
    sql = "UPDATE offered_histories SET next_attempt_s = 0 WHERE next_attempt_s > ?"
    database.execute(sql, now_s + _LONGEST_WAIT_S)


def due(database: Database, now_s: int) -> OfferedHistory | None:
    """The first one whose time has come, or None."""
    row = database.row(
        "SELECT id, root, server, came_s, attempts FROM offered_histories"
        " WHERE root IS NOT NULL AND next_attempt_s <= ? ORDER BY id LIMIT 1",
        now_s,
    )
    if row is None:
        return None
    number, root, server, came_s, attempts = row
    return OfferedHistory(number, bcs.decode(Attachment, root), server and ServerName(server), came_s, attempts)


def next_due_s(database: Database) -> int | None:
    """When the next one's time comes (Unix seconds), or None where there is none."""
    row = database.row("SELECT min(next_attempt_s) FROM offered_histories WHERE root IS NOT NULL")
    return None if row is None else row[0]


def close(database: Database, offered: OfferedHistory) -> None:
    """Nothing more is to be done about it; that it came is remembered."""
    database.execute("UPDATE offered_histories SET root = NULL WHERE id = ?", offered.id)


def put_off(database: Database, offered: OfferedHistory, now_s: int) -> None:
    """Tries it again later; the wait doubles with each attempt."""
    wait_s = min(30 * 2 ** min(offered.attempts, 20), _LONGEST_WAIT_S)
    database.execute(
        "UPDATE offered_histories SET attempts = attempts + 1, next_attempt_s = ? WHERE id = ?",
        now_s + wait_s, offered.id,
    )  # fmt: skip
