"""Changing an account's key: in every direction, and through a death at any instant."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.errors
import pytest

from xirtam_core.errors import DiskFull, Locked, PassphraseNeeded, StorageFault
from xirtam_core.settings import KeyPlace
from xirtam_core.storage import counters
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import create_key, key_choice
from xirtam_core.storage.unlocking import change_key, unlock

PLACES = tuple(KeyPlace)


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory: what an operating system's is to us."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get(username)

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop(username, None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def ring() -> Any:
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def passphrase_of(place: KeyPlace, words: str) -> str | None:
    return words if place is KeyPlace.PASSPHRASE else None


def account(directory: Path, place: KeyPlace) -> Database:
    key = create_key(directory, "@alice", place, passphrase_of(place, "first words"))
    database = Database(directory / "account.db", key)
    counters.set_to(database, "kept", 1)
    return database


@pytest.mark.parametrize("after", PLACES)
@pytest.mark.parametrize("before", PLACES)
def test_a_key_can_move_from_any_place_to_any_other_and_nothing_of_the_old_one_stays(
    before: KeyPlace, after: KeyPlace, tmp_path: Path, ring: Ring
) -> None:
    database = account(tmp_path, before)
    old_files = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("key")}
    old_entries = dict(ring.entries)
    change_key(database, tmp_path, after, passphrase_of(after, "second words"))
    counters.set_to(database, "after", 2)
    database.close()
    again = unlock(tmp_path, passphrase_of(after, "second words"))
    assert (counters.get(again, "kept"), counters.get(again, "after")) == (1, 2)
    again.close()
    choice = key_choice(tmp_path)
    assert (choice.place, choice.next, choice.former) == (after, None, None)
    assert len([path for path in tmp_path.iterdir() if path.name in ("key", "key-2")]) == (after is KeyPlace.FILE)
    assert len(ring.entries) == (after is KeyPlace.KEYRING)
    for place in tmp_path.iterdir():
        assert place.read_bytes() not in old_files.values()
    assert not set(old_entries.values()) & set(ring.entries.values())


def test_the_old_passphrase_opens_nothing_any_more(tmp_path: Path) -> None:
    database = account(tmp_path, KeyPlace.PASSPHRASE)
    change_key(database, tmp_path, KeyPlace.PASSPHRASE, "second words")
    database.close()
    with pytest.raises(Locked):
        unlock(tmp_path, "first words")
    with pytest.raises(PassphraseNeeded):
        unlock(tmp_path, None)
    unlock(tmp_path, "second words").close()


def test_a_place_that_cannot_keep_a_key_changes_nothing(tmp_path: Path) -> None:
    database = account(tmp_path, KeyPlace.FILE)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("key")}
    with pytest.raises(PassphraseNeeded):
        change_key(database, tmp_path, KeyPlace.PASSPHRASE, None)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("key")} == before
    database.close()
    unlock(tmp_path, None).close()


def test_a_disk_without_room_for_the_change_leaves_the_old_key_in_use(tmp_path: Path) -> None:
    database = account(tmp_path, KeyPlace.FILE)
    with database.transaction():
        for number in range(300):
            database.execute("INSERT INTO settings VALUES (?, ?)", f"name {number}", "x" * 3000)
    database.close()
    script = (
        "import resource, sys; from pathlib import Path; from xirtam_core.settings import KeyPlace\n"
        "from xirtam_core.storage.unlocking import change_key, unlock\n"
        "database = unlock(Path(sys.argv[1]), None)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))\n"
        "try: change_key(database, Path(sys.argv[1]), KeyPlace.FILE, None)\n"
        "except Exception as fault: print(type(fault).__name__)\n"
        "database.execute('PRAGMA user_version')\n"
    )
    ended = subprocess.run(
        (sys.executable, "-c", script, tmp_path), capture_output=True, text=True, cwd=Path(__file__).parents[3]
    )
    assert ended.stdout.strip() in (StorageFault.__name__, DiskFull.__name__), ended.stderr
    again = unlock(tmp_path, None)
    assert counters.get(again, "kept") == 1
    assert again.row("SELECT count(*) FROM settings") == (300,)
    assert key_choice(tmp_path).next is None
    again.close()


_DEATHS = Path(__file__).with_name("dying_while_the_key_changes.py")


_STRETCHED = [  # each opening takes its time
    pytest.param("file", "passphrase", marks=pytest.mark.slow),
    pytest.param("passphrase", "file", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("before", "after"), [("file", "file"), *_STRETCHED])
def test_a_process_that_dies_anywhere_in_the_change_leaves_an_account_that_opens(
    before: str, after: str, tmp_path: Path
) -> None:
    ended = subprocess.run(
        (sys.executable, _DEATHS, tmp_path, before, after),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["deaths"] > 20
    assert report["opened_with_old"] > 0
    assert report["opened_with_new"] > 0
