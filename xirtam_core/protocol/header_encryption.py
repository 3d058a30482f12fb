"""Encryption to any number of medium-term keys at once; authenticates nobody (spec: messages.md, Header encryption).

A random key encrypts the body, and a header for each receiver holds that key, encrypted to the receiver. Nonces are zero because
both kinds of key are used once.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

from xirtam_core.codec import bcs
from xirtam_core.codec.bounds import AtMost
from xirtam_core.codec.primitives import AeadKey, Base64Bytes, DhPublic, DhSecret, KeyHint
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto import aead, dh
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.crypto.stream import apply_stream
from xirtam_core.errors import Malformed, Unverified

MOST_HEADERS = 20_000
"""More than any group has devices. A message full of empty headers would take seconds to read."""

_MOST_MATCHES = 16
"""Headers tried for one key. Honest hints collide once in 65,536; a hostile sender's would make each message cost seconds."""


class Header(Wire):
    """The body's key for one receiver, found by the start of the hash of the receiver's key."""

    receiver_mpk_short: KeyHint
    receiver_key: Base64Bytes


class HeaderEncrypted(Wire):
    """A body and its key, once for each receiver."""

    sender_epk: DhPublic
    headers: Annotated[tuple[Header, ...], AtMost(MOST_HEADERS)]
    body: Base64Bytes

    def associated(self) -> bytes:
        """What the body's encryption also binds."""
        return _associated(self.sender_epk, self.headers)


def _associated(sender_epk: DhPublic, headers: tuple[Header, ...]) -> bytes:
    return bcs.encode((sender_epk, headers), tuple[DhPublic, tuple[Header, ...]])


def hint_of(public: DhPublic) -> KeyHint:
    """The two bytes by which a receiver knows a header as its own; they collide."""
    return KeyHint(bcs_hash(public)[: KeyHint.size])


def encrypt(receivers: Iterable[DhPublic], plaintext: bytes) -> HeaderEncrypted:
    """`plaintext` for every holder of a secret of `receivers`; keys of small order among them are left out.

    Raises `Malformed` when no usable receiver is left.
    """
    ephemeral, key = dh.new_secret(), aead.new_key()
    headers: list[Header] = []
    for receiver in receivers:
        try:
            shared = dh.shared_key(ephemeral, receiver)
        except Malformed:
            continue
        headers.append(Header(hint_of(receiver), Base64Bytes(apply_stream(shared, aead.ZERO_NONCE, key))))
    if not headers:
        raise Malformed("there is no device to encrypt to")
    sender_epk, frozen = dh.public_of(ephemeral), tuple(headers)
    body = aead.seal(key, aead.ZERO_NONCE, plaintext, _associated(sender_epk, frozen))
    return HeaderEncrypted(sender_epk, frozen, Base64Bytes(body))


def decrypt(sealed: HeaderEncrypted, secrets: Sequence[tuple[KeyHint, DhSecret]]) -> bytes:
    """The plaintext, with the first of `secrets` (each with its key's hint) that opens it; raises `Unverified`."""
    associated = sealed.associated()
    for hint, secret in secrets:
        matches = [header.receiver_key for header in sealed.headers if header.receiver_mpk_short == hint]
        if not matches:
            continue
        try:
            shared = dh.shared_key(secret, sealed.sender_epk)
        except Malformed:
            break  # the same for every secret: it is the sender's key that is of small order
        for wrapped in matches[:_MOST_MATCHES]:
            if len(wrapped) != AeadKey.size:
                continue
            key = AeadKey(apply_stream(shared, aead.ZERO_NONCE, wrapped))
            try:
                return aead.unseal(key, aead.ZERO_NONCE, sealed.body, associated)
            except Unverified:
                continue  # hints collide, so the next header or secret may be the one
    raise Unverified("sealed to none of this device's keys")
