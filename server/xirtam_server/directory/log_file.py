"""A log on disk, open in one process: what a directory of its own and a mirror have in common, which is all that is read.

Everything here is for one thread, that of the database.
"""

from pathlib import Path

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.protocol.directory import DirectoryChunk, DirectoryHeader, DirectoryItem
from xirtam_core.rpc.directory import DirectoryBusy
from xirtam_server.directory.database import Role, open_database, take_lock
from xirtam_server.directory.log import Log, Tip


class LogFile:
    """The log in the database at `path`. Raises `Locked` if another process, key or role has it."""

    def __init__(self, path: Path, directory_pk: SigningPublic, role: Role) -> None:
        self._lock = take_lock(path)
        try:
            self._connection = open_database(path, directory_pk, role)
        except BaseException:
            self._lock.close()
            raise
        self._log = Log(self._connection)

    def close(self) -> None:
        """Lets go of the database."""
        try:
            self._connection.close()
        finally:
            self._lock.close()

    def tip(self) -> Tip | None:
        """The newest header; None before the first."""
        return self._log.tip()

    def headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        """The headers from `first` to `last` that exist, at most 1000."""
        return self._log.headers(first, last)

    def find_chunk(self, height: int) -> DirectoryChunk | None:
        """What `height` added; None if there is no such height."""
        return self._log.find_chunk(height)

    def item(self, name: str) -> DirectoryItem:
        """The landed history of `name` and its proof, as of the newest header; raises `DirectoryBusy` before there is one."""
        tip = self._log.tip()
        if tip is None:
            raise DirectoryBusy
        return self._log.item(name, tip.height)
