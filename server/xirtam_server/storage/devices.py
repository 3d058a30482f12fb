"""Devices, their medium-term keys and their users' profiles in SQLite.

Everything of a device is keyed by (user, device): anybody can certify another's device key under a root of their own, and must
not take that device away from its user by it.
"""

import secrets
import sqlite3
from collections.abc import Sequence

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.names import Username
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile
from xirtam_server.storage import accounts, mailboxes
from xirtam_server.storage.interface import Device, MailboxState


def add(
    db: sqlite3.Connection, user: Username, chain: CertificateChain, mailbox: Hash, prepared_until: int, most: int
) -> tuple[AuthToken, MailboxState] | None:
    """Stores the chain, sees to the user's account and mailbox; the device's token, made at its first call. None: `most` are there."""
    device, encoded = bytes(chain.this.device_hash()), bcs.encode(chain)
    found = db.execute("SELECT token FROM device WHERE user = ? AND device = ?", (user, device)).fetchone()
    if found is None:
        (count,) = db.execute("SELECT count(*) FROM device WHERE user = ?", (user,)).fetchone()
        if count >= most:
            return None
        token = AuthToken(secrets.token_bytes(AuthToken.size))
        db.execute(
            "INSERT INTO device (user, device, token, token_hash, chain) VALUES (?, ?, ?, ?, ?)",
            (user, device, bytes(token), bytes(token_hash(token)), encoded),
        )
    else:
        token = AuthToken(found[0])
        db.execute("UPDATE device SET chain = ? WHERE user = ? AND device = ?", (encoded, user, device))
    accounts.open_account(db, user, prepared_until)
    anybody = MailboxAcl(ANONYMOUS_HASH, False, True, False)
    state = mailboxes.find(db, mailbox) or mailboxes.create(db, mailbox, None, [anybody])
    mailboxes.put_rights(db, state, MailboxAcl(token_hash(token), False, True, True))
    return token, state


def drop(db: sqlite3.Connection, user: Username, mailbox: Hash, devices: Sequence[Hash]) -> list[Hash]:
    """Forgets devices of a user, with their rights on the mailbox and the profile; the hashes of their tokens."""
    dropped: list[Hash] = []
    state = mailboxes.find(db, mailbox)
    for device in devices:
        found = db.execute(
            "DELETE FROM device WHERE user = ? AND device = ? RETURNING token_hash", (user, bytes(device))
        ).fetchone()
        if found is None:
            continue
        dropped.append(Hash(found[0]))
        if state is not None:
            db.execute("DELETE FROM access WHERE mailbox = ? AND token_hash = ?", (state.row, found[0]))
    if dropped:
        db.execute("DELETE FROM profile WHERE user = ?", (user,))
    return dropped


def find(db: sqlite3.Connection, token: Hash) -> Device | None:
    """The device whose token has the hash `token`."""
    found = db.execute("SELECT user, device, chain FROM device WHERE token_hash = ?", (bytes(token),)).fetchone()
    if found is None:
        return None
    user, device, chain = found
    return Device(Username(user), Hash(device), bcs.decode(CertificateChain, chain))


def chains(db: sqlite3.Connection, user: Username) -> dict[Hash, CertificateChain]:
    """The chains of a user's devices."""
    rows = db.execute("SELECT device, chain FROM device WHERE user = ?", (user,))
    return {Hash(device): bcs.decode(CertificateChain, chain) for device, chain in rows}


def medium_keys(db: sqlite3.Connection, user: Username) -> dict[Hash, SignedMediumKey]:
    """The medium-term keys of a user's devices."""
    rows = db.execute("SELECT device, medium_key FROM device WHERE user = ? AND medium_key IS NOT NULL", (user,))
    return {Hash(device): bcs.decode(SignedMediumKey, key) for device, key in rows}


def set_medium_key(db: sqlite3.Connection, device: Device, key: SignedMediumKey) -> bool:
    """Replaces the device's key unless the one there was created later."""
    changed = db.execute(
        "UPDATE device SET medium_key = ?1, medium_created = ?2 WHERE user = ?3 AND device = ?4 AND medium_created <= ?2",
        (bcs.encode(key), key.created, device.user, bytes(device.device)),
    )
    return changed.rowcount == 1


def profile(db: sqlite3.Connection, user: Username) -> UserProfile | None:
    """The user's profile."""
    found = db.execute("SELECT profile FROM profile WHERE user = ?", (user,)).fetchone()
    return None if found is None else bcs.decode(UserProfile, found[0])


def set_profile(db: sqlite3.Connection, user: Username, profile: UserProfile) -> bool:
    """Replaces the user's profile if this one was created later."""
    changed = db.execute(
        """INSERT INTO profile (user, created, profile) VALUES (?, ?, ?) ON CONFLICT (user) DO UPDATE
        SET created = excluded.created, profile = excluded.profile WHERE profile.created < excluded.created""",
        (user, profile.created, bcs.encode(profile)),
    )
    return changed.rowcount == 1
