"""From an annotation to its codec: how a value of that type is written and read, in BCS and in JSON (spec: encoding.md).

Derived once per type. No wire type is recursive and deriving one that were would fail, so nesting is bounded by construction
far below the limit of 500.
"""

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from xirtam_core.codec.bounds import AtMost
from xirtam_core.codec.codec import Codec
from xirtam_core.codec.collection_codecs import ListCodec, MapCodec, OptionCodec, TupleCodec
from xirtam_core.codec.integers import Width
from xirtam_core.codec.primitives import Base64Bytes, FixedBytes, IntegerBytes
from xirtam_core.codec.scalar_codecs import (
    BoolCodec,
    BytesCodec,
    FixedCodec,
    IntegerBytesCodec,
    IntegerCodec,
    TextCodec,
)
from xirtam_core.codec.struct_codecs import EnumCodec, StructCodec
from xirtam_core.codec.wire import Newtype, Variant, Wire


@cache
def codec_of(annotation: Any) -> Codec[Any]:
    """The codec of a type as annotated; raises `TypeError` for one that the wire does not have."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _marked(annotation.__origin__, annotation.__metadata__[0])
    if origin is tuple:
        items = get_args(annotation)
        if len(items) == 2 and items[1] is Ellipsis:
            return ListCodec(codec_of(items[0]))
        return TupleCodec(tuple(codec_of(item) for item in items))
    if origin is Mapping:
        key, value = get_args(annotation)
        return MapCodec(codec_of(key), codec_of(value))
    if origin in (Union, types.UnionType):
        return _union(get_args(annotation))
    if isinstance(annotation, type):
        return _plain(annotation)
    raise TypeError(f"the wire has no type {annotation!r}")


def _marked(kind: Any, mark: object) -> Codec[Any]:
    match mark:
        case Width(size=size):
            return IntegerCodec(size)
        case AtMost(items=most):
            item, _ = get_args(kind)
            return ListCodec(codec_of(item), most)
        case _:
            raise TypeError(f"the wire has no mark {mark!r}")


def _union(members: tuple[Any, ...]) -> Codec[Any]:
    present = tuple(member for member in members if member is not type(None))
    if present == members:
        return EnumCodec({variant: _payload(variant) for variant in members})
    return OptionCodec(codec_of(present[0]) if len(present) == 1 else _union(present))


def _payload(variant: type[Variant]) -> StructCodec:
    fields = _fields(variant)
    return StructCodec(variant, fields, bare=issubclass(variant, Newtype))


def _plain(kind: type[Any]) -> Codec[Any]:
    if issubclass(kind, Variant):
        return EnumCodec({kind: _payload(kind)})
    if issubclass(kind, Wire):
        return StructCodec(kind, _fields(kind))
    if issubclass(kind, IntegerBytes):
        return IntegerBytesCodec(kind)
    if issubclass(kind, FixedBytes):
        return FixedCodec(kind)
    if issubclass(kind, Base64Bytes):
        return BytesCodec(kind)
    if kind is bool:
        return BoolCodec()
    if issubclass(kind, str):
        return TextCodec(kind)
    raise TypeError(f"the wire has no type {kind!r}")


def _fields(kind: type[Wire]) -> dict[str, Codec[Any]]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: codec_of(hint) for name, hint in hints.items() if get_origin(hint) is not ClassVar}
