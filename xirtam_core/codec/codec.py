"""What a codec is, and the lengths that several of them write (spec: encoding.md, BCS in one table).

`write` appends BCS to a buffer; `read` takes a value at a position and gives the position after it; `to_json` gives builtins that
any JSON encoder writes; `from_json` takes what `codec.jsontext.parse` gave. Both readers raise `Malformed` on anything that the
reference would refuse. Readers never allocate more than a small multiple of the input.
"""

from abc import ABC, abstractmethod
from typing import Any, Final, Generic, TypeVar

from xirtam_core.errors import Malformed

T = TypeVar("T")

LONGEST: Final = 2**31 - 1
"""The largest length."""


class Codec(ABC, Generic[T]):
    """How values of one type are written and read."""

    @abstractmethod
    def write(self, value: T, out: bytearray) -> None:
        """Appends the BCS of `value`."""

    @abstractmethod
    def read(self, data: bytes, at: int) -> tuple[T, int]:
        """The value whose BCS starts at `at`, and where it ends."""

    @abstractmethod
    def to_json(self, value: T) -> Any:
        """The JSON form of `value`, of builtins."""

    @abstractmethod
    def from_json(self, raw: Any) -> T:
        """The value whose JSON form is `raw`."""


def write_uleb(number: int, out: bytearray) -> None:
    """Appends a length or an index, in its shortest form."""
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def read_uleb(data: bytes, at: int, largest: int) -> tuple[int, int]:
    """The length or index at `at`; refuses padded forms and numbers above `largest`."""
    number = shift = 0
    while True:
        if at >= len(data) or shift > 28:
            raise Malformed("a length is cut short or too long")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if (shift and not byte) or number > largest:
        raise Malformed("a length is padded or too large")
    return number, at


def take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    """The `size` bytes at `at`, and where they end."""
    end = at + size
    if end > len(data):
        raise Malformed("the input is cut short")
    return data[at:end], end


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """The bytes at `at` with their length in front, and where they end."""
    if at < len(data) and data[at] < 0x80:  # nearly every length here fits one byte
        return take(data, at + 1, data[at])
    size, at = read_uleb(data, at, LONGEST)
    return take(data, at, size)


def write_bytes(raw: bytes, out: bytearray) -> None:
    """Appends bytes with their length in front."""
    write_uleb(len(raw), out)
    out += raw
