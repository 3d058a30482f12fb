"""Devices that may have missed something, as of when they know the account, and whether they have asked for what came since.

Those are devices that were paired here, and those that follow the account to a new home later than this one.
"""

import msgspec

from xirtam_core.codec.primitives import Hash
from xirtam_core.storage.database import Database

_MOST_ARRIVALS = 50
"""How many homes ago a device may have been off and still be given all that it has missed since."""


class KnownAsOf(msgspec.Struct, frozen=True):
    """A device knows the account as it was at `revision`, and at `at_ns` by the clock of this device."""

    revision: int
    at_ns: int
    wishes: int
    """How often it has asked."""


def note(database: Database, device: Hash, revision: int, at_ns: int) -> None:
    """Keeps as of when a device knows the account; one that is paired once more knows it as of the first time."""
    sql = "INSERT OR IGNORE INTO welcomes (device_hash, revision, at_ns) VALUES (?, ?, ?)"
    database.execute(sql, bytes(device), revision, at_ns)


def find(database: Database, device: Hash) -> KnownAsOf | None:
    """As of when a device knows the account, None where it was not paired here, or has everything."""
    row = database.row("SELECT revision, at_ns, is_wanted FROM welcomes WHERE device_hash = ?", bytes(device))
    return None if row is None else KnownAsOf(*row)


def arrive(database: Database, revision: int, at_ns: int) -> None:
    """This device has come to a new home; whoever comes later may know the account as it was at `revision` only."""
    database.execute("INSERT INTO home_arrivals (revision, at_ns) VALUES (?, ?)", revision, at_ns)
    database.execute("DELETE FROM home_arrivals WHERE id <= (SELECT max(id) FROM home_arrivals) - ?", _MOST_ARRIVALS)


def latest_arrival(database: Database) -> int:
    """The number of this device's latest arrival at a new home, 0 where it has not moved."""
    row = database.row("SELECT coalesce(max(id), 0) FROM home_arrivals")
    return 0 if row is None else int(row[0])


def latest_arrival_ns(database: Database) -> int:
    """When that was, by the clock of the device that has moved the account or by this one's; 0 where it has not moved."""
    row = database.row("SELECT at_ns FROM home_arrivals ORDER BY id DESC LIMIT 1")
    return 0 if row is None else int(row[0])


def note_follower(database: Database, device: Hash) -> None:
    """A device has followed the account: it knows it as of this device's first arrival since it was last given what it had missed."""
    database.execute(
        "INSERT OR IGNORE INTO welcomes (device_hash, revision, at_ns)"
        " SELECT ?1, revision, at_ns FROM home_arrivals"
        " WHERE id > coalesce((SELECT up_to FROM caught_up WHERE device_hash = ?1), 0) ORDER BY id LIMIT 1",
        bytes(device),
    )


def want(database: Database, device: Hash) -> bool:
    """Notes that a device has asked; gives whether there is something to give it."""
    return database.execute("UPDATE welcomes SET is_wanted = is_wanted + 1 WHERE device_hash = ?", bytes(device)) > 0


def wanted(database: Database) -> list[Hash]:
    """The devices that have asked and have not been answered."""
    return [Hash(device) for (device,) in database.rows("SELECT device_hash FROM welcomes WHERE is_wanted")]


def done(database: Database, device: Hash, known: KnownAsOf, arrival: int) -> None:
    """A device has been given all that it had missed up to this device's arrival of that number.

    If it has asked again since `known` was read, it is still to be answered.
    """
    sql = "DELETE FROM welcomes WHERE device_hash = ? AND is_wanted = ?"
    if database.execute(sql, bytes(device), known.wishes) == 0:
        return
    sql = "INSERT INTO caught_up VALUES (?1, ?2) ON CONFLICT (device_hash) DO UPDATE SET up_to = max(up_to, ?2)"
    database.execute(sql, bytes(device), arrival)


def keep_question(database: Database, issuer: Hash) -> None:
    """This device is new, and has to ask the one that has certified it."""
    database.execute("INSERT OR REPLACE INTO questions (id, issuer) VALUES (1, ?)", bytes(issuer))


def take_question(database: Database) -> Hash | None:
    """Whom this device has to ask, once; None where it has asked or need not."""
    row = database.row("DELETE FROM questions RETURNING issuer")
    return None if row is None else Hash(row[0])
