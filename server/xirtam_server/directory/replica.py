"""A mirror's copy of another directory's log, and what adds to it: all that touches its database, for one thread.

The log grows by whole heights, each verified against the one before, and the anchor moves in the transaction that reaches it. So
whatever instant the process ends at, what is on disk is a true beginning of the log, and readers are never shown an older anchor.
"""

from collections.abc import Sequence
from pathlib import Path

from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.protocol.directory import ZERO_HASH, DirectoryAnchor, DirectoryChunk
from xirtam_server.directory import mirrored
from xirtam_server.directory.database import Role, transaction
from xirtam_server.directory.log_file import LogFile
from xirtam_server.directory.mirrored import Mirrored


class Replica(LogFile):
    """The copy in the database at `path` of the log of the directory with key `directory_pk`. Raises `Locked`."""

    def __init__(self, path: Path, directory_pk: SigningPublic) -> None:
        super().__init__(path, directory_pk, Role.MIRROR)

    def mirrored(self) -> Mirrored:
        """The anchors that are known."""
        return mirrored.read(self._connection)

    def anchor(self) -> DirectoryAnchor | None:
        """The anchor that this copy stands for as it is; None while it is between two, and while the directory is caught lying."""
        known, tip = self.mirrored(), self.tip()
        is_reached = known.anchor is not None and tip is not None and tip.height == known.anchor.last_header_height
        return known.anchor if is_reached and known.contradiction is None else None

    def root(self) -> Hash:
        """That of the newest header."""
        tip = self.tip()
        return ZERO_HASH if tip is None else self.headers(tip.height, tip.height)[0].smt_root

    def set_goal(self, goal: DirectoryAnchor) -> None:
        """Keeps the highest verified anchor, durably."""
        with transaction(self._connection):
            mirrored.set_goal(self._connection, goal)

    def extend(self, chunks: Sequence[DirectoryChunk], goal: DirectoryAnchor) -> None:
        """Adds the next heights, all or none; raises `BadChunk`. With the height of `goal`, that is the anchor."""
        with transaction(self._connection):
            for chunk in chunks:
                tip = self._log.replay(chunk)
                if tip.height == goal.last_header_height:
                    mirrored.set_anchor(self._connection, goal)

    def set_contradiction(self, contradiction: DirectoryAnchor | None) -> None:
        """Keeps the proof of two logs; None forgets it."""
        with transaction(self._connection):
            mirrored.set_contradiction(self._connection, contradiction)
