"""Where the accounts of a data directory lie, and the lock that keeps two processes from opening one.

`accounts/NAME/` holds `account.db` (encrypted), `key.json` (how to come by its key), `lock`. A directory without `complete` belongs
to a registration that has not finished: it can be resumed, and is not listed as an account.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.errors import InUse, InvalidName, NotFound
from xirtam_core.names import Username
from xirtam_core.storage.faults import file_fault

_COMPLETE = "complete"
_LONGEST_SOCKET_PATH = 100


class AccountDirectory:
    """One account's place on the disk."""

    def __init__(self, data_dir: Path, name: Username) -> None:
        self.name = name
        self.path = data_dir / "accounts" / name.bare
        self._lock: IO[str] | None = None

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.path / "account.db"

    @property
    def socket(self) -> Path:
        """Where a running engine takes calls from other processes of the same user.

        In the account's directory where its path is short enough for a socket, else in a private place of the user's.
        """
        near = self.path.absolute() / "engine.sock"
        if len(os.fsencode(near)) <= _LONGEST_SOCKET_PATH:
            return near
        return (
            Path(tempfile.gettempdir()) / f"xirtam-{os.getuid()}" / f"{hash_bytes(os.fsencode(near)).hex()[:32]}.sock"
        )

    @property
    def exists(self) -> bool:
        """Whether anything of this account is here, finished or not."""
        return (self.path / "key.json").exists()

    @property
    def is_complete(self) -> bool:
        """Whether its registration has finished."""
        return (self.path / _COMPLETE).exists()

    def create(self) -> None:
        """Makes the directory, for its owner alone."""
        for directory in (self.path.parent.parent, self.path.parent, self.path):  # `parents` would ignore the mode
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def mark_complete(self) -> None:
        """Says that the registration has finished."""
        (self.path / _COMPLETE).touch(mode=0o600)

    def lock(self) -> None:
        """Takes the account for this process.

        Raises `InUse` when another has it, `NotFound` when there is none, `ReadOnly`, `DiskFull` and `StorageFault`.
        """
        if not self.path.is_dir():
            raise NotFound(f"there is no account {self.name} here: make one with xirtam register")
        try:
            file = os.fdopen(os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+")
        except OSError as fault:
            raise file_fault(fault) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise InUse(f"{self.name} is open in another xirtam: use that one, or close it first") from None
        self._lock = file

    def unlock(self) -> None:
        """Lets other processes have the account."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def remove(self) -> None:
        """Deletes all of it: for a registration whose name turned out to be somebody else's."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.unlock()


def accounts(data_dir: Path) -> list[Username]:
    """The accounts in `data_dir` whose registration has finished, by name."""
    found: list[Username] = []
    for place in (data_dir / "accounts").glob(f"*/{_COMPLETE}"):
        try:
            found.append(Username("@" + place.parent.name))
        except InvalidName:
            continue  # somebody else's directory
    return sorted(found)
