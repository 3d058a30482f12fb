"""The key of an account's database, and where it is kept (spec: client.md, Storage).

Three ways: the operating system's keyring; a passphrase, stretched with Argon2id; a file that only its owner can read. The choice is
kept beside the database, in `key.json`, with what is needed to come back to the key and nothing secret.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from nacl.bindings import randombytes

from xirtam_core.codec.primitives import FixedBytes, base64url_decode, base64url_encode
from xirtam_core.errors import Locked, Malformed, PassphraseNeeded
from xirtam_core.settings import KeyPlace as KeyPlace

_KEYRING_SERVICE: Final = "xirtam"
_LONGEST_PASSPHRASE: Final = 4096
# RFC 9106's second choice: 64 MiB, three passes, four lanes; about a tenth of a second here.
_PASSES, _MEMORY_KIB, _LANES = 3, 65536, 4


class DatabaseKey(FixedBytes):
    """The raw key of a database: a secret."""

    __slots__ = ()
    size = 32

    def __repr__(self) -> str:
        return "DatabaseKey(secret)"


class KeyChoice(msgspec.Struct, frozen=True):
    """How to come by the key again. `label` is the keyring's entry; `salt` and the costs are for a passphrase."""

    place: KeyPlace
    label: str = ""
    salt: str = ""
    passes: int = _PASSES
    memory_kib: int = _MEMORY_KIB
    lanes: int = _LANES


def create_key(directory: Path, label: str, place: KeyPlace | None, passphrase: str | None) -> DatabaseKey:
    """Makes a key for the account in `directory` and keeps it as `place` says.

    Without a place it goes to the keyring if one works, else to a key file. Raises `Locked` when the place cannot keep it.
    """
    if place is None:
        place = KeyPlace.PASSPHRASE if passphrase is not None else _default_place()
    if place is KeyPlace.PASSPHRASE:
        choice = KeyChoice(place, salt=base64url_encode(randombytes(16)))
        key = _stretch(passphrase, choice)
    else:
        choice, key = KeyChoice(place, label=f"{label} {directory}"), DatabaseKey(randombytes(32))
        if place is KeyPlace.KEYRING:
            _keyring_store(choice.label, key)
        else:
            _write_private(directory / "key", base64url_encode(key).encode())
    _write_private(directory / "key.json", msgspec.json.encode(choice))
    return key


def find_key(directory: Path, passphrase: str | None) -> DatabaseKey:
    """The key of the account in `directory`; raises `Locked` with what is missing."""
    choice = key_choice(directory)
    match choice.place:
        case KeyPlace.PASSPHRASE:
            return _stretch(passphrase, choice)
        case KeyPlace.KEYRING:
            return _keyring_load(choice.label)
        case KeyPlace.FILE:
            try:
                return DatabaseKey(base64url_decode((directory / "key").read_text().strip()))
            except (OSError, Malformed):
                raise Locked(f"the key file {directory / 'key'} is missing or damaged: put it back") from None


def key_choice(directory: Path) -> KeyChoice:
    """How the account in `directory` keeps its key; raises `Locked` when that is not to be found."""
    try:
        return msgspec.json.decode((directory / "key.json").read_bytes(), type=KeyChoice)
    except (OSError, msgspec.DecodeError):
        raise Locked(f"{directory / 'key.json'} is missing or damaged: put it back") from None


def _stretch(passphrase: str | None, choice: KeyChoice) -> DatabaseKey:
    if not passphrase:
        raise PassphraseNeeded("this account is protected by a passphrase: give it with --passphrase-file")
    if len(passphrase) > _LONGEST_PASSPHRASE:
        raise Locked(f"a passphrase has at most {_LONGEST_PASSPHRASE} characters")
    from argon2.low_level import Type, hash_secret_raw

    raw = hash_secret_raw(
        passphrase.encode(),
        base64url_decode(choice.salt),
        time_cost=choice.passes,
        memory_cost=choice.memory_kib,
        parallelism=choice.lanes,
        hash_len=DatabaseKey.size,
        type=Type.ID,
    )
    return DatabaseKey(raw)


def _default_place() -> KeyPlace:
    return KeyPlace.KEYRING if keyring_works() else KeyPlace.FILE


def keyring_works() -> bool:
    """Whether the operating system's keyring keeps what it is given."""
    import keyring
    from keyring.errors import KeyringError

    try:
        probe = base64url_encode(randombytes(9))
        keyring.set_password(_KEYRING_SERVICE, "probe", probe)
        works = keyring.get_password(_KEYRING_SERVICE, "probe") == probe
        keyring.delete_password(_KEYRING_SERVICE, "probe")
    except (KeyringError, RuntimeError):
        return False
    return works


def _keyring_store(label: str, key: DatabaseKey) -> None:
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_KEYRING_SERVICE, label, base64url_encode(key))
    except (KeyringError, RuntimeError) as fault:
        raise Locked(f"the keyring does not keep the key ({fault}): choose a passphrase or a key file") from None


def _keyring_load(label: str) -> DatabaseKey:
    import keyring
    from keyring.errors import KeyringError

    try:
        text = keyring.get_password(_KEYRING_SERVICE, label)
    except (KeyringError, RuntimeError) as fault:
        raise Locked(f"the keyring does not open ({fault}): unlock it and try again") from None
    if text is None:
        raise Locked(f"the keyring has no key named {label!r}: is this the right user's session?")
    return DatabaseKey(base64url_decode(text))


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
