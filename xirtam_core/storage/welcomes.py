"""Devices that were paired here, as of when they know the account, and whether they have asked for what came since."""

import msgspec

from xirtam_core.codec.primitives import Hash
from xirtam_core.storage.database import Database


class Paired(msgspec.Struct, frozen=True):
    """A device knows the account as it was at `revision`, and at `at_ns` by the clock of the device that has certified it."""

    revision: int
    at_ns: int


def note(database: Database, device: Hash, revision: int, at_ns: int) -> None:
    """Keeps as of when a device knows the account; one that is paired once more knows it as of the first time."""
    sql = "INSERT OR IGNORE INTO welcomes (device_hash, revision, at_ns) VALUES (?, ?, ?)"
    database.execute(sql, bytes(device), revision, at_ns)


def find(database: Database, device: Hash) -> Paired | None:
    """As of when a device knows the account, None where it was not paired here, or has everything."""
    row = database.row("SELECT revision, at_ns FROM welcomes WHERE device_hash = ?", bytes(device))
    return None if row is None else Paired(*row)


def want(database: Database, device: Hash) -> bool:
    """Notes that a device has asked; gives whether it was paired here."""
    return database.execute("UPDATE welcomes SET is_wanted = 1 WHERE device_hash = ?", bytes(device)) > 0


def wanted(database: Database) -> list[Hash]:
    """The devices that have asked and have not been answered."""
    return [Hash(device) for (device,) in database.rows("SELECT device_hash FROM welcomes WHERE is_wanted")]


def done(database: Database, device: Hash) -> None:
    """A device has been answered."""
    database.execute("DELETE FROM welcomes WHERE device_hash = ?", bytes(device))


def keep_question(database: Database, issuer: Hash) -> None:
    """This device is new, and has to ask the one that has certified it."""
    database.execute("INSERT OR REPLACE INTO questions (id, issuer) VALUES (1, ?)", bytes(issuer))


def take_question(database: Database) -> Hash | None:
    """Whom this device has to ask, once; None where it has asked or need not."""
    row = database.row("DELETE FROM questions RETURNING issuer")
    return None if row is None else Hash(row[0])
