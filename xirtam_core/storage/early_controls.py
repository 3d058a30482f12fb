"""Control events that came before the message that they are about: they wait for it, a week and in small numbers."""

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.protocol.event import Event
from xirtam_core.storage.database import Database

LONGEST_WAIT_S = 7 * 24 * 3600
MOST_OF_A_CHAT = 100
MOST = 1000


def keep(database: Database, chat: str, sender: Username, target: Hash, event: Event, now_s: int, at_ns: int) -> None:
    """Keeps an event for when its target comes; where there are too many, the oldest give way."""
    database.execute(
        "INSERT OR IGNORE INTO early_controls (chat, sender, target, came_s, event, at_ns) VALUES (?, ?, ?, ?, ?, ?)",
        chat, sender, bytes(target), now_s, bcs.encode(event), at_ns,
    )  # fmt: skip
    database.execute("DELETE FROM early_controls WHERE came_s < ?", now_s - LONGEST_WAIT_S)
    _keep_latest(database, "WHERE chat = ?", MOST_OF_A_CHAT, chat)
    _keep_latest(database, "", MOST)


def _keep_latest(database: Database, which: str, count: int, *values: str) -> None:
    oldest = f"SELECT id FROM early_controls {which} ORDER BY id DESC LIMIT -1 OFFSET ?"  # noqa: S608 # `which` is ours
    database.execute(f"DELETE FROM early_controls WHERE id IN ({oldest})", *values, count)  # noqa: S608


def size(database: Database, chat: str) -> int:
    """How many bytes wait in a chat."""
    row = database.row("SELECT coalesce(sum(length(event)), 0) FROM early_controls WHERE chat = ?", chat)
    return 0 if row is None else int(row[0])


def take(database: Database, chat: str, target: Hash, now_s: int) -> list[tuple[Username, Event, int]]:
    """What has waited for a message, with who said it, and when the server of a group got it; it waits no more."""
    if database.row("SELECT 1 FROM early_controls LIMIT 1") is None:
        return []  # asked for every message: this is a fraction of the rest
    rows = database.rows(
        "DELETE FROM early_controls WHERE chat = ? AND target = ? RETURNING sender, came_s, event, at_ns",
        chat, bytes(target),
    )  # fmt: skip
    return [
        (Username(sender), bcs.decode(Event, event), at_ns)
        for sender, came_s, event, at_ns in rows
        if came_s >= now_s - LONGEST_WAIT_S
    ]
