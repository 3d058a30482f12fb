"""This device's medium-term secrets (spec: client.md, Rotation).

A secret is stored before its public key is published, so that no published key is ever without its secret. It goes only when nothing
can still need it.
"""

from typing import Final

import msgspec

from xirtam_core.codec.primitives import DhSecret, KeyHint
from xirtam_core.crypto import dh
from xirtam_core.protocol.header_encryption import hint_of
from xirtam_core.storage.database import Database

GRACE_S: Final = 4200
"""How long senders may go on using a key after its successor was published: one looked up an hour ago, and ten minutes more."""

_SKEW_S = 24 * 3600
"""By how much a server's clock may be ahead of ours: an entry that waits is dated by it."""


class MediumSecret(msgspec.Struct, frozen=True):
    """One secret; `published_s` is None while the home server has not taken its public key."""

    id: int
    secret: DhSecret
    created_s: int
    published_s: int | None


def add(database: Database, now_s: int) -> MediumSecret:
    """Stores a new secret, made later than every one before."""
    secret = dh.new_secret()
    row = database.row(
        "INSERT INTO medium_keys (secret, created_s) "
        "SELECT ?, max(?, coalesce(max(created_s) + 1, 0)) FROM medium_keys RETURNING id, created_s",
        bytes(secret),
        now_s,
    )
    if row is None:
        raise AssertionError("an INSERT returns its row")
    return MediumSecret(row[0], secret, row[1], None)


def newest(database: Database) -> MediumSecret | None:
    """The secret made last."""
    found = _all(database, "ORDER BY created_s DESC LIMIT 1")
    return found[0] if found else None


def newest_published(database: Database) -> MediumSecret | None:
    """The secret whose public key senders find now."""
    found = _all(database, "WHERE published_s IS NOT NULL ORDER BY created_s DESC LIMIT 1")
    return found[0] if found else None


def openers(database: Database) -> list[tuple[KeyHint, DhSecret]]:
    """Every secret with its hint, newest first: what an entry may be sealed to."""
    secrets = [entry.secret for entry in _all(database, "ORDER BY created_s DESC")]
    return [(hint_of(dh.public_of(secret)), secret) for secret in secrets]


def mark_published(database: Database, secret: MediumSecret, now_s: int) -> None:
    """Notes that the home server has taken the public key."""
    database.execute("UPDATE medium_keys SET published_s = ? WHERE id = ?", now_s, secret.id)


def destroy_spent(database: Database, now_s: int) -> int:
    """Deletes each secret whose successor was published long enough ago, if all mailboxes have been read to their end since then.

    Gives how many went. An entry that waits in the journal may be sealed to any secret that was in use when it came. A reading noted
    for a time after `now_s`, by a clock that was ahead, counts for nothing.

    A mailbox that is being left counts like the others, and the key that stayed behind at its server goes last (`left_keys`): senders
    who hold the old descriptor still find it there. That ends when the mailbox is read no more, a week after it fell silent, also
    where its server is dead (`engine.reader`). So no server that was left keeps secrets for ever. One that is still wanted does, for
    as long as it is away: what waits there may be sealed to any of them.
    """
    drained = "(SELECT min(CASE WHEN drained_s <= ?2 THEN drained_s ELSE 0 END) FROM mailboxes)"
    destroyed = database.execute(
        f"DELETE FROM medium_keys WHERE id NOT IN (SELECT key FROM left_keys WHERE until_s IS NULL OR until_s > {drained})"  # noqa: S608
        " AND EXISTS (SELECT 1 FROM medium_keys AS next WHERE next.created_s > medium_keys.created_s"
        f"   AND next.published_s + ?1 <= {drained}"
        "    AND NOT EXISTS (SELECT 1 FROM journal WHERE received_at_ns <= (next.published_s + ?3) * 1000000000))",
        GRACE_S,
        now_s,
        GRACE_S + _SKEW_S,
    )
    if destroyed:
        database.forget_deleted()
    return destroyed


def _all(database: Database, rest: str) -> list[MediumSecret]:
    rows = database.rows(f"SELECT id, secret, created_s, published_s FROM medium_keys {rest}")  # noqa: S608 # no input
    return [MediumSecret(number, DhSecret(secret), created, published) for number, secret, created, published in rows]
