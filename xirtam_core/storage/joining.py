"""A device that is about to join its account: what it must not lose if it is cut off before it is one of it."""

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, DhSecret, SigningSecret
from xirtam_core.crypto import dh, signing
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.pairing import PairingCode
from xirtam_core.storage.database import Database


class Joining(msgspec.Struct, frozen=True):
    """Which account, in which network, with what: a key that a bundle certifies, or a code that waits for a reply."""

    username: Username
    link: JoinLink
    device_secret: SigningSecret
    admission: "CertificateChain | Waiting"
    began_s: int

    def code(self, waiting: "Waiting") -> PairingCode:
        """What is shown to be paired."""
        return PairingCode(
            self.username, signing.public_of(self.device_secret), dh.public_of(waiting.secret), waiting.token
        )


class Waiting(msgspec.Struct, frozen=True):
    """What opens the reply to a code, and its mailbox."""

    secret: DhSecret
    token: AuthToken


def begin(database: Database, joining: Joining) -> None:
    """Keeps what a device joins with, in the place of what it would have joined with before."""
    admission = joining.admission
    waiting = admission if isinstance(admission, Waiting) else None
    database.execute(
        "INSERT OR REPLACE INTO joining VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        joining.username,
        str(joining.link),
        bytes(joining.device_secret),
        bcs.encode(admission) if isinstance(admission, CertificateChain) else None,
        None if waiting is None else bytes(waiting.secret),
        None if waiting is None else bytes(waiting.token),
        joining.began_s,
    )


def find(database: Database) -> Joining | None:
    """What a device is about to join with, or None."""
    row = database.row("SELECT username, join_link, device_secret, chain, dh_secret, token, began_s FROM joining")
    if row is None:
        return None
    username, link, device_secret, chain, secret, token, began_s = row
    admission = Waiting(DhSecret(secret), AuthToken(token)) if chain is None else bcs.decode(CertificateChain, chain)
    return Joining(Username(username), JoinLink.parse(link), SigningSecret(device_secret), admission, began_s)


def drop(database: Database) -> None:
    """Forgets it: the device is one of its account."""
    database.execute("DELETE FROM joining")
