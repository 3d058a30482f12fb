"""Codecs of options, lists, tuples and maps."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from xirtam_core.codec.codec import LONGEST, Codec, read_uleb, write_uleb
from xirtam_core.errors import Malformed

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class OptionCodec(Codec[T | None]):
    """A value or nothing."""

    def __init__(self, inner: Codec[T]) -> None:
        self._inner = inner

    def write(self, value: T | None, out: bytearray) -> None:
        out.append(value is not None)
        if value is not None:
            self._inner.write(value, out)

    def read(self, data: bytes, at: int) -> tuple[T | None, int]:
        if at >= len(data) or data[at] > 1:
            raise Malformed("not an option")
        return self._inner.read(data, at + 1) if data[at] else (None, at + 1)

    def to_json(self, value: T | None) -> Any:
        return None if value is None else self._inner.to_json(value)

    def from_json(self, raw: Any) -> T | None:
        return None if raw is None else self._inner.from_json(raw)


class ListCodec(Codec[tuple[T, ...]]):
    """Any number of values of one type, up to a bound."""

    def __init__(self, item: Codec[T], most: int = LONGEST) -> None:
        self._item = item
        self._most = most

    def write(self, value: tuple[T, ...], out: bytearray) -> None:
        write_uleb(len(value), out)
        for item in value:
            self._item.write(item, out)

    def read(self, data: bytes, at: int) -> tuple[tuple[T, ...], int]:
        count, at = read_uleb(data, at, self._most)
        items: list[T] = []
        for _ in range(count):  # every item takes at least a byte, so a false count ends with the input
            item, at = self._item.read(data, at)
            items.append(item)
        return tuple(items), at

    def to_json(self, value: tuple[T, ...]) -> list[Any]:
        return [self._item.to_json(item) for item in value]

    def from_json(self, raw: Any) -> tuple[T, ...]:
        if type(raw) is not list or len(cast("list[Any]", raw)) > self._most:
            raise Malformed("not an array, or too long a one")
        return tuple(self._item.from_json(item) for item in cast("list[Any]", raw))


class TupleCodec(Codec[tuple[Any, ...]]):
    """A fixed number of values, each of its own type; an array in JSON."""

    def __init__(self, items: tuple[Codec[Any], ...]) -> None:
        self._items = items

    def write(self, value: tuple[Any, ...], out: bytearray) -> None:
        for codec, item in zip(self._items, value, strict=True):
            codec.write(item, out)

    def read(self, data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        items: list[Any] = []
        for codec in self._items:
            item, at = codec.read(data, at)
            items.append(item)
        return tuple(items), at

    def to_json(self, value: tuple[Any, ...]) -> list[Any]:
        return [codec.to_json(item) for codec, item in zip(self._items, value, strict=True)]

    def from_json(self, raw: Any) -> tuple[Any, ...]:
        values = cast("list[Any]", raw)
        if type(raw) is not list or len(values) != len(self._items):
            raise Malformed("not an array of its length")
        return tuple(codec.from_json(item) for codec, item in zip(self._items, values, strict=True))


class MapCodec(Codec[Mapping[K, V]]):
    """Keys to values, in BCS by the order of the encoded keys; an object in JSON."""

    def __init__(self, key: Codec[K], value: Codec[V]) -> None:
        self._key = key
        self._value = value

    def write(self, value: Mapping[K, V], out: bytearray) -> None:
        write_uleb(len(value), out)
        for encoded, key in sorted((self._encoded(key), key) for key in value):
            out += encoded
            self._value.write(value[key], out)

    def _encoded(self, key: K) -> bytes:
        out = bytearray()
        self._key.write(key, out)
        return bytes(out)

    def read(self, data: bytes, at: int) -> tuple[Mapping[K, V], int]:
        count, at = read_uleb(data, at, LONGEST)
        found: dict[K, V] = {}
        previous = b""
        for number in range(count):
            start = at
            key, at = self._key.read(data, at)
            encoded = data[start:at]
            if number and encoded <= previous:
                raise Malformed("the keys of a map are not in order")
            previous = encoded
            found[key], at = self._value.read(data, at)
        return found, at

    def to_json(self, value: Mapping[K, V]) -> dict[str, Any]:
        return {self._key.to_json(key): self._value.to_json(item) for key, item in value.items()}

    def from_json(self, raw: Any) -> Mapping[K, V]:
        if not isinstance(raw, dict):
            raise Malformed("not an object")
        entries = cast("dict[str, Any]", raw)
        return {self._key.from_json(key): self._value.from_json(item) for key, item in entries.items()}
