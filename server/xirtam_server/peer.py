"""The other end of one connection, as far as a service may know it: enough to let go of what waits for somebody who has left."""

from contextvars import ContextVar
from typing import Protocol


class Waiting(Protocol):
    """A call that waits on purpose."""

    def release(self) -> None:
        """Lets it answer at once with what there is."""
        ...


class Peer:
    """One client connection: its address, "" where there is none, and the calls of it that wait, oldest first."""

    __slots__ = ("address", "waiting")

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.waiting: dict[Waiting, None] = {}

    def release(self) -> None:
        """Lets all waiting calls go: the connection is lost, or the server stops."""
        for call in list(self.waiting):
            call.release()


PEER: ContextVar[Peer | None] = ContextVar("peer", default=None)
"""Whose call is being answered; transports set it. None for calls from within."""
