"""What two people compare to know that they have each other's real keys (spec: client.md, Trust).

The code is `HK("xirtam-safety-code", bcs(((username, root hash), (username, root hash))))`, the two pairs in ascending order, so it is
the same on both sides. Its digits are those 256 bits, as one big-endian number, modulo 10^60: some 199 bits, and no value is likelier
than another by more than a part in 2^56. In a QR code stand all 256 bits. The other side's text is the same: checking is comparing.
"""

from typing import Final

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash, base64url_encode
from xirtam_core.crypto.hashing import keyed_hash
from xirtam_core.names import Username

_DOMAIN: Final = "xirtam-safety-code"
_PREFIX: Final = "xirtam:safety:"
_DIGITS, _GROUP = 60, 5

Party = tuple[Username, Hash]
"""Somebody's name and the hash of their root key."""


class Code(msgspec.Struct, frozen=True):
    """A safety code: twelve groups of five digits for people, `text` for cameras."""

    digits: str
    text: str


def of(one: Party, other: Party) -> Code:
    """The safety code of two people, whichever is named first."""
    first, second = sorted((one, other))
    value = keyed_hash(_DOMAIN, bcs.encode((first, second), tuple[Party, Party]))
    digits = f"{int.from_bytes(value) % 10**_DIGITS:0{_DIGITS}}"
    groups = [digits[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP)]
    return Code(" ".join(groups), _PREFIX + base64url_encode(value))
