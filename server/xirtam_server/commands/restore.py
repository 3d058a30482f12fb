"""`restore`: makes a data directory of a backup. Into an empty place only: it never replaces anything."""

import asyncio
import os
import shutil
from pathlib import Path

from xirtam_core.errors import XirtamError
from xirtam_server.commands.archive import Manifest, extract
from xirtam_server.commands.home_store import opened
from xirtam_server.config import HOME_DATABASE, ServerConfig, StartFailed
from xirtam_server.data_dir import flush_folder, locked

_DRAFT = ".restoring"


def restore(config: ServerConfig, file: Path) -> Manifest:
    """Puts the backup in `file` into the data directory and brings it up to date; raises `StartFailed` and `BadBackup`."""
    if config.storage.database or config.storage.fragments:
        raise StartFailed(
            "a backup is restored into a data directory: leave database and fragments out, and move them afterwards"
        )
    with locked(config.place) as place:
        if any(entry.name != "lock" for entry in place.iterdir()):
            raise StartFailed(f"{place} is not empty, and was left as it is: name a new place with --data-dir")
        draft = place / _DRAFT
        draft.mkdir(mode=0o700)
        try:
            manifest = extract(file, draft)
        except BaseException:
            shutil.rmtree(draft)
            raise
        _flush(draft)
        for entry in sorted(draft.iterdir()):
            entry.rename(place / entry.name)
        draft.rmdir()
        flush_folder(place)
        if HOME_DATABASE in manifest.files:
            asyncio.run(_migrate(config))
    return manifest


def _flush(folder: Path) -> None:
    for path, _, names in os.walk(folder):
        for name in names:
            with (Path(path) / name).open("rb") as file:
                os.fsync(file.fileno())
        flush_folder(Path(path))


async def _migrate(config: ServerConfig) -> None:
    try:
        async with opened(config, alone=True):
            pass
    except XirtamError as fault:
        raise StartFailed(f"the backup was restored, and cannot be used by this version: {fault}") from None
