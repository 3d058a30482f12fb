"""What is known of people: their identity as last verified, and the keys to write to (spec: client.md, Trust, Sending)."""

from collections.abc import Mapping, Set

import msgspec

from xirtam_core.codec.primitives import DhPublic, Hash
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.storage import people
from xirtam_core.storage.database import Database


class Peer(msgspec.Struct, frozen=True):
    """A person's root key and server as the directory last gave them, at `checked_s`. `alarm` blocks sending until acknowledged.

    `former_root` is the root key before the change that the alarm is about, `devices_changed_s` when they were last seen to have other
    devices than before.
    """

    username: Username
    root_cert_hash: Hash
    server: ServerName
    checked_s: int
    alarm: str | None
    former_root: Hash | None = None
    devices_changed_s: int | None = None


def find(database: Database, username: Username) -> Peer | None:
    """What is known of `username`, or None."""
    row = database.row(
        "SELECT root_cert_hash, server, checked_s, alarm, former_root, devices_changed_s FROM peers WHERE username = ?",
        username,
    )
    if row is None:
        return None
    former = None if row[4] is None else Hash(row[4])
    return Peer(username, Hash(row[0]), ServerName(row[1]), row[2], row[3], former, row[5])


def store(database: Database, username: Username, descriptor: UserDescriptor, now_s: int, alarm: str | None) -> Peer:
    """Keeps what the directory says now; an alarm that stands goes on standing."""
    row = database.row(
        "INSERT INTO peers (username, root_cert_hash, server, checked_s, alarm) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (username) DO UPDATE SET"
        " former_root = CASE WHEN excluded.alarm IS NULL THEN former_root ELSE coalesce(former_root, root_cert_hash) END,"
        " root_cert_hash = excluded.root_cert_hash, server = excluded.server, checked_s = excluded.checked_s,"
        " alarm = coalesce(excluded.alarm, alarm) RETURNING alarm",
        username,
        bytes(descriptor.root_cert_hash),
        descriptor.server_name,
        now_s,
        alarm,
    )
    if (
        alarm is not None
    ):  # keys that the former identity certified are none of the new one's, and neither is what was compared
        database.execute("DELETE FROM peer_keys WHERE username = ?", username)
        people.clear_verified(database, username)
    return Peer(username, descriptor.root_cert_hash, descriptor.server_name, now_s, row[0] if row else alarm)


def acknowledge(database: Database, username: Username) -> None:
    """A person has seen the alarm about `username`."""
    database.execute("UPDATE peers SET alarm = NULL, former_root = NULL WHERE username = ?", username)


def servers_of_contacts(database: Database) -> list[ServerName]:
    """The home servers of those there is a chat with."""
    rows = database.rows("SELECT DISTINCT server FROM peers JOIN chats ON chats.peer = username ORDER BY server")
    return [ServerName(row[0]) for row in rows]


def note_devices(database: Database, username: Username, devices: Set[Hash], now_s: int) -> None:
    """Notes that a person has other devices than before, if that is so; call it before `store_keys`. The first look is no change."""
    rows = database.rows("SELECT device_hash FROM peer_keys WHERE username = ? AND NOT is_gone", username)
    before = {Hash(row[0]) for row in rows}
    if before and before != devices:
        database.execute("UPDATE peers SET devices_changed_s = ? WHERE username = ?", now_s, username)


def store_keys(database: Database, username: Username, keys: Mapping[Hash, tuple[DhPublic, int]]) -> None:
    """Keeps the newest medium-term key of each device. No key gives way to an older one, nor comes back in place of a newer one that
    was there before the device was gone for a while.
    """
    with database.transaction():
        database.execute("UPDATE peer_keys SET is_gone = 1 WHERE username = ?", username)
        for device, (medium_pk, created_s) in keys.items():
            database.execute(
                "INSERT INTO peer_keys (username, device_hash, medium_pk, created_s) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (username, device_hash) DO UPDATE SET is_gone = 0,"
                " medium_pk = CASE WHEN excluded.created_s > created_s THEN excluded.medium_pk ELSE medium_pk END,"
                " created_s = max(excluded.created_s, created_s)",
                username,
                bytes(device),
                bytes(medium_pk),
                created_s,
            )


def keys(database: Database, username: Username) -> list[DhPublic]:
    """The newest known medium-term keys of a person's devices, but for those of this account's that were revoked."""
    rows = database.rows(
        "SELECT medium_pk FROM peer_keys WHERE username = ? AND NOT is_gone"
        " AND device_hash NOT IN (SELECT device_hash FROM devices WHERE is_revoked)",
        username,
    )
    return [DhPublic(row[0]) for row in rows]
