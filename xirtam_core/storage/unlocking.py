"""Opening an account's database with its key, and changing that key so that a crash at any instant leaves one that opens it.

The next key is kept beside the present one, and `key.json` names both, before anything is encrypted with it. Then the database changes
over in one transaction; then `key.json` names the next key alone. Whoever opens the account in between tries the one and then the
other, and settles on what opened. What is left of the other key goes last, and is noted until it has gone.
"""

from pathlib import Path

import msgspec

from xirtam_core.errors import Damaged, Locked, PassphraseNeeded, StorageFault
from xirtam_core.settings import KeyPlace
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import KeyChoice, forget_key, key_choice, load_key, next_key, note_choice

_NAME = "account.db"


def unlock(directory: Path, passphrase: str | None) -> Database:
    """The database of the account in `directory`, which must be there; raises `Locked` with what is missing, and `StorageFault`."""
    choice, path = key_choice(directory), directory / _NAME
    if not path.exists():
        raise Damaged(f"{path} is missing: put it back, or restore a backup (xirtam restore) in another data directory")
    present = choice.alone()
    if choice.next is None:
        database = Database(path, load_key(directory, present, passphrase))
        if choice.former is not None:
            _settle(directory, present, choice.former)
        return database
    refusals: list[Locked] = []
    for kept, dropped in ((present, choice.next), (choice.next, present)):
        try:
            database = Database(path, load_key(directory, kept, passphrase))
        except Locked as refusal:
            refusals.append(refusal)
        else:
            _settle(directory, kept, dropped)
            return database
    raise next((each for each in refusals if isinstance(each, PassphraseNeeded)), refusals[0])


def change_key(database: Database, directory: Path, place: KeyPlace, passphrase: str | None) -> None:
    """Encrypts an open database anew with a key from `place`; raises `Locked` or `StorageFault`, and the present key stays."""
    present = key_choice(directory).alone()
    following, key = next_key(directory, present, place, passphrase)
    note_choice(directory, msgspec.structs.replace(present, next=following))
    try:
        database.encrypt_anew(key)
    except StorageFault:
        _settle(directory, present, following)
        raise
    _settle(directory, following, present)


def _settle(directory: Path, kept: KeyChoice, dropped: KeyChoice) -> None:
    note_choice(directory, msgspec.structs.replace(kept, former=dropped))
    forget_key(directory, dropped)
    note_choice(directory, kept)
