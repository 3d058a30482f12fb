"""Plain Ed25519 (spec: encoding.md, Ciphers).

libsodium is stricter than the reference about odd points and encodings: the two differ only on signatures made to differ.
"""

from nacl import bindings
from nacl.exceptions import BadSignatureError

from xirtam_core.codec.primitives import Signature, SigningPublic, SigningSecret


def new_secret() -> SigningSecret:
    """A fresh random signing key."""
    return SigningSecret(bindings.randombytes(32))


def public_of(secret: SigningSecret) -> SigningPublic:
    """The public half of `secret`."""
    return SigningPublic(bindings.crypto_sign_seed_keypair(bytes(secret))[0])


def sign(secret: SigningSecret, message: bytes) -> Signature:
    """The signature of `message` under `secret`."""
    _, expanded = bindings.crypto_sign_seed_keypair(bytes(secret))
    return Signature(bindings.crypto_sign(message, expanded)[:64])


def verifies(public: SigningPublic, message: bytes, signature: Signature) -> bool:
    """Whether `signature` is one of `message` under `public`."""
    try:
        bindings.crypto_sign_open(bytes(signature) + message, bytes(public))
    except (BadSignatureError, ValueError):
        return False
    return True
