"""An account on the disk: one process at a time, nothing to read without its key, and nothing changed by a wrong one."""

import os
import stat
from pathlib import Path

import pytest

from tests import builders
from tests.sim.directory import DIRECTORY_SECRET
from xirtam_core.chat import SendState
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto import signing
from xirtam_core.errors import InUse, Locked, NotFound
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import chats, journal, medium_keys, messages
from xirtam_core.storage.account import Account
from xirtam_core.storage.account_directory import AccountDirectory, accounts
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import DatabaseKey, KeyPlace, create_key, key_choice, load_key

ALICE = Username("@alice")


def _account() -> Account:
    keys = builders.account("alice")
    link = JoinLink(("http://127.0.0.1:1",), signing.public_of(DIRECTORY_SECRET))
    return Account(
        ALICE, ServerName("~harbor"), link, keys.secret, keys.chain, AuthToken(b"t" * 20), is_registered=True
    )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_two_processes_cannot_open_one_account(tmp_path: Path) -> None:
    place, again = AccountDirectory(tmp_path, ALICE), AccountDirectory(tmp_path, ALICE)
    place.create()
    place.lock()
    with pytest.raises(InUse):
        again.lock()
    place.unlock()
    again.lock()
    again.unlock()


def test_an_account_that_is_not_here_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        AccountDirectory(tmp_path, ALICE).lock()
    assert list(tmp_path.iterdir()) == []


def test_only_finished_accounts_are_listed(tmp_path: Path) -> None:
    for name in ("@alice", "@bobby"):
        AccountDirectory(tmp_path, Username(name)).create()
    AccountDirectory(tmp_path, ALICE).mark_complete()
    (tmp_path / "accounts" / "no!").mkdir()
    (tmp_path / "accounts" / "no!" / "complete").touch()
    assert accounts(tmp_path) == [ALICE]


def test_a_wrong_passphrase_opens_nothing_and_changes_nothing(tmp_path: Path) -> None:
    key = create_key(tmp_path, "@alice", KeyPlace.PASSPHRASE, "correct horse")
    path = tmp_path / "account.db"
    Database(path, key).close()
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    for wrong in ("battery staple", "correct horse ", ""):
        with pytest.raises(Locked):
            Database(path, load_key(tmp_path, key_choice(tmp_path), wrong))
    with pytest.raises(Locked):
        load_key(tmp_path, key_choice(tmp_path), None)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
    Database(path, load_key(tmp_path, key_choice(tmp_path), "correct horse")).close()


def test_a_key_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        place = AccountDirectory(tmp_path, ALICE)
        place.create()
        key = create_key(place.path, "@alice", KeyPlace.FILE, None)
        Database(place.database, key).close()
    finally:
        os.umask(old)
    assert _mode(place.path) == 0o700
    assert {each.name: _mode(each) for each in place.path.iterdir()} == dict.fromkeys(
        ("key", "key.json", "account.db"), 0o600
    )
    assert load_key(place.path, key_choice(place.path), None) == key


def test_a_key_file_that_is_missing_or_damaged_is_said_to_be(tmp_path: Path) -> None:
    create_key(tmp_path, "@alice", KeyPlace.FILE, None)
    (tmp_path / "key").write_text("not a key")
    with pytest.raises(Locked, match="damaged"):
        load_key(tmp_path, key_choice(tmp_path), None)
    (tmp_path / "key.json").write_text("{")
    with pytest.raises(Locked, match=r"key\.json"):
        key_choice(tmp_path)


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    key = DatabaseKey(bytes(32))
    database = Database(tmp_path / "account.db", key)
    database.execute("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(Locked, match="newer"):
        Database(tmp_path / "account.db", key)


def test_nothing_secret_can_be_read_from_the_files(tmp_path: Path) -> None:
    key = create_key(tmp_path, "@alice", KeyPlace.PASSPHRASE, "correct horse")
    database = Database(tmp_path / "account.db", key)
    account = _account()
    stored_account.create(database, account)
    stored_account.store_token(database, account.token or AuthToken(bytes(20)))
    medium = medium_keys.add(database, builders.NOW_S)
    chats.open_chat(database, Username("@bobby"), 1)
    event = builders.text_event(Username("@bobby"), "the treasure is under the tree")
    messages.insert(
        database, "@bobby", ALICE, event, event.hash(), is_mine=True, received_at_ns=None, position_ns=1, state=SendState.QUEUED,
    )  # fmt: skip
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}  # the write-ahead log among them
    database.close()
    files |= {f"{path.name} closed": path.read_bytes() for path in tmp_path.iterdir()}
    secrets = (
        bytes(key), key.hex().encode(), b"correct horse", bytes(account.device_secret), bytes(medium.secret), b"t" * 20,
        b"treasure", b"@bobby", b"@alice", b"~harbor", b"SQLite format 3", b"CREATE TABLE",
    )  # fmt: skip
    assert "account.db-wal" in files
    for name, content in files.items():
        for secret in secrets:
            assert secret not in content, f"{secret!r} can be read in {name}"


def test_a_secret_that_was_destroyed_is_gone_from_every_page_of_the_files(tmp_path: Path) -> None:
    key = DatabaseKey(bytes(32))
    database = Database(tmp_path / "account.db", key)
    journal.follow(database, journal.Place(ServerName("~harbor"), Hash(bytes(32))))
    for age_s in (9000, 5000):
        secret = medium_keys.add(database, builders.NOW_S - age_s)
        medium_keys.mark_published(database, secret, builders.NOW_S - age_s)
    journal.mark_drained(database, journal.Place(ServerName("~harbor"), Hash(bytes(32))), builders.NOW_S)
    assert medium_keys.destroy_spent(database, builders.NOW_S) == 1
    assert database.rows("PRAGMA secure_delete") == [(1,)]
    assert (tmp_path / "account.db-wal").stat().st_size == 0, "nor does the log still have it"
    assert len(medium_keys.openers(database)) == 1
    database.close()


def test_secrets_show_nothing_of_themselves(tmp_path: Path) -> None:
    key = create_key(tmp_path, "@alice", KeyPlace.FILE, None)
    database = Database(tmp_path / "account.db", key)
    account, medium = _account(), medium_keys.add(database, builders.NOW_S)
    database.close()
    for value in (key, account, medium, account.token, account.device_secret):
        for shown in (repr(value), str(value), f"{value}"):
            for secret in (key, account.device_secret, medium.secret, account.token):
                assert secret is not None
                assert bytes(secret).hex() not in shown
                assert secret.text() not in shown
                assert repr(bytes(secret)) not in shown
