"""The form of a backup: one compressed tar whose last member is a manifest with the size and checksum of every other.

A backup that was cut short has no manifest, and one that was changed does not fit it, so neither is ever restored by half.
"""

import io
import re
import shutil
import tarfile
import zlib
from collections.abc import Iterable
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from xirtam_core.errors import XirtamError
from xirtam_server.config import StartFailed

MANIFEST: Final = "manifest.json"
_FORMAT: Final = 1
_ALLOWED: Final = re.compile(
    r"home\.db|directory\.db|server\.key|directory\.key|server\.name|fragments/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f-]{1,128}"
)


class BadBackup(XirtamError):
    """A backup that is cut short, changed, or not one."""


class Member(msgspec.Struct, frozen=True):
    """One file of a backup."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds."""

    format: int
    software: str
    created: str
    files: dict[str, Member]


class Writer:
    """Adds files to an archive that is open for writing."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._members: dict[str, Member] = {}

    def add(self, name: str, path: Path) -> None:
        """Adds the file at `path`, which nobody changes, under `name`; raises `OSError`, also where it is gone."""
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
            size = file.tell()
            file.seek(0)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = size, 0o600, int(path.stat().st_mtime)
            self._archive.addfile(entry, file)
        self._members[name] = Member(size, digest)

    def finish(self, software: str, created: str) -> Manifest:
        """Adds the manifest."""
        manifest = Manifest(_FORMAT, software, created, self._members)
        text = msgspec.json.format(msgspec.json.encode(manifest))
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(text), 0o600
        self._archive.addfile(entry, io.BytesIO(text))
        return manifest


def extract(file: Path, folder: Path) -> Manifest:
    """Puts a backup's files into `folder`, checked; raises `BadBackup` where anything does not fit."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            found = {entry.name: _extract_one(archive, entry, folder) for entry in archive}
    except FileNotFoundError:
        raise StartFailed(f"there is no file {file}") from None
    except (tarfile.TarError, OSError, EOFError, zlib.error) as fault:
        raise BadBackup(f"{file} could not be read as a backup ({fault}): nothing was restored") from None
    return _checked(file, folder, set(found))


def _extract_one(archive: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> None:
    content = archive.extractfile(entry) if entry.isreg() else None
    if content is None or not (entry.name == MANIFEST or _ALLOWED.fullmatch(entry.name)):
        raise BadBackup("the file holds what no backup of a server holds: nothing was restored")
    target = folder / PurePosixPath(entry.name)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with target.open("xb") as file:
        target.chmod(0o600)
        shutil.copyfileobj(content, file, 2**20)


def _checked(file: Path, folder: Path, names: Iterable[str]) -> Manifest:
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BadBackup(f"{file} was cut short, it has no manifest: take another copy of it") from None
    except msgspec.DecodeError:
        raise BadBackup(f"the manifest in {file} is damaged: take another copy of it") from None
    if manifest.format != _FORMAT:
        raise BadBackup(f"{file} was written by a newer xirtam-server: install that version to restore it")
    if set(manifest.files) != set(names) - {MANIFEST}:
        raise BadBackup(f"{file} does not hold what its manifest says: take another copy of it")
    for name, member in manifest.files.items():
        with (folder / name).open("rb") as content:
            if file_digest(content, "sha256").hexdigest() != member.sha256:
                raise BadBackup(f"{name} in {file} is damaged: take another copy of the backup")
    (folder / MANIFEST).unlink()
    return manifest
