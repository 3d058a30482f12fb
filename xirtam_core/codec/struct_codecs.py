"""Codecs of wire types: structs, and enums as unions of variants."""

from typing import Any, Final, cast

from xirtam_core.codec.codec import Codec, read_uleb, write_uleb
from xirtam_core.codec.collection_codecs import OptionCodec
from xirtam_core.codec.jsontext import RepeatedKeys
from xirtam_core.codec.wire import Variant, Wire
from xirtam_core.errors import Malformed

_LARGEST_INDEX: Final = 2**32 - 1


class StructCodec(Codec[Wire]):
    """The fields of a wire type in order; `bare` for one whose only field JSON writes without its name."""

    def __init__(self, kind: type[Wire], fields: dict[str, Codec[Any]], *, bare: bool = False) -> None:
        self._kind = kind
        self._fields = fields
        self._items = tuple(fields.items())
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
        if (
            type(raw) is dict and not self._bare
        ):  # the plain case first: an object without repetitions that lacks nothing
            plain = cast("dict[str, Any]", raw)
            try:
                return self._make([codec.from_json(plain[name]) for name, codec in self._items])
            except KeyError:
                pass
        return self._from_unusual(raw)

    def _from_unusual(self, raw: Any) -> Wire:
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
