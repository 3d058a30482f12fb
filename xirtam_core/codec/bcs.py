"""Binary canonical serialisation: what is signed, hashed and encrypted (spec: encoding.md, BCS in one table)."""

from typing import Any, TypeVar

from xirtam_core.codec.schema import codec_of
from xirtam_core.codec.wire import Wire
from xirtam_core.errors import Malformed

T = TypeVar("T")


def encode(value: object, annotation: Any = None) -> bytes:
    """The BCS of a wire value or primitive; `annotation` gives the type where the value does not show it (integers, tuples, maps)."""
    out = bytearray()
    codec_of(annotation or type(value)).write(value, out)
    return bytes(out)


def decode(kind: type[T], data: bytes) -> T:
    """The value of type `kind` that `data` encodes, all of it; raises `Malformed`."""
    value, end = codec_of(kind).read(data, 0)
    if end != len(data):
        raise Malformed(f"{len(data) - end} bytes after the value")
    return value


def encode_fields(*values: Wire | str | bytes) -> bytes:
    """The BCS of a tuple of values that show their own types."""
    out = bytearray()
    for value in values:
        codec_of(type(value)).write(value, out)
    return bytes(out)


def before(raw: bytes, last: bytes) -> bytes:
    """What stands in `raw` before its last field, whose value is `last`: it was decoded, so encoding it again would give the same."""
    return raw[: len(raw) - len(encode_fields(last))]
