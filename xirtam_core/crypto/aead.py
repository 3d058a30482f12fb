"""XChaCha20-Poly1305 (spec: encoding.md, Ciphers)."""

from nacl import bindings
from nacl.exceptions import CryptoError

from xirtam_core.codec.primitives import AeadKey, Nonce
from xirtam_core.errors import Unverified

TAG_SIZE = 16
ZERO_NONCE = bytes(24)
"""For keys that encrypt one message only."""


def new_key() -> AeadKey:
    """A fresh random key."""
    return AeadKey(bindings.randombytes(32))


def new_nonce() -> Nonce:
    """A fresh random nonce, for keys that encrypt many messages."""
    return Nonce(bindings.randombytes(Nonce.size))


def seal(key: AeadKey, nonce: bytes, plaintext: bytes, associated: bytes = b"") -> bytes:
    """The ciphertext with its tag at the end; `nonce` is 24 bytes."""
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, nonce, bytes(key))


def unseal(key: AeadKey, nonce: bytes, ciphertext: bytes, associated: bytes = b"") -> bytes:
    """The plaintext; raises `Unverified` when key, nonce, associated data and ciphertext do not belong together."""
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, associated, nonce, bytes(key))
    except (CryptoError, ValueError, TypeError):
        raise Unverified("the ciphertext does not open with this key") from None
