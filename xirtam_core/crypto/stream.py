"""The bare XChaCha20 stream from block 0, without authentication (spec: encoding.md, Ciphers)."""

from Crypto.Cipher import ChaCha20

from xirtam_core.codec.primitives import StreamKey


def apply_stream(key: StreamKey, nonce: bytes, data: bytes) -> bytes:
    """`data` xor the key stream: encrypts, and decrypts what it encrypted. `nonce` is 24 bytes."""
    return ChaCha20.new(key=bytes(key), nonce=nonce).encrypt(data)
