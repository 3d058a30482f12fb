"""Keys that own the account's name in the directory, as far as it is known whose they are, and what is to be changed about them."""

from enum import StrEnum
from typing import Final

import msgspec

from xirtam_core.codec.primitives import Hash, SigningPublic, SigningSecret
from xirtam_core.storage.database import Database

MOST: Final = 64
"""How many are known at most: a device of the account that turns must not fill the disks of the others."""


_NO_MORE = "told_by IN (SELECT device_hash FROM devices WHERE is_revoked)"


class KnownOwner(msgspec.Struct, frozen=True):
    """An owner's key: that of `device`, or a recovery key where that is None; `since_s` is None where it was another's to note.

    `told_by` is the device by whose word alone it is known, None where this one knows it itself.
    """

    key: SigningPublic
    device: Hash | None
    since_s: int | None
    told_by: Hash | None = None


class WorkKind(StrEnum):
    """What is to be changed; the value is the key of an owner, or a whole update that somebody else has signed."""

    ADD = "add"
    REMOVE = "remove"
    SIGNED = "signed"


class OwnerWork(msgspec.Struct, frozen=True):
    """One change to be made."""

    id: int
    kind: WorkKind
    value: bytes


def note(database: Database, owner: KnownOwner) -> None:
    """Keeps whose a key is. What is known of it already stays, but for the word of others where this device knows better."""
    device, teller = (None if each is None else bytes(each) for each in (owner.device, owner.told_by))
    weak = "told_by IS NOT NULL" if owner.told_by is None else _NO_MORE
    database.execute(f"DELETE FROM owner_keys WHERE key = ? AND {weak}", bytes(owner.key))  # noqa: S608 # no input
    row = database.row("SELECT count(*) FROM owner_keys")
    if row is not None and row[0] < MOST:
        sql = "INSERT OR IGNORE INTO owner_keys (key, device, since_s, told_by) VALUES (?, ?, ?, ?)"
        database.execute(sql, bytes(owner.key), device, owner.since_s, teller)


def forget(database: Database, key: SigningPublic) -> None:
    """The key owns the name no more; the secret of one that was this device's goes with it."""
    database.execute("DELETE FROM owner_keys WHERE key = ?", bytes(key))


def known(database: Database) -> dict[SigningPublic, KnownOwner]:
    """Every key that something is known about. What a device has said that was revoked since counts no more."""
    sql = f"SELECT key, device, since_s, told_by FROM owner_keys WHERE told_by IS NULL OR NOT {_NO_MORE} ORDER BY rowid"  # noqa: S608
    rows = database.rows(sql)
    found = [
        KnownOwner(SigningPublic(key), device and Hash(device), since_s, teller and Hash(teller))
        for key, device, since_s, teller in rows
    ]
    return {each.key: each for each in found}


def keep_secret(database: Database, key: SigningPublic, secret: SigningSecret) -> bool:
    """Keeps the secret of a key of this device's that was noted; gives whether it was, as there may have been no room."""
    return database.execute("UPDATE owner_keys SET secret = ? WHERE key = ?", bytes(secret), bytes(key)) > 0


def secrets(database: Database) -> list[SigningSecret]:
    """The owner keys that this device holds apart from its device key, the newest first."""
    rows = database.rows("SELECT secret FROM owner_keys WHERE secret IS NOT NULL ORDER BY rowid DESC")
    return [SigningSecret(secret) for (secret,) in rows]


def add_work(database: Database, kind: WorkKind, value: bytes) -> None:
    """Has something changed, once."""
    database.execute("INSERT OR IGNORE INTO owner_work (kind, value) VALUES (?, ?)", kind, value)


def work(database: Database) -> list[OwnerWork]:
    """All that is to be changed, in order."""
    rows = database.rows("SELECT id, kind, value FROM owner_work ORDER BY id")
    return [OwnerWork(number, WorkKind(kind), value) for number, kind, value in rows]


def first_work(database: Database) -> OwnerWork | None:
    """What is to be changed next."""
    row = database.row("SELECT id, kind, value FROM owner_work ORDER BY id LIMIT 1")
    return None if row is None else OwnerWork(row[0], WorkKind(row[1]), row[2])


def work_done(database: Database, work: OwnerWork) -> None:
    """It is changed, or cannot be."""
    database.execute("DELETE FROM owner_work WHERE id = ?", work.id)


def drop_work(database: Database) -> None:
    """Gives up all that is still to be changed."""
    database.execute("DELETE FROM owner_work")
