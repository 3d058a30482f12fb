"""The place where a server keeps its state: one process at a time, and nobody else's to read."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from xirtam_server.config import StartFailed

DIRECTORY_DATABASE: Final = "directory.db"
JOIN_LINK: Final = "join.link"
"""How newcomers join, as of the last start."""


def refuse_root(path: Path) -> None:
    """Raises `StartFailed` for root on another user's data: the files it would make there could not be used by their server."""
    owner = path.stat().st_uid if path.exists() else 0
    if os.geteuid() == 0 and owner != 0:
        raise StartFailed(f"{path} belongs to another user: run this as them, like sudo -u '#{owner}' xirtam-server …")


def made(path: Path) -> Path:
    """The data directory, made if it is not there; raises `StartFailed`."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        raise StartFailed(f"cannot use {path} for data: {fault.strerror}; name another with --data-dir") from None
    return path


@contextmanager
def locked(path: Path) -> Generator[Path]:
    """The data directory, made if it is not there, held until the end; raises `StartFailed`."""
    made(path)
    try:
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise StartFailed(f"cannot use {path} for data: {fault.strerror}; name another with --data-dir") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise StartFailed(
            f"another xirtam-server uses {path}: stop it, or name another place with --data-dir"
        ) from None
    try:
        yield path
    finally:
        os.close(lock)


def write_private(path: Path, text: str) -> None:
    """Writes a new file that only its owner reads: whole, and on the disk, or not at all."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Puts the names in `folder` on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
