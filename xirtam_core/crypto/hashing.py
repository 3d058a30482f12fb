"""BLAKE3 as the wire uses it (spec: encoding.md, Hashing)."""

from functools import lru_cache
from typing import Any

from blake3 import blake3

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Hash


def hash_bytes(data: bytes) -> Hash:
    """`H(data)`."""
    return Hash(blake3(data).digest())


@lru_cache(maxsize=64)
def _domain_key(domain: bytes) -> bytes:
    return blake3(domain).digest()


def keyed_hash(domain: str | bytes, data: bytes) -> Hash:
    """`HK(domain, data)`: BLAKE3 keyed with the hash of the domain, not BLAKE3's own key derivation."""
    key = _domain_key(domain.encode()) if isinstance(domain, str) else blake3(domain).digest()
    return Hash(blake3(data, key=key).digest())


def bcs_hash(value: Any) -> Hash:
    """`H(bcs(value))`: what names a device, a token, an event or an update."""
    return hash_bytes(bcs.encode(value))


def token_hash(token: AuthToken) -> Hash:
    """The hash under which a server keys a token's rights."""
    return ANONYMOUS_HASH if token == ANONYMOUS else Hash(blake3(b"\x14" + token).digest())


ANONYMOUS_HASH = Hash(blake3(b"\x14" + ANONYMOUS).digest())
