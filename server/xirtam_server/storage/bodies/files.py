"""The bytes of fragments as files: two levels of folders, so that none grows large.

A file is written under a temporary name, flushed, renamed, and its folder flushed: what has its final name is whole and stays. All of
it happens in a few threads of its own, so that a slow disk holds up neither the event loop nor other work.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from xirtam_server.storage.bodies.interface import LARGEST_BODY, BodyStore, is_name

R = TypeVar("R")

_THREADS = 4
_UNFINISHED = ".part"


def fragment_path(folder: Path, body: str) -> Path:
    """Where below the fragments' `folder` the bytes are that the database calls `body`."""
    return folder / body[:2] / body[2:4] / body


class FileBodies(BodyStore):
    """The files below one folder; `open` makes one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(_THREADS, "fragments")

    @classmethod
    async def open(cls, root: Path) -> "FileBodies":
        """The store in the folder `root`, which is made where it is missing; raises `OSError`."""
        await asyncio.to_thread(_make_folder, root)
        return cls(root)

    async def _do(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def put(self, body: str, content: bytes) -> None:
        await self._do(lambda: _write(self._path(body), content))

    async def get(self, body: str) -> bytes | None:
        return await self._do(lambda: _read(self._path(body)))

    async def remove(self, bodies: Sequence[str]) -> None:
        def remove() -> None:
            for body in bodies:
                self._path(body).unlink(missing_ok=True)

        await self._do(remove)

    async def written_before(self, unix_s: float) -> AsyncIterator[list[str]]:
        for outer in await self._do(lambda: _folders_in(self._root)):
            for inner in await self._do(lambda outer=outer: _folders_in(outer)):
                names = await self._do(lambda inner=inner: _old_in(inner, unix_s))
                if names:
                    yield names

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    def _path(self, name: str) -> Path:
        return fragment_path(self._root, name)


def _make_folder(folder: Path) -> None:
    """Makes `folder` and what is missing above it, for good."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, content: bytes) -> None:
    _make_folder(path.parent)
    unfinished = path.with_name(path.name + _UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BODY + 1)
    except FileNotFoundError:
        return None
    return content if len(content) <= LARGEST_BODY else None


def _folders_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as found:
        return [Path(entry) for entry in found if len(entry.name) == 2 and entry.is_dir(follow_symlinks=False)]


def _old_in(folder: Path, unix_s: float) -> list[str]:
    """The old names in `folder`; an old file that was never finished is removed, as nobody knows of it."""
    names: list[str] = []
    with os.scandir(folder) as found:
        for entry in found:
            name = entry.name.removesuffix(_UNFINISHED)
            with contextlib.suppress(FileNotFoundError):
                if not is_name(name) or entry.stat(follow_symlinks=False).st_mtime >= unix_s:
                    continue
                if name == entry.name:
                    names.append(name)
                else:
                    Path(entry).unlink()
    return names
