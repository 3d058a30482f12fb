"""What a client keeps of the directory's log, so that it is never told another one (spec: directory.md, RPC)."""

from collections.abc import Sequence
from typing import Protocol

from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryHeader


class HeaderStore(Protocol):
    """Headers that an anchor vouches for, and the highest anchor that was verified. It trusts its caller; `FollowedLog` is that."""

    def anchor(self) -> DirectoryAnchor | None:
        """The highest anchor; None before the first."""
        ...

    def header(self, height: int) -> DirectoryHeader | None:
        """The header at `height`, if it is kept: those far below the anchor need not be."""
        ...

    def extend(self, first_height: int, headers: Sequence[DirectoryHeader], anchor: DirectoryAnchor) -> None:
        """Adds `headers`, the first at `first_height`, the last the one that `anchor` names, and keeps `anchor`: one atomic step.

        `first_height` is that after the present anchor's, or higher if so many were missed that only the last are kept.
        """
        ...


class MemoryHeaderStore:
    """A store that ends with the process: for tests, and for a server that asks its own directory."""

    def __init__(self) -> None:
        self._headers: dict[int, DirectoryHeader] = {}
        self._anchor: DirectoryAnchor | None = None

    def anchor(self) -> DirectoryAnchor | None:
        """The highest anchor; None before the first."""
        return self._anchor

    def header(self, height: int) -> DirectoryHeader | None:
        """The header at `height`, if there is one."""
        return self._headers.get(height)

    def extend(self, first_height: int, headers: Sequence[DirectoryHeader], anchor: DirectoryAnchor) -> None:
        """Adds `headers` from `first_height` on, and keeps `anchor`."""
        self._headers.update(enumerate(headers, first_height))
        self._anchor = anchor
