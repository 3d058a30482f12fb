"""One codec per shape of value, each of which knows its BCS and its JSON form (spec: encoding.md).

`write` appends BCS to a buffer; `read` takes a value at a position and gives the position after it; `to_json` gives builtins that
any JSON encoder writes; `from_json` takes what `codec.jsontext.parse` gave. Both readers raise `Malformed` on anything that the
reference would refuse. Readers never allocate more than a small multiple of the input.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from xirtam_core.codec.jsontext import RepeatedKeys
from xirtam_core.codec.primitives import Base64Bytes, FixedBytes, IntegerBytes, RawBytes
from xirtam_core.codec.wire import Variant, Wire
from xirtam_core.errors import Malformed

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

_LONGEST = 2**31 - 1
_LARGEST_INDEX = 2**32 - 1


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


def _take(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    end = at + size
    if end > len(data):
        raise Malformed("the input is cut short")
    return data[at:end], end


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    if at < len(data) and data[at] < 0x80:  # nearly every length here fits one byte
        return _take(data, at + 1, data[at])
    size, at = read_uleb(data, at, _LONGEST)
    return _take(data, at, size)


def _write_bytes(raw: bytes, out: bytearray) -> None:
    write_uleb(len(raw), out)
    out += raw


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
        raw, at = _take(data, at, self._size)
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
            _write_bytes(value.encode(), out)
        except UnicodeEncodeError:
            raise Malformed("text with a lone surrogate") from None

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        raw, at = _read_bytes(data, at)
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
        _write_bytes(value, out)

    def read(self, data: bytes, at: int) -> tuple[Base64Bytes, int]:
        raw, at = _read_bytes(data, at)
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
        raw, at = _take(data, at, self._size)
        return self._kind(raw), at


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
    """Any number of values of one type."""

    def __init__(self, item: Codec[T]) -> None:
        self._item = item

    def write(self, value: tuple[T, ...], out: bytearray) -> None:
        write_uleb(len(value), out)
        for item in value:
            self._item.write(item, out)

    def read(self, data: bytes, at: int) -> tuple[tuple[T, ...], int]:
        count, at = read_uleb(data, at, _LONGEST)
        items: list[T] = []
        for _ in range(count):  # every item takes at least a byte, so a false count ends with the input
            item, at = self._item.read(data, at)
            items.append(item)
        return tuple(items), at

    def to_json(self, value: tuple[T, ...]) -> list[Any]:
        return [self._item.to_json(item) for item in value]

    def from_json(self, raw: Any) -> tuple[T, ...]:
        if type(raw) is not list:
            raise Malformed("not an array")
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
        count, at = read_uleb(data, at, _LONGEST)
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


class StructCodec(Codec[Wire]):
    """The fields of a wire type in order; `bare` for one whose only field JSON writes without its name."""

    def __init__(self, kind: type[Wire], fields: dict[str, Codec[Any]], *, bare: bool = False) -> None:
        self._kind = kind
        self._fields = fields
        self._codecs = tuple(fields.values())
        self._options = {name for name, codec in fields.items() if isinstance(codec, OptionCodec)}
        self._bare = bare

    @property
    def is_unit(self) -> bool:
        """Whether there is nothing in it."""
        return not self._fields

    def write(self, value: Wire, out: bytearray) -> None:
        for name, codec in self._fields.items():
            codec.write(getattr(value, name), out)

    def read(self, data: bytes, at: int) -> tuple[Wire, int]:
        values: list[Any] = []
        for codec in self._codecs:
            value, at = codec.read(data, at)
            values.append(value)
        return self._make(values), at

    def _make(self, values: list[Any]) -> Wire:
        make: Any = self._kind
        return make(*values)

    def to_json(self, value: Wire) -> Any:
        if self._bare:
            ((name, codec),) = self._fields.items()
            return codec.to_json(getattr(value, name))
        return {name: codec.to_json(getattr(value, name)) for name, codec in self._fields.items()}

    def from_json(self, raw: Any) -> Wire:
        if self._bare:
            return self._make([self._codecs[0].from_json(raw)])
        if type(raw) is list:  # the reference takes a struct as an array of its fields, too
            return self._from_array(cast("list[Any]", raw))
        if not isinstance(raw, dict):
            raise Malformed(f"{self._kind.__name__} is not an object")
        given = cast("dict[str, Any]", raw)
        if isinstance(given, RepeatedKeys) and not given.repeated.isdisjoint(self._fields):
            raise Malformed(f"{self._kind.__name__} has a field twice")
        values: list[Any] = []
        for name, codec in self._fields.items():
            if name not in given and name not in self._options:
                raise Malformed(f"{self._kind.__name__} lacks {name}")
            values.append(codec.from_json(given.get(name)))
        return self._make(values)

    def _from_array(self, given: list[Any]) -> Wire:
        if len(given) != len(self._codecs):
            raise Malformed(f"{self._kind.__name__} has another number of fields")
        return self._make([codec.from_json(item) for codec, item in zip(self._codecs, given, strict=True)])


class EnumCodec(Codec[Variant]):
    """One of several variants: an index and a payload in BCS, externally tagged in JSON."""

    def __init__(self, variants: dict[type[Variant], StructCodec]) -> None:
        self._payloads = list(variants.values())
        self._index: dict[type, int] = {kind: index for index, kind in enumerate(variants)}
        self._names = [kind.variant for kind in variants]
        self._by_name = dict(zip(self._names, self._payloads, strict=True))

    def write(self, value: Variant, out: bytearray) -> None:
        index = self._index[type(value)]
        write_uleb(index, out)
        self._payloads[index].write(value, out)

    def read(self, data: bytes, at: int) -> tuple[Variant, int]:
        index, at = read_uleb(data, at, _LARGEST_INDEX)
        if index >= len(self._payloads):
            raise Malformed("there is no such variant")
        return cast("tuple[Variant, int]", self._payloads[index].read(data, at))

    def to_json(self, value: Variant) -> Any:
        index = self._index[type(value)]
        payload, name = self._payloads[index], self._names[index]
        return name if payload.is_unit else {name: payload.to_json(value)}

    def from_json(self, raw: Any) -> Variant:
        if type(raw) is str:
            name, body, is_unit = raw, cast("Any", {}), True
        elif isinstance(raw, dict) and len(cast("dict[str, Any]", raw)) == 1 and not isinstance(raw, RepeatedKeys):
            ((name, body),) = cast("dict[str, Any]", raw).items()
            is_unit = False
        else:
            raise Malformed("not a variant")
        payload = self._by_name.get(name)
        if payload is None or payload.is_unit is not is_unit:
            raise Malformed("there is no such variant")
        return cast("Variant", payload.from_json(body))
