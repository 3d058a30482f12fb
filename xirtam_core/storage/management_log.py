"""What has been said in groups' management mailboxes, as far as it has been read, in the order of those (spec: groups.md, Roster).

It is kept so that a roster can be replayed when an entry turns up before others that have been read already.
"""

import msgspec

from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.group_command import Command
from xirtam_core.storage.database import Database


class Logged(msgspec.Struct, frozen=True):
    """What `sender` said at `at_ns`, by the group's server, and whether that has changed anything."""

    at_ns: int
    sender: Username
    command: Command
    has_effect: bool


def add(database: Database, chat: str, at_ns: int, sender: Username, command: Command) -> bool:
    """Keeps what was said, without effect so far; gives whether it was news."""
    sql = "INSERT OR IGNORE INTO management_log (chat, at_ns, sender, command) VALUES (?, ?, ?, ?)"
    return database.execute(sql, chat, at_ns, sender, group_command.render(command)) > 0


def begin(database: Database, chat: str, said: Logged) -> None:
    """Keeps what was said of a group that has come to another server, and nothing of what was said before."""
    database.execute("DELETE FROM management_log WHERE chat = ?", chat)
    add(database, chat, said.at_ns, said.sender, said.command)
    set_effect(database, chat, said.at_ns, True)


def keep(database: Database, chat: str, sender: Username) -> None:
    """Keeps what `sender` has said with effect where a group has been, besides, and nothing of what was kept before."""
    database.execute("DELETE FROM management_kept WHERE chat = ?", chat)
    database.execute(
        "INSERT INTO management_kept (chat, at_ns, command)"
        " SELECT chat, at_ns, command FROM management_log WHERE chat = ? AND sender = ? AND has_effect",
        chat, sender,
    )  # fmt: skip


def kept_after(database: Database, chat: str, after_ns: int) -> list[Command]:
    """What was kept of that, said after a time, in order."""
    sql = "SELECT command FROM management_kept WHERE chat = ? AND at_ns > ? ORDER BY at_ns"
    return [command for (raw,) in database.rows(sql, chat, after_ns) if (command := _parsed(raw)) is not None]


def newest_ns(database: Database, chat: str) -> int:
    """When the last was said of what is kept, by the group's server; 0 where nothing is."""
    row = database.row("SELECT max(at_ns) FROM management_log WHERE chat = ?", chat)
    return 0 if row is None or row[0] is None else int(row[0])


def set_effect(database: Database, chat: str, at_ns: int, has_effect: bool) -> None:
    """Notes whether what was said at a time has changed anything."""
    sql = "UPDATE management_log SET has_effect = ? WHERE chat = ? AND at_ns = ?"
    database.execute(sql, has_effect, chat, at_ns)


def all_of(database: Database, chat: str) -> list[Logged]:
    """All that was said of a group, in order."""
    rows = database.rows(
        "SELECT at_ns, sender, command, has_effect FROM management_log WHERE chat = ? ORDER BY at_ns", chat
    )
    return [
        Logged(at_ns, Username(sender), command, bool(has_effect))
        for at_ns, sender, raw, has_effect in rows
        if (command := _parsed(raw)) is not None
    ]


def _parsed(raw: bytes) -> Command | None:
    try:
        return group_command.parse(raw)
    except Malformed:
        return None
