"""What the database library's errors mean to a person: a full disk, one that must not be written to, a damaged file."""

import errno
import shutil
from pathlib import Path
from typing import Final

from sqlcipher3 import dbapi2

from xirtam_core.errors import Damaged, DiskFull, ReadOnly, StorageFault

_LEAST_ROOM: Final = 64 * 1024
_FULL: Final = (
    "the disk is full: nothing that was stored is lost, what was asked for was not done; make room and it goes on"
)
_READ_ONLY: Final = (
    "the account's files cannot be written to: nothing was changed; see to it that this user may write to them and to "
    "their folder, and that the disk is not mounted read-only"
)
_DAMAGED: Final = (
    "the account's database is damaged: nothing was changed; close xirtam, keep a copy of the account's folder, export what "
    "can still be read (xirtam export), and restore a backup (xirtam restore)"
)
_UNUSABLE: Final = (
    "the disk does not work as it should ({}): nothing that was stored is lost; look at the disk, then try again"
)

_MEANINGS: Final[dict[int, tuple[type[StorageFault], str]]] = {
    dbapi2.SQLITE_FULL: (DiskFull, _FULL),
    dbapi2.SQLITE_READONLY: (ReadOnly, _READ_ONLY),
    dbapi2.SQLITE_PERM: (ReadOnly, _READ_ONLY),
    dbapi2.SQLITE_CANTOPEN: (ReadOnly, _READ_ONLY),
    dbapi2.SQLITE_CORRUPT: (Damaged, _DAMAGED),
    dbapi2.SQLITE_NOTADB: (Damaged, _DAMAGED),
    dbapi2.SQLITE_IOERR: (StorageFault, _UNUSABLE),
    dbapi2.SQLITE_BUSY: (StorageFault, _UNUSABLE),
}
"""By primary result code; what else may be raised is a mistake of ours, and stays as it is."""


def storage_fault(error: dbapi2.Error, place: Path | None = None) -> StorageFault | None:
    """What `error` says of the disk, None where it says something else. No SQL and no values are in the words.

    The library does not say that the disk is full where it has no room for the index of its log, so the disk of `place` is asked.
    """
    code: int | None = getattr(error, "sqlite_errorcode", None)  # not set where the library itself refuses
    if code is None or (code & 0xFF) not in _MEANINGS:
        return None
    if code & 0xFF == dbapi2.SQLITE_IOERR and place is not None and shutil.disk_usage(place).free < _LEAST_ROOM:
        return DiskFull(_FULL)
    kind, words = _MEANINGS[code & 0xFF]
    return kind(words.format(error))


def file_fault(error: OSError) -> StorageFault:
    """What an error of the file system means for an account's own files."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(_FULL)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ReadOnly(_READ_ONLY)
    return StorageFault(_UNUSABLE.format(error.strerror))
