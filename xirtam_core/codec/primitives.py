"""The fixed-size and opaque byte values of the wire, each a `bytes` of its own type (spec: encoding.md, Primitives).

A type knows its length, its text form in JSON and whether it is a secret; everything else follows from that. Secrets show
nothing in `repr`, so they cannot leak through a log, an exception or the `repr` of a structure that holds them.
"""

from functools import lru_cache
from typing import ClassVar, Self

import pybase64

from xirtam_core.errors import Malformed


def base64url_encode(raw: bytes) -> str:
    """`raw` as base64url without padding."""
    return pybase64.b64encode(raw, _ALPHABET).rstrip(b"=").decode()


def base64url_decode(text: str) -> bytes:
    """The bytes that `text` stands for, `=` padding optional; refuses other alphabets and non-zero trailing bits."""
    body = text.rstrip("=")
    missing = -len(body) % 4
    if "+" in text or "/" in text or len(text) - len(body) not in (0, missing):
        raise Malformed("not base64url")
    try:
        raw = pybase64.b64decode(body + "=" * missing, _ALPHABET, validate=True)
    except ValueError:
        raise Malformed("not base64url") from None
    # The decoder ignores the bits that are left over in the last digit.
    if missing and body[-1] not in _LAST_DIGITS[len(body) % 4]:
        raise Malformed("base64url with non-zero trailing bits")
    return raw


_ALPHABET = b"-_"
_LAST_DIGITS = ("", "", "AQgw", "AEIMQUYcgkosw048")
"""By the number of digits beyond the last whole four: those whose spare bits are zero."""


class Base64Bytes(bytes):
    """Opaque bytes of any length, base64url in JSON."""

    __slots__ = ()

    def text(self) -> str:
        """The JSON form: base64url without padding."""
        return base64url_encode(self)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The value whose JSON form is `text`; raises `Malformed`."""
        return cls(base64url_decode(text))

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"

    # Formatting is how values end up in messages and logs, so it must hide just what `repr` hides.
    def __str__(self) -> str:
        return repr(self)


class FixedBytes(Base64Bytes):
    """Bytes of exactly `size`, length-prefixed in BCS; raises `Malformed` on any other length."""

    __slots__ = ()
    size: ClassVar[int]

    def __new__(cls, raw: bytes) -> Self:
        if len(raw) != cls.size:
            raise Malformed(f"{cls.__name__} is {cls.size} bytes, not {len(raw)}")
        return super().__new__(cls, raw)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text()})"


class _HexBytes(FixedBytes):
    """Fixed-size bytes, lowercase hex in JSON; either case is read."""

    __slots__ = ()

    def text(self) -> str:
        return self.hex()

    @classmethod
    def from_text(cls, text: str) -> Self:
        if len(text) != 2 * cls.size:  # bytes.fromhex would pass over white space; so it comes out too short
            raise Malformed("not hex of its length")
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            raise Malformed("not hex") from None
        if len(raw) != cls.size:
            raise Malformed("not hex of its length")
        return bytes.__new__(cls, raw)  # its length is known: a server reads two of these with each message


class _Secret(FixedBytes):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(secret)"


class Hash(_HexBytes):
    """A BLAKE3 hash; also a group id, a mailbox id, a device hash."""

    __slots__ = ()
    size = 32


class AuthToken(_HexBytes):
    """A bearer token for mailboxes: a secret, but for the anonymous one."""

    __slots__ = ()
    size = 20

    def __repr__(self) -> str:
        return "AuthToken(anonymous)" if self == ANONYMOUS else "AuthToken(secret)"


ANONYMOUS = AuthToken(bytes(20))


class SigningPublic(FixedBytes):
    """An Ed25519 public key that decompresses to a curve point; non-canonical and small-order points pass."""

    __slots__ = ()
    size = 32

    def __new__(cls, raw: bytes) -> Self:
        key = super().__new__(cls, raw)
        if not _is_curve_point(bytes(key)):
            raise Malformed("not a point of the curve")
        return key


class SigningSecret(_Secret):
    """An Ed25519 seed."""

    __slots__ = ()
    size = 32


class Signature(FixedBytes):
    """An Ed25519 signature."""

    __slots__ = ()
    size = 64


class DhPublic(FixedBytes):
    """An X25519 public key: any 32 bytes."""

    __slots__ = ()
    size = 32


class DhSecret(_Secret):
    """An X25519 secret."""

    __slots__ = ()
    size = 32


class AeadKey(_Secret):
    """A key for XChaCha20-Poly1305."""

    __slots__ = ()
    size = 32


class StreamKey(_Secret):
    """A key for the bare XChaCha20 stream."""

    __slots__ = ()
    size = 32


class RawBytes(FixedBytes):
    """Bytes of a fixed size that BCS writes without a length; never in JSON."""

    __slots__ = ()


class KeyHint(RawBytes):
    """The first bytes of a medium-term key's hash, by which a receiver finds its header."""

    __slots__ = ()
    size = 2


class Nonce(RawBytes):
    """A random nonce for XChaCha20-Poly1305."""

    __slots__ = ()
    size = 24


class RawAeadKey(RawBytes, _Secret):
    """An `AeadKey` as a rekey carries it."""

    __slots__ = ()
    size = 32


class IntegerBytes(Base64Bytes):
    """Opaque bytes that JSON writes as an array of integers from 0 to 255: the solution of a proof of work."""

    __slots__ = ()


@lru_cache(maxsize=65536)
def _is_curve_point(raw: bytes) -> bool:
    """Whether x² = (y² - 1) / (d y² + 1) has a solution, as the reference's decompression asks."""
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    y2 = y * y % _P
    product = (y2 - 1) * (_D * y2 + 1) % _P
    return product == 0 or pow(product, (_P - 1) // 2, _P) == 1


_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
