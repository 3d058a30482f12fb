"""What is to be changed about names of groups in the directory, in order, across crashes; and what was last seen there."""

from enum import StrEnum

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.names import GroupName
from xirtam_core.storage.database import Database


class WorkKind(StrEnum):
    """What is to be changed; the value is a listing, or the key of an owner."""

    LIST = "list"
    ADD_OWNER = "add owner"
    REMOVE_OWNER = "remove owner"


class NameWork(msgspec.Struct, frozen=True):
    """One change to be made."""

    id: int
    chat: str
    name: GroupName
    kind: WorkKind
    value: bytes


class Look(msgspec.Struct, frozen=True):
    """What a look at a group's name came to: who owns it, and what was wrong with it, since when, and whether that was told."""

    owners: tuple[SigningPublic, ...]
    looked_s: int
    fault: str | None
    fault_s: int
    is_told: bool


def add(database: Database, chat: str, name: GroupName, kind: WorkKind, value: bytes) -> None:
    """Has something changed; of listings only the last is made."""
    if kind is WorkKind.LIST:
        database.execute("DELETE FROM name_work WHERE chat = ? AND kind = ?", chat, kind)
    sql = "INSERT OR IGNORE INTO name_work (chat, name, kind, value) VALUES (?, ?, ?, ?)"
    database.execute(sql, chat, name, kind, value)


def first(database: Database, chat: str) -> NameWork | None:
    """What is to be changed next about a group's name."""
    row = database.row("SELECT id, chat, name, kind, value FROM name_work WHERE chat = ? ORDER BY id LIMIT 1", chat)
    if row is None:
        return None
    number, chat, name, kind, value = row
    return NameWork(number, chat, GroupName(name), WorkKind(kind), value)


def chats(database: Database) -> list[str]:
    """The groups about whose names something is to be changed."""
    return [chat for (chat,) in database.rows("SELECT DISTINCT chat FROM name_work ORDER BY chat")]


def done(database: Database, work: NameWork) -> None:
    """It is changed, or cannot be."""
    database.execute("DELETE FROM name_work WHERE id = ?", work.id)


def look(database: Database, chat: str) -> Look | None:
    """The last look at a group's name."""
    row = database.row("SELECT owners, looked_s, fault, fault_s, is_told FROM name_looks WHERE chat = ?", chat)
    if row is None:
        return None
    owners, looked_s, fault, fault_s, is_told = row
    keys = tuple(SigningPublic.from_text(text) for text in msgspec.json.decode(owners, type=list[str]))
    return Look(keys, looked_s, fault, fault_s, bool(is_told))


def store_look(database: Database, chat: str, found: Look) -> None:
    """Keeps what a look came to."""
    owners = msgspec.json.encode([each.text() for each in found.owners]).decode()
    sql = (
        "INSERT OR REPLACE INTO name_looks (chat, owners, looked_s, fault, fault_s, is_told) VALUES (?, ?, ?, ?, ?, ?)"
    )
    database.execute(sql, chat, owners, found.looked_s, found.fault, found.fault_s, found.is_told)


def forget_look(database: Database, chat: str) -> None:
    """The group has no name any more, or another."""
    database.execute("DELETE FROM name_looks WHERE chat = ?", chat)
