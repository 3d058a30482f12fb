"""Codecs of single values: integers, truth values, text, bytes."""

from typing import Any, cast

from xirtam_core.codec.codec import Codec, read_bytes, take, write_bytes
from xirtam_core.codec.primitives import Base64Bytes, FixedBytes, IntegerBytes, RawBytes
from xirtam_core.errors import Malformed


class IntegerCodec(Codec[int]):
    """An unsigned integer of a fixed width."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._largest = 256**size - 1

    def write(self, value: int, out: bytearray) -> None:
        if not 0 <= value <= self._largest:
            raise Malformed(f"{value} does not fit {self._size} bytes")
        out += value.to_bytes(self._size, "little")

    def read(self, data: bytes, at: int) -> tuple[int, int]:
        raw, at = take(data, at, self._size)
        return int.from_bytes(raw, "little"), at

    def to_json(self, value: int) -> int:
        return value

    def from_json(self, raw: Any) -> int:
        if type(raw) is not int or not 0 <= raw <= self._largest:
            raise Malformed("not an integer of its range")
        return raw


class BoolCodec(Codec[bool]):
    """True or false, one byte."""

    def write(self, value: bool, out: bytearray) -> None:
        out.append(value)

    def read(self, data: bytes, at: int) -> tuple[bool, int]:
        if at >= len(data) or data[at] > 1:
            raise Malformed("not a truth value")
        return data[at] == 1, at + 1

    def to_json(self, value: bool) -> bool:
        return value

    def from_json(self, raw: Any) -> bool:
        if type(raw) is not bool:
            raise Malformed("not a truth value")
        return raw


class TextCodec(Codec[str]):
    """A string, or a type of string that checks itself."""

    def __init__(self, kind: type[str]) -> None:
        self._kind = None if kind is str else kind

    def write(self, value: str, out: bytearray) -> None:
        try:
            write_bytes(value.encode(), out)
        except UnicodeEncodeError:
            raise Malformed("text with a lone surrogate") from None

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        raw, at = read_bytes(data, at)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise Malformed("text is not UTF-8") from None
        return (self._kind(text) if self._kind else text), at

    def to_json(self, value: str) -> str:
        return str(value)  # msgspec writes plain strings only, not names

    def from_json(self, raw: Any) -> str:
        if type(raw) is not str:
            raise Malformed("not text")
        return self._kind(raw) if self._kind else raw


class BytesCodec(Codec[Base64Bytes]):
    """Opaque bytes of any length."""

    def __init__(self, kind: type[Base64Bytes]) -> None:
        self._kind = kind

    def write(self, value: Base64Bytes, out: bytearray) -> None:
        write_bytes(value, out)

    def read(self, data: bytes, at: int) -> tuple[Base64Bytes, int]:
        raw, at = read_bytes(data, at)
        return self._kind(raw), at

    def to_json(self, value: Base64Bytes) -> Any:
        return value.text()

    def from_json(self, raw: Any) -> Base64Bytes:
        if type(raw) is not str:
            raise Malformed("not text")
        return self._kind.from_text(raw)


class IntegerBytesCodec(BytesCodec):
    """Opaque bytes, an array of integers in JSON."""

    def to_json(self, value: Base64Bytes) -> list[int]:
        return list(value)

    def from_json(self, raw: Any) -> Base64Bytes:
        items = cast("list[Any]", raw)
        if type(raw) is not list or not all(type(item) is int and 0 <= item <= 255 for item in items):
            raise Malformed("not an array of bytes")
        return IntegerBytes(bytes(items))


class FixedCodec(BytesCodec):
    """Bytes of a fixed size: with their length in front, but for raw ones."""

    def __init__(self, kind: type[FixedBytes]) -> None:
        super().__init__(kind)
        self._size = kind.size
        self._prefix = b"" if issubclass(kind, RawBytes) else bytes([kind.size])

    def write(self, value: Base64Bytes, out: bytearray) -> None:
        out += self._prefix
        out += value

    def read(self, data: bytes, at: int) -> tuple[Base64Bytes, int]:
        if self._prefix:
            if data[at : at + 1] != self._prefix:
                raise Malformed(f"{self._kind.__name__} has another length")
            at += 1
        raw, at = take(data, at, self._size)
        return self._kind(raw), at
