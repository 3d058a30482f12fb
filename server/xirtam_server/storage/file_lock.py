"""One process at a time on a database of SQLite: a lock beside its file, which the system lets go of when the process ends.

What a server remembers of mailboxes is exact only while nobody else writes them, whatever data directory they have.
"""

import fcntl
import os
from pathlib import Path

from xirtam_server.storage.schema import DatabaseInUse, DatabaseUnavailable


class FileLock:
    """Held from `take` to `release`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, database: Path) -> "FileLock":
        """The lock of `database`; raises `DatabaseInUse` where another holds it, and `DatabaseUnavailable`."""
        file = database.resolve()  # however many names it has
        if not file.parent.is_dir():
            raise DatabaseUnavailable(
                f"there is no folder {file.parent} for the database: make it, or name another place with --database"
            )
        try:
            handle = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise DatabaseUnavailable(
                f"cannot use the database {database} ({fault.strerror}): see that its folder can be written"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise DatabaseInUse(
                f"another xirtam-server uses the database {database}: stop it, or name another with --database"
            ) from None
        return cls(handle)

    def release(self) -> None:
        """Lets the next one in."""
        os.close(self._handle)
