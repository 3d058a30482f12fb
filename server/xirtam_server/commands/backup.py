"""`backup`: everything a server needs to come back, in one file, taken while it runs.

Each database is copied as it stands at one moment, by SQLite's own backup, which holds up no writer. The home server's comes first, so
that the directory of a backup is never older than the mailboxes. The bytes of fragments are there before the database knows of them,
so they are copied last; what was removed in between is taken out of the copy.
"""

import contextlib
import os
import sqlite3
import tarfile
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from xirtam_server.commands.archive import Manifest, Writer
from xirtam_server.config import FRAGMENTS, HOME_DATABASE, ServerConfig, StartFailed
from xirtam_server.data_dir import DIRECTORY_DATABASE, flush_folder
from xirtam_server.identity import DIRECTORY_KEY, NAME_FILE, SERVER_KEY
from xirtam_server.storage.bodies.files import fragment_path


def back_up(config: ServerConfig, target: Path) -> Manifest:
    """Writes the backup to `target`, which must not exist; raises `StartFailed`. It is all there, or not at all."""
    place = config.place
    if not any((place / name).exists() for name in (HOME_DATABASE, DIRECTORY_DATABASE, SERVER_KEY, DIRECTORY_KEY)):
        raise StartFailed(f"no server has its data in {place}: name the place with --data-dir or --config")
    if target.exists():
        raise StartFailed(f"{target} is there already, and was left as it is: name another file")
    try:
        return _write(config, place, target)
    except (OSError, sqlite3.Error) as fault:
        raise StartFailed(f"the backup could not be made, and nothing was left behind: {fault}") from None


def _write(config: ServerConfig, place: Path, target: Path) -> Manifest:
    # Beside the target, where there is room for a backup.
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".xirtam-backup-") as folder:
        draft = Path(folder) / "backup"
        with (
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive,
        ):
            writer = Writer(archive)
            _add_keys(writer, config, place)
            _add_databases(writer, config, Path(folder))
            manifest = writer.finish(f"xirtam {version('xirtam')}", datetime.now(UTC).isoformat(timespec="seconds"))
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.rename(target)
        flush_folder(target.absolute().parent)
        return manifest


def _add_keys(writer: Writer, config: ServerConfig, place: Path) -> None:
    for name, elsewhere in (SERVER_KEY, config.keys.server), (DIRECTORY_KEY, config.keys.directory), (NAME_FILE, None):
        with contextlib.suppress(FileNotFoundError):
            writer.add(name, elsewhere or place / name)


def _add_databases(writer: Writer, config: ServerConfig, folder: Path) -> None:
    places = {HOME_DATABASE: config.home_database, DIRECTORY_DATABASE: config.place / DIRECTORY_DATABASE}
    there = {name: path for name, path in places.items() if path is not None and path.exists()}
    for name, path in there.items():
        _copy(path, folder / name)
    fragments = config.fragments_folder
    if fragments is not None and fragments.is_dir():  # else there are none, or an object store has backups of its own
        if HOME_DATABASE in there:
            _add_fragments(writer, folder / HOME_DATABASE, fragments)
        elif config.home_database is None:
            _add_all_fragments(writer, fragments)
    for name in there:
        writer.add(name, folder / name)


def _copy(database: Path, copy: Path) -> None:
    """The database as it is at one moment: in one step, else a busy writer would make it start over and over."""
    with (
        contextlib.closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.execute("PRAGMA busy_timeout = 5000")
        source.backup(target, pages=-1)
        target.execute("PRAGMA journal_mode = DELETE")


def _add_all_fragments(writer: Writer, folder: Path) -> None:
    """Those of a database that is dumped apart: what it does not know is swept one day."""
    for path in sorted(path for path in folder.glob("??/??/*") if path.is_file()):
        with contextlib.suppress(FileNotFoundError):
            writer.add(f"{FRAGMENTS}/{path.relative_to(folder).as_posix()}", path)


def _add_fragments(writer: Writer, home: Path, fragments: Path) -> None:
    with contextlib.closing(sqlite3.connect(home, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = ON")
        for (body,) in db.execute("SELECT body FROM fragment").fetchall():
            try:
                writer.add(f"{FRAGMENTS}/{body[:2]}/{body[2:4]}/{body}", fragment_path(fragments, body))
            except FileNotFoundError:
                db.execute("DELETE FROM fragment WHERE body = ?", (body,))
