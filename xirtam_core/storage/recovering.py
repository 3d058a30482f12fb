"""The recovery of an account that has begun here and is not finished. Of the recovery key only the public half is kept."""

import msgspec

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.storage.database import Database


class Recovering(msgspec.Struct, frozen=True):
    """By which recovery key, and whether the owners that the name has besides are to stay."""

    key: SigningPublic
    keeps_owners: bool


def begin(database: Database, recovering: Recovering) -> None:
    """Keeps what a recovery goes by, in the place of what it would have gone by before."""
    sql = "INSERT OR REPLACE INTO recovering VALUES (1, ?, ?)"
    database.execute(sql, bytes(recovering.key), recovering.keeps_owners)


def find(database: Database) -> Recovering | None:
    """What has begun here, or None."""
    row = database.row("SELECT recovery_key, keeps_owners FROM recovering")
    return None if row is None else Recovering(SigningPublic(row[0]), bool(row[1]))


def drop(database: Database) -> None:
    """Forgets it: the account is whole."""
    database.execute("DELETE FROM recovering")
