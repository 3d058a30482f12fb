"""Devices, their medium-term keys and their users' profiles in PostgreSQL.

Everything of a device is keyed by (user, device): anybody can certify another's device key under a root of their own, and must
not take that device away from its user by it.
"""

import secrets
from collections.abc import Sequence

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.names import Username
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile
from xirtam_server.storage.interface import Device, MailboxState
from xirtam_server.storage.postgres import accounts, mailboxes
from xirtam_server.storage.postgres.arrays import ByteaArray
from xirtam_server.storage.postgres.database import Connection


async def add(
    db: Connection, user: Username, chain: CertificateChain, mailbox: Hash, prepared_until: int, most: int
) -> tuple[AuthToken, MailboxState] | None:
    """Stores the chain, sees to the user's account and mailbox; the device's token, made at its first call. None: `most` are there."""
    await accounts.lock(db, user)
    token = await _put_chain(db, user, chain, most)
    if token is None:
        return None
    await accounts.open_account(db, user, prepared_until)
    rights = [MailboxAcl(token_hash(token), False, True, True)]
    if await mailboxes.make(db, (mailbox,), None):
        rights.append(MailboxAcl(ANONYMOUS_HASH, False, True, False))
    state = (await mailboxes.lock(db, (mailbox,)))[mailbox]
    if all(state.access.get(item.token_hash) == item for item in rights):
        return token, state
    return token, await mailboxes.put_rights(db, state, rights)


async def drop(db: Connection, user: Username, mailbox: Hash, devices: Sequence[Hash]) -> MailboxState | None:
    """Forgets devices of a user, with their rights on the mailbox and the profile; the mailbox as it is then."""
    await accounts.lock(db, user)
    state = (await mailboxes.lock(db, (mailbox,))).get(mailbox)
    found = await db.execute(
        "DELETE FROM device WHERE username = %s AND device = ANY (%b) RETURNING token_hash",
        (user, ByteaArray(devices)), binary=True,
    )  # fmt: skip
    tokens = [Hash(token) for (token,) in await found.fetchall()]
    if tokens:
        await db.execute("DELETE FROM profile WHERE username = %s", (user,))
    return state if state is None or not tokens else await mailboxes.remove_rights(db, state, tokens)


async def _put_chain(db: Connection, user: Username, chain: CertificateChain, most: int) -> AuthToken | None:
    device, encoded = bytes(chain.this.device_hash()), bcs.encode(chain)
    query = "UPDATE device SET chain = %s WHERE username = %s AND device = %s RETURNING token"
    standing = await (await db.execute(query, (encoded, user, device))).fetchone()
    if standing is not None:
        return AuthToken(standing[0])
    count = await (await db.execute("SELECT count(*) FROM device WHERE username = %s", (user,))).fetchone()
    if count is None or count[0] >= most:
        return None
    token = AuthToken(secrets.token_bytes(AuthToken.size))
    await db.execute(
        "INSERT INTO device (username, device, token, token_hash, chain) VALUES (%s, %s, %s, %s, %s)",
        (user, device, bytes(token), bytes(token_hash(token)), encoded),
    )
    return token


async def find(db: Connection, token: Hash) -> Device | None:
    """The device whose token has the hash `token`."""
    query = "SELECT username, device, chain FROM device WHERE token_hash = %s"
    found = await (await db.execute(query, (bytes(token),))).fetchone()
    if found is None:
        return None
    user, device, chain = found
    return Device(Username(user), Hash(device), bcs.decode(CertificateChain, chain))


async def chains(db: Connection, user: Username) -> dict[Hash, CertificateChain]:
    """The chains of a user's devices."""
    rows = await db.execute("SELECT device, chain FROM device WHERE username = %s ORDER BY device", (user,))
    return {Hash(device): bcs.decode(CertificateChain, chain) for device, chain in await rows.fetchall()}


async def medium_keys(db: Connection, user: Username) -> dict[Hash, SignedMediumKey]:
    """The medium-term keys of a user's devices."""
    rows = await db.execute(
        "SELECT device, medium_key FROM device WHERE username = %s AND medium_key IS NOT NULL ORDER BY device", (user,)
    )
    return {Hash(device): bcs.decode(SignedMediumKey, key) for device, key in await rows.fetchall()}


async def set_medium_key(db: Connection, device: Device, key: SignedMediumKey) -> bool:
    """Replaces the device's key unless the one there was created later."""
    changed = await db.execute(
        """UPDATE device SET medium_key = %s, medium_created = %s
        WHERE username = %s AND device = %s AND medium_created <= %s""",
        (bcs.encode(key), key.created, device.user, bytes(device.device), key.created),
    )
    return changed.rowcount == 1


async def profile(db: Connection, user: Username) -> UserProfile | None:
    """The user's profile."""
    found = await (await db.execute("SELECT profile FROM profile WHERE username = %s", (user,))).fetchone()
    return None if found is None else bcs.decode(UserProfile, found[0])


async def set_profile(db: Connection, user: Username, profile: UserProfile, *, is_repeated: bool) -> bool:
    """Replaces the user's profile if this one was created later; if this is another attempt, the first may have done it."""
    encoded = bcs.encode(profile)
    changed = await db.execute(
        """INSERT INTO profile VALUES (%s, %s, %s) ON CONFLICT (username) DO UPDATE
        SET created = excluded.created, profile = excluded.profile
        WHERE profile.created < excluded.created OR (%s AND profile.profile = excluded.profile)""",
        (user, profile.created, encoded, is_repeated),
    )
    return changed.rowcount == 1
