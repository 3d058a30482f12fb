"""The key of an account's database, and where it is kept (spec: client.md, Storage).

Three ways: the operating system's keyring; a passphrase, stretched with Argon2id; a file that only its owner can read. The choice is
kept beside the database, in `key.json`, with what is needed to come back to the key and nothing secret.

While a key is being changed, `key.json` names the next one too; see unlocking.py.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from nacl.bindings import randombytes

from xirtam_core.codec.primitives import FixedBytes, base64url_decode, base64url_encode
from xirtam_core.errors import Locked, Malformed, PassphraseNeeded
from xirtam_core.settings import KeyPlace as KeyPlace
from xirtam_core.storage import keyring_entries

_LONGEST_PASSPHRASE: Final = 4096
# RFC 9106's second choice: 64 MiB, three passes, four lanes; about a tenth of a second here.
_PASSES, _MEMORY_KIB, _LANES = 3, 65536, 4
_FILES: Final = ("key", "key-2")
_AGAIN: Final = " 2"
SALT_SIZE: Final = 16


class DatabaseKey(FixedBytes):
    """The raw key of a database: a secret."""

    __slots__ = ()
    size = 32

    def __repr__(self) -> str:
        return "DatabaseKey(secret)"


class KeyChoice(msgspec.Struct, frozen=True):
    """How to come by the key again. `label` is the keyring's entry, `file` the key file; `salt` and the costs are for a passphrase.

    `next` is the key that is about to take this one's place, `former` one that is still to be forgotten.
    """

    place: KeyPlace
    label: str = ""
    salt: str = ""
    passes: int = _PASSES
    memory_kib: int = _MEMORY_KIB
    lanes: int = _LANES
    file: str = _FILES[0]
    next: "KeyChoice | None" = None
    former: "KeyChoice | None" = None

    def alone(self) -> "KeyChoice":
        """The same, with no other key beside it."""
        return msgspec.structs.replace(self, next=None, former=None)


def create_key(directory: Path, label: str, place: KeyPlace | None, passphrase: str | None) -> DatabaseKey:
    """Makes a key for the account in `directory` and keeps it as `place` says.

    Without a place it goes to the keyring if one works, else to a key file. Raises `Locked` when the place cannot keep it.
    """
    if place is None:
        place = KeyPlace.PASSPHRASE if passphrase is not None else _default_place()
    choice, key = _kept(directory, KeyChoice(place, label=f"{label} {directory}"), passphrase)
    note_choice(directory, choice)
    return key


def next_key(
    directory: Path, present: KeyChoice, place: KeyPlace, passphrase: str | None
) -> tuple[KeyChoice, DatabaseKey]:
    """Makes and keeps another key beside the present one; `key.json` does not name it yet. Raises `Locked`."""
    label, file = f"@{directory.name} {directory}", _FILES[0]
    if present.place is KeyPlace.KEYRING and present.label == label:
        label += _AGAIN
    if present.place is KeyPlace.FILE and present.file == file:
        file = _FILES[1]
    return _kept(directory, KeyChoice(place, label=label, file=file), passphrase)


def _kept(directory: Path, choice: KeyChoice, passphrase: str | None) -> tuple[KeyChoice, DatabaseKey]:
    if choice.place is KeyPlace.PASSPHRASE:
        choice = msgspec.structs.replace(choice, label="", salt=base64url_encode(randombytes(SALT_SIZE)))
        return choice, load_key(directory, choice, passphrase)
    key = DatabaseKey(randombytes(DatabaseKey.size))
    if choice.place is KeyPlace.KEYRING:
        keyring_entries.store(choice.label, base64url_encode(key))
    else:
        _write_private(directory / choice.file, base64url_encode(key).encode())
    return choice, key


def load_key(directory: Path, choice: KeyChoice, passphrase: str | None) -> DatabaseKey:
    """The key that `choice` describes; raises `Locked` with what is missing."""
    match choice.place:
        case KeyPlace.PASSPHRASE:
            return stretched(passphrase, base64url_decode(choice.salt), choice)
        case KeyPlace.KEYRING:
            return DatabaseKey(base64url_decode(keyring_entries.load(choice.label)))
        case KeyPlace.FILE:
            path = directory / Path(choice.file).name
            try:
                return DatabaseKey(base64url_decode(path.read_text().strip()))
            except (OSError, Malformed):
                raise Locked(f"the key file {path} is missing or damaged: put it back") from None


def forget_key(directory: Path, choice: KeyChoice) -> None:
    """Removes what was kept of a key."""
    if choice.place is KeyPlace.KEYRING:
        keyring_entries.forget(choice.label)
    elif choice.place is KeyPlace.FILE:
        (directory / Path(choice.file).name).unlink(missing_ok=True)


def key_choice(directory: Path) -> KeyChoice:
    """How the account in `directory` keeps its key; raises `Locked` when that is not to be found."""
    try:
        return msgspec.json.decode((directory / "key.json").read_bytes(), type=KeyChoice)
    except (OSError, msgspec.DecodeError):
        raise Locked(f"{directory / 'key.json'} is missing or damaged: put it back") from None


def note_choice(directory: Path, choice: KeyChoice) -> None:
    """Replaces `key.json`: whatever happens, the old or the new one is there."""
    _write_private(directory / "key.json", msgspec.json.encode(choice))


def stretched(passphrase: str | None, salt: bytes, costs: KeyChoice) -> DatabaseKey:
    """The key that a passphrase comes to; raises `PassphraseNeeded` without one."""
    if not passphrase:
        raise PassphraseNeeded("this account is protected by a passphrase: give it with --passphrase-file")
    if len(passphrase) > _LONGEST_PASSPHRASE:
        raise Locked(f"a passphrase has at most {_LONGEST_PASSPHRASE} characters")
    from argon2.low_level import Type, hash_secret_raw

    raw = hash_secret_raw(
        passphrase.encode(),
        salt,
        time_cost=costs.passes,
        memory_cost=costs.memory_kib,
        parallelism=costs.lanes,
        hash_len=DatabaseKey.size,
        type=Type.ID,
    )
    return DatabaseKey(raw)


def _default_place() -> KeyPlace:
    return KeyPlace.KEYRING if keyring_entries.works() else KeyPlace.FILE


def _write_private(path: Path, content: bytes) -> None:
    """Puts a file for its owner alone in place at once, flushed."""
    fresh = path.with_name(f".{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    flush_directory(path.parent)


def flush_directory(directory: Path) -> None:
    """Makes the names in a directory as durable as the files."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
