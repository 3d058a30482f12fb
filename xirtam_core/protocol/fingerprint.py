"""Fingerprints: a hash in a form that two people, or one person before two screens, can compare."""

from typing import Final

from xirtam_core.codec.primitives import Hash

_GROUPS: Final = 8
_DIGITS: Final = 4


def fingerprint(value: Hash) -> str:
    """The first 128 bits of a hash as groups of hex digits: nobody makes another value that has the same."""
    digits = value.hex()
    return " ".join(digits[at : at + _DIGITS] for at in range(0, _GROUPS * _DIGITS, _DIGITS))
