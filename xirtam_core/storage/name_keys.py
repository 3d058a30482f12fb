"""Owner keys of this account's, for names of groups in the directory. Whoever loses them loses the name."""

from typing import Final

from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.names import GroupName
from xirtam_core.storage.database import Database

MOST: Final = 16
"""How many are kept for one name of a group: a device of the account that turns must not fill the disks of the others."""
_MOST_OF_ALL: Final = 2000


def add(database: Database, chat: str, name: GroupName, secret: SigningSecret) -> bool:
    """Keeps a key; gives whether it is new, and there was room."""
    row = database.row("SELECT count(*) FROM name_keys")
    if len(of(database, chat, name)) >= MOST or row is None or row[0] >= _MOST_OF_ALL:
        return False
    sql = "INSERT OR IGNORE INTO name_keys (chat, name, secret) VALUES (?, ?, ?)"
    return database.execute(sql, chat, name, bytes(secret)) > 0


def of(database: Database, chat: str, name: GroupName) -> list[SigningSecret]:
    """The keys for a group's name, the newest first."""
    sql = "SELECT secret FROM name_keys WHERE chat = ? AND name = ? ORDER BY id DESC"
    return [SigningSecret(secret) for (secret,) in database.rows(sql, chat, name)]


def all_of(database: Database) -> list[tuple[str, GroupName, SigningSecret]]:
    """Every key, with its group and name."""
    rows = database.rows("SELECT chat, name, secret FROM name_keys ORDER BY id")
    return [(chat, GroupName(name), SigningSecret(secret)) for chat, name, secret in rows]
