"""This account's devices as this one knows them: names, what was issued here, and which were revoked.

Which devices the account has is what the home server shows and the root key certifies; this adds what only the account knows.
"""

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.storage.database import Database


class KnownDevice(msgspec.Struct, frozen=True):
    """A device; `chain` is the latest that was issued here, None where another device did that."""

    device: Hash
    label: str | None
    chain: CertificateChain | None
    added_s: int | None
    is_revoked: bool


def known(database: Database) -> dict[Hash, KnownDevice]:
    """Every device that something is known about, by its hash."""
    rows = database.rows("SELECT device_hash, label, chain, added_s, is_revoked FROM devices")
    found = [
        KnownDevice(
            Hash(device), label, None if chain is None else bcs.decode(CertificateChain, chain), added, bool(revoked)
        )
        for device, label, chain, added, revoked in rows
    ]
    return {each.device: each for each in found}


def is_revoked(database: Database, device: Hash) -> bool:
    """Whether the account no longer writes to a device, nor takes its word."""
    return database.row("SELECT 1 FROM devices WHERE device_hash = ? AND is_revoked", bytes(device)) is not None


def add(database: Database, device: Hash, label: str | None, added_s: int | None) -> None:
    """Notes that a device was added, and its name; what was known of it already stays."""
    database.execute(
        "INSERT INTO devices (device_hash, label, added_s) VALUES (?, ?, ?) ON CONFLICT (device_hash) DO UPDATE SET"
        " label = coalesce(excluded.label, label), added_s = coalesce(added_s, excluded.added_s)",
        bytes(device), label, added_s,
    )  # fmt: skip


def set_label(database: Database, device: Hash, label: str | None) -> None:
    """Names a device."""
    add(database, device, None, None)
    database.execute("UPDATE devices SET label = ? WHERE device_hash = ?", label, bytes(device))


def set_chain(database: Database, device: Hash, chain: CertificateChain) -> None:
    """Keeps the chain that was issued to a device here."""
    add(database, device, None, None)
    database.execute("UPDATE devices SET chain = ? WHERE device_hash = ?", bcs.encode(chain), bytes(device))


def revoke(database: Database, device: Hash) -> bool:
    """Notes that a device is revoked, for good; gives whether that is news."""
    add(database, device, None, None)
    sql = "UPDATE devices SET is_revoked = 1 WHERE device_hash = ? AND NOT is_revoked"
    return database.execute(sql, bytes(device)) > 0
