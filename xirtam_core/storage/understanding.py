"""What other people's clients are known to understand, and who has been told what this one does (spec: extensions.md)."""

from collections.abc import Sequence

import msgspec

from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.storage.database import Database


def standing(database: Database, name: Username) -> Standing | None:
    """How somebody stands with the account, None for somebody unknown."""
    row = database.row("SELECT standing FROM people WHERE username = ?", name)
    return None if row is None else Standing(row[0])


def features(database: Database, name: Username) -> tuple[str, ...] | None:
    """What somebody's client understands beyond messages, None while it has said nothing."""
    row = database.row("SELECT features FROM people WHERE username = ?", name)
    return None if row is None or row[0] is None else msgspec.json.decode(row[0], type=tuple[str, ...])


def learn(database: Database, name: Username, understood: Sequence[str]) -> None:
    """Notes what a client understands; of somebody unknown nothing is kept."""
    _note(database, name)
    sql = "UPDATE people SET features = ? WHERE username = ?"
    database.execute(sql, msgspec.json.encode(understood).decode(), name)


def is_greeted(database: Database, name: Username) -> bool:
    """Whether somebody has been told what this account's clients understand."""
    row = database.row("SELECT is_greeted FROM people WHERE username = ?", name)
    return row is not None and bool(row[0])


def mark_greeted(database: Database, name: Username) -> None:
    """Notes that somebody has been told, by this device or by another one of the account."""
    _note(database, name)
    database.execute("UPDATE people SET is_greeted = 1 WHERE username = ?", name)


def _note(database: Database, name: Username) -> None:
    """Whoever there is a chat with is known, and a contact where nothing else is said."""
    sql = "INSERT OR IGNORE INTO people (username, standing) SELECT peer, 'contact' FROM chats WHERE id = ?"
    database.execute(sql, name)
