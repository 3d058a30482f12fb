"""Where messages stand in their chats: at the time at which their mailbox got them, and before that where they were written.

Places are unique in a chat. What waits to be sent gives way to what belongs in its place.
"""

from xirtam_core.storage import revisions
from xirtam_core.storage.database import Database

_AHEAD_NS = 60_000_000_000


def free(database: Database, chat: str, wanted_ns: int) -> int:
    """The first place from `wanted_ns` on that no message of the chat holds."""
    while database.row("SELECT 1 FROM messages WHERE chat = ? AND position_ns = ?", chat, wanted_ns):
        wanted_ns += 1
    return wanted_ns


def next_position(database: Database, chat: str, now_ns: int) -> int:
    """The position behind everything in the chat."""
    row = database.row("SELECT max(position_ns) FROM messages WHERE chat = ?", chat)
    return max(now_ns, (row[0] if row and row[0] else 0) + 1)


def latest_received(database: Database, chat: str) -> int:
    """When the mailbox got the last message of a chat; 0 where there is none."""
    row = database.row("SELECT max(received_at_ns) FROM messages WHERE chat = ?", chat)
    return 0 if row is None or row[0] is None else int(row[0])


def make_room(database: Database, chat: str, place_ns: int) -> list[int]:
    """Moves an own message that waits at a place, and what waits after it, out of the way of one that belongs there; gives what moved.

    Were the one that belongs there moved up instead, another that comes later could be put before it, unlike on other devices.
    """
    holder = database.row(
        "SELECT id FROM messages WHERE chat = ? AND position_ns = ? AND is_mine AND received_at_ns IS NULL",
        chat, place_ns,
    )  # fmt: skip
    return [] if holder is None else move_waiting(database, chat, holder[0] - 1, place_ns)


def move_waiting(database: Database, chat: str, row: int, place_ns: int) -> list[int]:
    """Moves what was written after `row` and waits behind `place_ns`, if the first of it is not there; gives what moved.

    It moves ahead by more than it must, so that the arrival of the next does not move all of the rest again.
    """
    waiting = "FROM messages WHERE chat = ? AND id > ? AND is_mine AND received_at_ns IS NULL"
    first = database.row(f"SELECT position_ns {waiting} ORDER BY id LIMIT 1", chat, row)
    moved: list[int] = []
    if first is None or first[0] > place_ns:
        return moved
    last_ns = place_ns + _AHEAD_NS
    for other, position_ns in database.rows(f"SELECT id, position_ns {waiting} ORDER BY id", chat, row):
        if position_ns > last_ns:
            break  # and so are those that come after it
        last_ns = move(database, chat, other, last_ns + 1)
        revisions.touch(database, other)
        moved.append(other)
    return moved


def move(database: Database, chat: str, row: int, position_ns: int) -> int:
    """Moves a message to a place, or the first free one behind it; gives where it stands then."""
    database.execute("UPDATE messages SET position_ns = -id WHERE id = ?", row)  # its own place is free to be taken
    place_ns = free(database, chat, position_ns)
    database.execute("UPDATE messages SET position_ns = ? WHERE id = ?", place_ns, row)
    return place_ns
