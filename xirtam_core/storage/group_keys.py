"""The keys of groups (spec: groups.md, Rekey; client.md, Groups). The one that came last is in use."""

from typing import Final

from xirtam_core.codec.primitives import AeadKey
from xirtam_core.storage.database import Database

KEPT: Final = 4
"""How many are kept in any case."""
KEPT_NS: Final = 24 * 3600 * 1_000_000_000
"""How long the others are kept after they were replaced, by the group's server."""


def add(database: Database, chat: str, key: AeadKey, since_ns: int) -> bool:
    """Keeps a key that came at `since_ns`; gives whether it was news.

    Keys that are old enough by then go, but for those that something may need which has come and is not understood yet.
    """
    sql = "INSERT OR IGNORE INTO group_keys (chat, key, since_ns) VALUES (?, ?, ?)"
    if not database.execute(sql, chat, bytes(key), since_ns):
        return False
    database.execute(
        "DELETE FROM group_keys WHERE chat = ?1 AND id NOT IN"
        " (SELECT id FROM group_keys WHERE chat = ?1 ORDER BY since_ns DESC, key LIMIT ?2)"
        " AND (SELECT min(next.since_ns) FROM group_keys AS next WHERE next.chat = ?1 AND next.since_ns > group_keys.since_ns)"
        " < min(?3, coalesce((SELECT min(received_at_ns) FROM journal WHERE mailbox ="
        " (SELECT messages_mailbox FROM groups WHERE chat = ?1)), ?3)) - ?4",
        chat, KEPT, since_ns, KEPT_NS,
    )  # fmt: skip
    return True


def all_of(database: Database, chat: str) -> list[AeadKey]:
    """A group's keys, the one in use first."""
    rows = database.rows("SELECT key FROM group_keys WHERE chat = ? ORDER BY since_ns DESC, key", chat)
    return [AeadKey(key) for (key,) in rows]


def newest_ns(database: Database, chat: str) -> int:
    """When the key in use came, by the group's server."""
    row = database.row("SELECT max(since_ns) FROM group_keys WHERE chat = ?", chat)
    return 0 if row is None or row[0] is None else int(row[0])


def add_behind(database: Database, chat: str, key: AeadKey, after_ns: int) -> bool:
    """Keeps a key that is not to be used (`put_behind`); gives whether it was news."""
    row = database.row("SELECT max(since_ns) FROM group_keys WHERE chat = ? AND since_ns <= ?", chat, after_ns)
    used_ns = after_ns if row is None or row[0] is None else int(row[0])
    return add(database, chat, key, max(0, used_ns - 1))


def put_behind(database: Database, chat: str, after_ns: int) -> None:
    """Puts keys that came after a time behind the one that was in use then: they open what was written with them, and are not used.

    They came where the group is no more, and whoever has joined it since has not got them.
    """
    used = "SELECT max(since_ns) FROM group_keys WHERE chat = ?1 AND since_ns <= ?2"
    database.execute(
        f"UPDATE OR IGNORE group_keys SET since_ns = ({used}) - 1 WHERE chat = ?1 AND since_ns > ?2"  # noqa: S608 # no input
        f" AND ({used}) IS NOT NULL",
        chat,
        after_ns,
    )


def since(database: Database, chat: str, after_ns: int) -> list[AeadKey]:
    """The keys that came after a time, the one in use last."""
    rows = database.rows(
        "SELECT key FROM group_keys WHERE chat = ? AND since_ns > ? ORDER BY since_ns, key DESC", chat, after_ns
    )
    return [AeadKey(key) for (key,) in rows]


def remove_all(database: Database, chat: str) -> None:
    """Destroys the keys of a group."""
    database.execute("DELETE FROM group_keys WHERE chat = ?", chat)
