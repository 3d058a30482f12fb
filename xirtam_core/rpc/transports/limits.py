"""What any client transport sends and takes at most (spec: rpc.md, Sizes and Time)."""

import socket
from typing import Final

from xirtam_core.errors import Malformed

LONGEST_REQUEST: Final = 2**20
"""Bytes of JSON, line end not counted: what every peer reads."""

LONGEST_ANSWER: Final = 64 * 2**20
"""Bytes: a reference server does not limit what it sends for `v1_mailbox_multirecv`."""

CONNECT_TIMEOUT_S: Final = 10.0
"""A long poll may wait for its answer, but not that long for its connection."""

_PROBES: Final = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}


def probing() -> list[tuple[int, int, int]]:
    """Options for a client's sockets, by which the system finds out within a minute that the other end is gone.

    A long poll says nothing for minutes; after a change of networks, or a night with the lid closed, it would wait for nobody.
    """
    known = ((getattr(socket, name, None), value) for name, value in _PROBES.items())
    options = [(socket.IPPROTO_TCP, option, value) for option, value in known if option is not None]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *options]


def check_request(request: bytes) -> None:
    """Raises `Malformed` for a request that is too long to send: trying again would not help."""
    if len(request) > LONGEST_REQUEST:
        raise Malformed(f"a request of {len(request)} bytes is too long to send (at most {LONGEST_REQUEST})")
