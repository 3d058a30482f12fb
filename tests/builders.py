"""Small things that tests are made of: an account's keys, an event, a sealed message, a name's history.

Keys follow from a seed, so a failing test fails the same way again.
"""

import hashlib
from collections.abc import Sequence

import msgspec

from xirtam_core.codec.integers import NEVER
from xirtam_core.codec.primitives import Base64Bytes, DhPublic, DhSecret, Hash, KeyHint, SigningPublic, SigningSecret
from xirtam_core.crypto import dh, signing
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import certificate, direct_message, header_encryption, medium_key
from xirtam_core.protocol.blob import MESSAGE_CONTENT, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.directory import (
    ZERO_HASH,
    AddOwner,
    DirectoryUpdate,
    Update,
    UserDescriptor,
    sign_update,
)
from xirtam_core.protocol.event import TEXT, Event, ToUser
from xirtam_core.protocol.medium_key import SignedMediumKey

NOW_S = 1_790_000_000
NOW_NS = NOW_S * 10**9


def seeded(seed: str, size: int = 32) -> bytes:
    """Bytes that look random and follow from `seed`."""
    return hashlib.shake_256(seed.encode()).digest(size)


def signing_secret(seed: str) -> SigningSecret:
    return SigningSecret(seeded(f"signing {seed}"))


def dh_secret(seed: str) -> DhSecret:
    return DhSecret(seeded(f"dh {seed}"))


class Device(msgspec.Struct, frozen=True):
    """A device with all of its keys."""

    username: Username
    secret: SigningSecret
    chain: CertificateChain
    medium: DhSecret

    @property
    def pk(self) -> SigningPublic:
        return self.chain.this.pk

    @property
    def hash(self) -> Hash:
        return self.chain.this.device_hash()

    @property
    def medium_pk(self) -> DhPublic:
        return dh.public_of(self.medium)

    @property
    def medium_secrets(self) -> tuple[tuple[KeyHint, DhSecret], ...]:
        return ((header_encryption.hint_of(self.medium_pk), self.medium),)

    def signed_medium_key(self, created_s: int = NOW_S) -> SignedMediumKey:
        return medium_key.sign_medium_key(self.secret, self.medium_pk, created_s)

    def issue(self, seed: str, *, expiry: int = NEVER, can_issue: bool = True) -> "Device":
        """Another device of the same account, certified by this one."""
        secret = signing_secret(seed)
        chain = self.chain.issue(self.secret, signing.public_of(secret), expiry, can_issue=can_issue)
        return Device(self.username, secret, chain, dh_secret(seed))


def account(name: str) -> Device:
    """A new account's first device, whose key is the account's root: `account("alice")` is that of `@alice`."""
    secret = signing_secret(name)
    return Device(Username.parse(name), secret, certificate.self_signed(secret), dh_secret(name))


def text_event(to: Username, text: str, sent_at: int = NOW_NS) -> Event:
    return Event(ToUser(to), sent_at, TEXT, Base64Bytes(text.encode()))


def sealed_message(sender: Device, event: Event, receivers: Sequence[Device], kind: str = MESSAGE_CONTENT) -> Blob:
    """`event` as it lies in a mailbox, said by `sender`, for `receivers`."""
    keys = [receiver.medium_pk for receiver in receivers]
    return direct_message.seal(kind, event, sender.username, sender.secret, sender.chain, keys)


def history_of(owner: SigningSecret, value: Blob) -> tuple[DirectoryUpdate, ...]:
    """The two updates that register a name: its owner, then its value."""
    claim = sign_update(owner, ZERO_HASH, AddOwner(signing.public_of(owner)))
    return claim, sign_update(owner, claim.hash(), Update(value))


def user_history(device: Device, server: str = "~harbor") -> tuple[DirectoryUpdate, ...]:
    """The history of an account's name, hosted at `server`."""
    return history_of(device.secret, UserDescriptor(ServerName(server), device.hash).blob())
