"""Encrypted copies of a whole account, each one file.

A backup is an account's database under another key, which Argon2id makes of a passphrase. Its salt is the first 16 bytes of the file,
where SQLCipher keeps the salt of every database; the costs are those of RFC 9106's second choice. So one file and the passphrase are
all that it takes, and nothing in it can be read without.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from nacl.bindings import randombytes

from xirtam_core.errors import Locked, NotFound, PassphraseNeeded
from xirtam_core.settings import KeyPlace
from xirtam_core.storage import medium_keys
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import SALT_SIZE, DatabaseKey, KeyChoice, stretched
from xirtam_core.storage.new_files import new_file

_COSTS = KeyChoice(KeyPlace.PASSPHRASE, passes=3, memory_kib=65536, lanes=4)


def write(database: Database, path: Path, passphrase: str) -> None:
    """Writes a backup to the new file at `path`; raises `Refused`, `Locked` for an empty passphrase, and `StorageFault`."""
    salt = randombytes(SALT_SIZE)
    key = _key(passphrase, salt)
    with new_file(path) as part:
        database.copy_to(part, key.hex() + salt.hex())


@contextmanager
def opened(path: Path, passphrase: str, scratch: Path) -> Generator[Database]:
    """A backup's content, to be read; the file itself is not touched. `scratch` is a folder for a copy, which is gone at the end.

    Raises `NotFound`, `Locked` for another passphrase or another kind of file, and `StorageFault`.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    with path.open("rb") as file:
        salt = file.read(SALT_SIZE)
    key = _key(passphrase, salt.ljust(SALT_SIZE, b"\0"))
    copy = scratch / ".restoring.db"
    try:
        with new_file(copy) as part:
            shutil.copyfile(path, part)
        try:
            backup = Database(copy, key)
        except Locked:
            raise Locked(f"{path} does not open: the passphrase is another, or it is no backup, or damaged") from None
        try:
            yield backup
        finally:
            backup.close()
    finally:
        for suffix in ("", "-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def unpack(backup: Database, target: Path, key: DatabaseKey, now_s: int) -> None:
    """Makes the account's database at `target`, under `key`.

    The device may have gone on after it was backed up, so the copy begins with a medium-term key of its own, to be published first.
    """
    with new_file(target) as part:
        backup.copy_to(part, key.hex())
    database = Database(target, key)
    try:
        medium_keys.add(database, now_s)
    finally:
        database.close()


def _key(passphrase: str, salt: bytes) -> DatabaseKey:
    if not passphrase:
        raise PassphraseNeeded("a backup needs a passphrase: give it in a file with --passphrase-file")
    return stretched(passphrase, salt, _COSTS)
