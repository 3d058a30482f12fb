"""X25519, whose raw result is used as a key with no derivation (spec: encoding.md, Ciphers)."""

from nacl import bindings

from xirtam_core.codec.primitives import DhPublic, DhSecret, StreamKey
from xirtam_core.errors import Malformed


def new_secret() -> DhSecret:
    """A fresh random X25519 secret."""
    return DhSecret(bindings.randombytes(32))


def public_of(secret: DhSecret) -> DhPublic:
    """The public half of `secret`."""
    return DhPublic(bindings.crypto_scalarmult_base(bytes(secret)))


def shared_key(secret: DhSecret, public: DhPublic) -> StreamKey:
    """The key that both sides reach; raises `Malformed` for a public key that would give all zeros."""
    try:
        return StreamKey(bindings.crypto_scalarmult(bytes(secret), bytes(public)))
    except RuntimeError:
        raise Malformed("a Diffie-Hellman key of small order") from None
