"""What any client transport sends and takes at most (spec: rpc.md, Sizes and Time)."""

from typing import Final

from xirtam_core.errors import Malformed

LONGEST_REQUEST: Final = 2**20
"""Bytes of JSON, line end not counted: what every peer reads."""

LONGEST_ANSWER: Final = 64 * 2**20
"""Bytes: a reference server does not limit what it sends for `v1_mailbox_multirecv`."""

CONNECT_TIMEOUT_S: Final = 10.0
"""A long poll may wait for its answer, but not that long for its connection."""


def check_request(request: bytes) -> None:
    """Raises `Malformed` for a request that is too long to send: trying again would not help."""
    if len(request) > LONGEST_REQUEST:
        raise Malformed(f"a request of {len(request)} bytes is too long to send (at most {LONGEST_REQUEST})")
