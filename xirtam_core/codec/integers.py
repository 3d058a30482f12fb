"""The integers of the wire: their width in BCS, their range in JSON (spec: encoding.md)."""

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class Width:
    """How many bytes an integer takes in BCS; it is unsigned and little-endian."""

    size: int


U8 = Annotated[int, Width(1)]
U16 = Annotated[int, Width(2)]
U32 = Annotated[int, Width(4)]
U64 = Annotated[int, Width(8)]

Timestamp = Annotated[int, Width(8)]
"""Unix seconds."""

NanoTimestamp = Annotated[int, Width(8)]
"""Unix nanoseconds."""

NEVER = 2**64 - 1
"""An expiry that never comes."""

LATEST = 2**63 - 1
"""The last time that the reference can store; every time but a certificate's expiry stays at or below it."""
