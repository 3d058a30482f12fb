"""Groups that this device has asked to be let into, and whom."""

from xirtam_core.group_entry import Asked
from xirtam_core.names import GroupName, Username
from xirtam_core.storage.database import Database


def store(database: Database, asked: Asked) -> None:
    """Keeps that an admin has been asked."""
    sql = "INSERT OR REPLACE INTO asked (chat, admin, name, asked_ns, is_refused) VALUES (?, ?, ?, ?, ?)"
    database.execute(sql, asked.group, asked.admin, asked.name, asked.asked_at, asked.is_refused)


def of(database: Database, group: str | None = None) -> list[Asked]:
    """Who was asked about a group, or about all, in that order."""
    sql = "SELECT chat, admin, name, asked_ns, is_refused FROM asked WHERE ?1 IS NULL OR chat = ?1 ORDER BY asked_ns"
    return [
        Asked(
            group=chat,
            admin=Username(admin),
            name=None if name is None else GroupName(name),
            asked_at=asked_ns,
            is_refused=bool(is_refused),
        )
        for chat, admin, name, asked_ns, is_refused in database.rows(sql, group)
    ]


def find(database: Database, group: str, admin: Username) -> Asked | None:
    """What an admin was asked about a group."""
    return next((each for each in of(database, group) if each.admin == admin), None)


def under(database: Database, name: GroupName) -> set[str]:
    """The groups that were meant whenever one was asked for under a name."""
    return {group for (group,) in database.rows("SELECT DISTINCT chat FROM asked WHERE name = ?", name)}


def refuse(database: Database, group: str, admin: Username) -> bool:
    """Notes that an admin said no; gives whether that was news."""
    sql = "UPDATE asked SET is_refused = 1 WHERE chat = ? AND admin = ? AND NOT is_refused"
    return database.execute(sql, group, admin) > 0


def remove(database: Database, group: str) -> bool:
    """Forgets that a group was asked for; gives whether it was."""
    return database.execute("DELETE FROM asked WHERE chat = ?", group) > 0


def count(database: Database) -> int:
    """How many askings are kept."""
    row = database.row("SELECT count(*) FROM asked")
    return 0 if row is None else int(row[0])
