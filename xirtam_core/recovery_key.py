"""The recovery key: an owner key of an account's name that lies on paper alone, for when every device is lost (docs/recovery.md).

A key is 160 random bits, from which the Ed25519 seed is derived. It is written as 40 letters and digits in groups of five:

    R1xxx xxxxx xxxxx xxxxx xxxxx xxxxx xxxxx xxxxx

`R1` says what this is, and in which version; 32 symbols follow that are the bits, five each, and six that check all the others. The
alphabet is Crockford's, which has no I, L, O and U: whoever reads a 0 as O or a 1 as I has it right all the same. The check is that of
bech32m, a code over the field of 32 elements: of up to four wrong symbols none goes unseen, and where one alone is wrong it can be
told in which group.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Final

from nacl.bindings import randombytes

from xirtam_core.codec.primitives import Hash, SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import keyed_hash
from xirtam_core.devices import Claim
from xirtam_core.errors import Malformed
from xirtam_core.protocol.directory import AddOwner, sign_update

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("OILU", "011V")
_MARK: Final = "R1"
_PREFIX: Final = "XIRTAM:RECOVERY:"
_BITS: Final = 160
_SYMBOLS, _CHECKS, _GROUP = 32, 6, 5
_LENGTH: Final = len(_MARK) + _SYMBOLS + _CHECKS
_LONGEST_TYPED: Final = 1000
_DOMAIN: Final = "xirtam-recovery-key"
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_REMAINDER: Final = 0x2BC830A3


class RecoveryKey:
    """A recovery key, with its secret: it is shown once, written down, and forgotten."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        """`number` is the 160 bits; `new` and `parse` make keys."""
        self._number = number

    @classmethod
    def new(cls) -> "RecoveryKey":
        """A fresh random key."""
        return cls(int.from_bytes(randombytes(_BITS // 8)))

    @classmethod
    def parse(cls, typed: str) -> "RecoveryKey":
        """The key that a person has typed or scanned, in any case, with or without spaces and hyphens.

        Raises `Malformed`, which says where to look and shows nothing of what was typed.
        """
        values = _values(typed)
        if _remainder(values) != _REMAINDER:
            raise Malformed(
                f"this recovery key has a mistake in it{_place_of_mistake(values)}: compare it with the paper"
            )
        number = 0
        for value in values[len(_MARK) : len(_MARK) + _SYMBOLS]:
            number = number << 5 | value
        return cls(number)

    def text(self) -> str:
        """The key as it is written on paper, in eight groups."""
        bits = [self._number >> 5 * place & 31 for place in reversed(range(_SYMBOLS))]
        values = [_ALPHABET.index(symbol) for symbol in _MARK] + bits
        symbols = "".join(_ALPHABET[value] for value in values + _checks(values))
        return " ".join(symbols[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))

    def qr_text(self) -> str:
        """What a QR code of the key holds; `parse` reads it."""
        return _PREFIX + self.text().replace(" ", "-")

    def secret(self) -> SigningSecret:
        """The key that owns the name. For the library: there is no need to have it anywhere else."""
        return SigningSecret(keyed_hash(_DOMAIN, self._number.to_bytes(_BITS // 8)))

    def public_text(self) -> str:
        """The public half, as lists of owners show it."""
        return signing.public_of(self.secret()).text()

    def sign(self, claim: Claim) -> str:
        """Takes a device up among the owners, which only an owner can: gives what `ownership.claim` wants; raises `Malformed`."""
        previous, key = Hash.from_text(claim.previous), SigningPublic.from_text(claim.key)
        return sign_update(self.secret(), previous, AddOwner(key)).signature.text()

    def __repr__(self) -> str:
        return "RecoveryKey(secret)"

    def __reduce__(self) -> str:
        raise TypeError("a recovery key is not to be stored")


def _values(typed: str) -> list[int]:
    """The 40 symbols that a person means, as numbers."""
    text = "".join(typed[:_LONGEST_TYPED].split()).upper().replace("-", "").removeprefix(_PREFIX.replace("-", ""))
    text = text.translate(_READ_AS)
    if not text.startswith(_MARK):
        raise Malformed(f"a recovery key begins with {_MARK}: is it one, and was all of it typed?")
    if (odd := sum(symbol not in _ALPHABET for symbol in text)) > 0:
        raise Malformed(f"a recovery key is letters and digits: {odd} of what was typed are neither")
    if len(text) != _LENGTH:
        raise Malformed(f"a recovery key has {_LENGTH} letters and digits, and this has {len(text)}")
    return [_ALPHABET.index(symbol) for symbol in text]


def _step(check: int, value: int) -> int:
    """The remainder after one more symbol."""
    top = check >> 25
    check = (check & 0x1FFFFFF) << 5 ^ value
    for place, generator in enumerate(_GENERATORS):
        if top >> place & 1:
            check ^= generator
    return check


def _remainder(values: Sequence[int]) -> int:
    """What dividing by the code's generator leaves: `_REMAINDER` where nothing is wrong."""
    return reduce(_step, values, 1)


def _checks(values: Sequence[int]) -> list[int]:
    """The symbols that make the whole leave `_REMAINDER`."""
    found = _remainder([*values, *[0] * _CHECKS]) ^ _REMAINDER
    return [found >> 5 * place & 31 for place in reversed(range(_CHECKS))]


def _place_of_mistake(values: list[int]) -> str:
    """In which group the mistake is, if it is one alone. It is not put right for them: there may be more than one."""
    found = _remainder(values) ^ _REMAINDER
    of_single = list(range(1, len(_ALPHABET)))  # what each wrong symbol adds to the remainder, at the last place first
    for place in reversed(range(_LENGTH)):
        if found in of_single:
            return f", perhaps in group {place // _GROUP + 1} of {_LENGTH // _GROUP}"
        of_single = [_step(each, 0) for each in of_single]
    return ""
