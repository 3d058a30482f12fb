"""Files that a person asks for: new, for their owner alone, and there only once they are whole."""

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from xirtam_core.errors import DiskFull, ReadOnly, Refused, StorageFault
from xirtam_core.storage.keys import flush_directory


@contextmanager
def new_file(path: Path) -> Generator[Path]:
    """A name to write under; what lies there at the end is flushed and becomes `path`. Where the block fails, nothing stays.

    Raises `Refused` where there is a file already, `ReadOnly`, `DiskFull` and `StorageFault`.
    """
    if path.exists():
        raise Refused(f"{path} exists already: it was left as it is, choose another name")
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)  # of an attempt that a crash ended
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.rename(path)
            flush_directory(path.parent)
        finally:
            part.unlink(missing_ok=True)
    except OSError as fault:
        raise _meaning(fault, path) from None


def _meaning(fault: OSError, path: Path) -> StorageFault:
    if fault.errno == errno.ENOSPC:
        return DiskFull(f"the disk of {path} is full: nothing was written, make room or choose another place")
    if isinstance(fault, PermissionError | FileNotFoundError | NotADirectoryError):
        return ReadOnly(f"{path} cannot be written ({fault.strerror}): choose another place")
    return StorageFault(f"{path} cannot be written ({fault.strerror}): nothing else was changed")
