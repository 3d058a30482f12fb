"""Rosters of groups as far as they have been replayed, when people were shut out, and what tokens are theirs."""

from collections.abc import Iterable

from xirtam_core.codec.primitives import Hash
from xirtam_core.groups import Status
from xirtam_core.names import Username
from xirtam_core.protocol.roster import Member, Presentation, Roster
from xirtam_core.storage.database import Database


def roster(database: Database, chat: str, presentation: Presentation) -> Roster:
    """The roster of a group; empty where none of it has been stored."""
    rows = database.rows("SELECT username, status, is_admin FROM group_members WHERE chat = ?", chat)
    members = {Username(name): Member(Status(status), bool(is_admin)) for name, status, is_admin in rows}
    return Roster.of(members, presentation)


def find(database: Database, chat: str, username: Username) -> Member | None:
    """How somebody stands in a group, None where its roster does not name them."""
    row = database.row("SELECT status, is_admin FROM group_members WHERE chat = ? AND username = ?", chat, username)
    return None if row is None else Member(Status(row[0]), bool(row[1]))


def store(database: Database, chat: str, members: Iterable[tuple[Username, Member | None]]) -> None:
    """Keeps how these people stand in a group now; None: the roster does not name them."""
    for username, member in members:
        if member is None:
            database.execute("DELETE FROM group_members WHERE chat = ? AND username = ?", chat, username)
        else:
            database.execute(
                "INSERT OR REPLACE INTO group_members (chat, username, status, is_admin) VALUES (?, ?, ?, ?)",
                chat, username, member.status, member.is_admin,
            )  # fmt: skip


def active(database: Database, chat: str) -> list[Username]:
    """Everybody who takes part in a group, or is invited to."""
    sql = "SELECT username FROM group_members WHERE chat = ? AND status <> 'banned'"
    return [Username(name) for (name,) in database.rows(sql, chat)]


def shared(database: Database, one: Username, other: Username) -> list[str]:
    """The groups that both are in, by their chats' ids."""
    sql = (
        "SELECT chat FROM group_members AS one JOIN group_members AS other USING (chat)"
        " WHERE one.username = ? AND one.status = 'accepted' AND other.username = ? AND other.status = 'accepted' ORDER BY chat"
    )
    return [chat for (chat,) in database.rows(sql, one, other)]


def unsure(database: Database, chat: str, feature: str) -> list[Username]:
    """Those of a group's active members, this account aside, whose clients are not known to understand `feature`."""
    rows = database.rows(
        "SELECT username FROM group_members LEFT JOIN people USING (username) WHERE chat = ? AND status <> 'banned'"
        " AND username NOT IN (SELECT username FROM account)"
        " AND NOT EXISTS (SELECT 1 FROM json_each(coalesce(features, '[]')) WHERE value = ?) ORDER BY username",
        chat,
        feature,
    )
    return [Username(name) for (name,) in rows]


def remove_all(database: Database, chat: str) -> None:
    """Forgets a group's roster and what was known of its people, to be replayed anew."""
    for table in (
        "group_members",
        "group_bans",
        "group_admins",
        "group_closures",
        "management_log",
        "group_tokens",
        "group_tasks",
    ):
        database.execute(f"DELETE FROM {table} WHERE chat = ?", chat)  # noqa: S608 # no input


def forget_times(database: Database, chat: str, after_ns: int) -> None:
    """Forgets when, after a time, people were shut out, or admins, and only those might write, to be noted anew."""
    for table in ("group_bans", "group_admins", "group_closures"):
        database.execute(f"DELETE FROM {table} WHERE chat = ? AND from_ns > ?", chat, after_ns)  # noqa: S608 # no input
        forget_end = f"UPDATE {table} SET until_ns = NULL WHERE chat = ? AND until_ns > ?"  # noqa: S608 # no input
        database.execute(forget_end, chat, after_ns)


def begin_ban(database: Database, chat: str, username: Username, from_ns: int) -> None:
    """Somebody is shut out from `from_ns` on, by the group's server."""
    sql = "INSERT INTO group_bans (chat, username, from_ns) VALUES (?, ?, ?)"
    database.execute(sql, chat, username, from_ns)


def latest_ban_ns(database: Database, chat: str) -> int:
    """When somebody who still is so was shut out last, by the group's server; 0 where nobody is."""
    row = database.row("SELECT max(from_ns) FROM group_bans WHERE chat = ? AND until_ns IS NULL", chat)
    return 0 if row is None or row[0] is None else int(row[0])


def end_ban(database: Database, chat: str, username: Username, until_ns: int) -> None:
    """Somebody may come in again from `until_ns` on."""
    sql = "UPDATE group_bans SET until_ns = ? WHERE chat = ? AND username = ? AND until_ns IS NULL"
    database.execute(sql, until_ns, chat, username)


def begin_admin(database: Database, chat: str, username: Username, from_ns: int) -> None:
    """Somebody is an admin from `from_ns` on, by the group's server."""
    sql = "INSERT INTO group_admins (chat, username, from_ns) VALUES (?, ?, ?)"
    database.execute(sql, chat, username, from_ns)


def end_admin(database: Database, chat: str, username: Username, until_ns: int) -> None:
    """Somebody is an admin no more from `until_ns` on."""
    sql = "UPDATE group_admins SET until_ns = ? WHERE chat = ? AND username = ? AND until_ns IS NULL"
    database.execute(sql, until_ns, chat, username)


def was_admin(database: Database, chat: str, username: Username, at_ns: int) -> bool:
    """Whether somebody was an admin at a time, by the group's server."""
    sql = "SELECT 1 FROM group_admins WHERE chat = ? AND username = ? AND from_ns < ? AND coalesce(until_ns > ?, 1) LIMIT 1"
    return database.row(sql, chat, username, at_ns, at_ns) is not None


def begin_closure(database: Database, chat: str, from_ns: int) -> None:
    """Only admins may write from `from_ns` on, by the group's server."""
    database.execute("INSERT INTO group_closures (chat, from_ns) VALUES (?, ?)", chat, from_ns)


def end_closure(database: Database, chat: str, until_ns: int) -> None:
    """All may write from `until_ns` on."""
    database.execute("UPDATE group_closures SET until_ns = ? WHERE chat = ? AND until_ns IS NULL", until_ns, chat)


def note_token(database: Database, chat: str, token_hash: Hash, username: Username) -> None:
    """Notes that a token is somebody's; the first who was seen with it counts."""
    sql = "INSERT OR IGNORE INTO group_tokens (chat, token_hash, username) VALUES (?, ?, ?)"
    database.execute(sql, chat, bytes(token_hash), username)


def tokens(database: Database, chat: str, username: Username) -> list[Hash]:
    """The hashes of the tokens known to be somebody's."""
    sql = "SELECT token_hash FROM group_tokens WHERE chat = ? AND username = ? ORDER BY token_hash"
    return [Hash(token) for (token,) in database.rows(sql, chat, username)]
