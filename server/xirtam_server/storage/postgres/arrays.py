"""Arrays in the binary form that PostgreSQL takes: what a batch of entries costs is mostly their making, so it is done in one go."""

import struct
from collections.abc import Sequence
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format

_INT8, _INT8_ARRAY = 20, 1016
_BYTEA, _BYTEA_ARRAY = 17, 1001
_HEAD: Final = struct.Struct(">iiiii")
_LENGTH: Final = struct.Struct(">i")


class BigintArray:
    """A `bigint[]`."""

    __slots__ = ("raw",)

    def __init__(self, values: Sequence[int]) -> None:
        flat = [8] * (2 * len(values))
        flat[1::2] = values
        self.raw = _HEAD.pack(1, 0, _INT8, len(values), 1) + struct.pack(">" + "iq" * len(values), *flat)


class ByteaArray:
    """A `bytea[]`."""

    __slots__ = ("raw",)

    def __init__(self, values: Sequence[bytes]) -> None:
        parts = [_HEAD.pack(1, 0, _BYTEA, len(values), 1)]
        for value in values:
            parts += (_LENGTH.pack(len(value)), value)
        self.raw = b"".join(parts)


class _BigintArrayDumper(Dumper):
    format, oid = Format.BINARY, _INT8_ARRAY

    def dump(self, obj: BigintArray) -> bytes:
        return obj.raw


class _ByteaArrayDumper(Dumper):
    format, oid = Format.BINARY, _BYTEA_ARRAY

    def dump(self, obj: ByteaArray) -> bytes:
        return obj.raw


def register(connection: AsyncConnection[Any]) -> None:
    """Lets the connection take such arrays as parameters."""
    connection.adapters.register_dumper(BigintArray, _BigintArrayDumper)
    connection.adapters.register_dumper(ByteaArray, _ByteaArrayDumper)
