"""Encrypted backups, exports and the check of an account."""

import json
import stat
from pathlib import Path

import pytest

from tests.sim.people import two_people
from tests.sim.virtual_time import simulated
from tests.sim.world import SimDevice
from xirtam_core.clock import SystemClock
from xirtam_core.engine.open_account import restore
from xirtam_core.errors import AccountExists, Locked, NotFound, PassphraseNeeded, ReadOnly, Refused
from xirtam_core.settings import KeyPlace
from xirtam_core.storage import medium_keys, messages
from xirtam_core.storage.account_directory import accounts
from xirtam_core.storage.unlocking import unlock

BOBBYS = ("bobby.db", "bobby.db-shm", "bobby.db-wal")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def _with_history(alice: SimDevice, bobby: SimDevice) -> None:
    await alice.has_sent(await alice.write(bobby, "from alice"))
    await bobby.gets(alice, "from alice")
    await bobby.has_sent(await bobby.write(alice, "żółw from bobby"))
    await alice.gets(bobby, "żółw from bobby")


@simulated
async def test_a_backup_holds_the_whole_account_under_a_passphrase_of_its_own(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        alice, file = pair.alice, tmp_path / "alice.backup"
        await _with_history(alice, pair.bobby)
        await alice.write(pair.alice, "note")
        alice.engine.keeping.backup(str(file), "backup words")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert names(tmp_path) == ["alice.backup", "alice.db", "alice.db-shm", "alice.db-wal", *BOBBYS]
        content = file.read_bytes()
        for readable in (b"from alice", b"@bobby", b"SQLite", b"backup words"):
            assert readable not in content
        data_dir = tmp_path / "elsewhere"
        assert restore(data_dir, file, "backup words", KeyPlace.PASSPHRASE, "new words", SystemClock()) == "@alice"
        assert file.read_bytes() == content
        assert accounts(data_dir) == ["@alice"]
        assert names(data_dir) == ["accounts"]
        database = unlock(data_dir / "accounts" / "alice", "new words")
        assert {each.message.text for each in messages.search(database, "zolw", None, 2**62, 9)} == {"żółw from bobby"}
        for table in ("messages", "chats", "outbox", "peers", "mailboxes", "people", "servers"):
            rows = alice.database.rows(f"SELECT * FROM {table} ORDER BY 1")
            assert database.rows(f"SELECT * FROM {table} ORDER BY 1") == rows, table
        newest = medium_keys.newest(database)
        assert newest is not None
        assert newest.published_s is None, "it says something of its own first"
        assert database.row("PRAGMA user_version") == alice.database.row("PRAGMA user_version")
        database.close()


@simulated
async def test_a_backup_does_not_open_with_another_passphrase_and_nothing_is_left_of_the_attempt(
    tmp_path: Path,
) -> None:
    async with two_people(tmp_path) as pair:
        file, data_dir = tmp_path / "alice.backup", tmp_path / "elsewhere"
        pair.alice.engine.keeping.backup(str(file), "backup words")
        for wrong, error in (("other words", Locked), ("", PassphraseNeeded)):
            with pytest.raises(error) as refusal:
                restore(data_dir, file, wrong, KeyPlace.FILE, None, SystemClock())
            assert "xirtam restore" not in str(refusal.value)  # which is what somebody has just tried
        with pytest.raises(NotFound):
            restore(data_dir, tmp_path / "nothing", "backup words", KeyPlace.FILE, None, SystemClock())
        (tmp_path / "short").write_bytes(b"no backup")
        with pytest.raises(Locked, match="no backup"):
            restore(data_dir, tmp_path / "short", "backup words", KeyPlace.FILE, None, SystemClock())
        assert list(data_dir.iterdir()) == []
        restore(data_dir, file, "backup words", KeyPlace.FILE, None, SystemClock())
        with pytest.raises(AccountExists, match="nothing was changed"):
            restore(data_dir, file, "backup words", KeyPlace.FILE, None, SystemClock())


@simulated
async def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        file = tmp_path / "precious"
        file.write_text("mine")
        with pytest.raises(Refused, match="exists already"):
            pair.alice.engine.keeping.backup(str(file), "words")
        with pytest.raises(Refused, match="exists already"):
            await pair.alice.engine.keeping.export(str(file))
        assert file.read_text() == "mine"
        with pytest.raises(ReadOnly, match="choose another place"):
            pair.alice.engine.keeping.backup(str(tmp_path / "no" / "such" / "place"), "words")


@simulated
async def test_an_export_holds_messages_one_a_line(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _with_history(pair.alice, pair.bobby)
        await pair.alice.write(pair.alice, "a note")
        everything, one = tmp_path / "all.jsonl", tmp_path / "bobby.jsonl"
        assert await pair.alice.engine.keeping.export(str(everything)) == 3
        assert await pair.alice.engine.keeping.export(str(one), "@bobby") == 2
        lines = [json.loads(line) for line in everything.read_text().splitlines()]
        assert [(line["chat"], line["sender"], line["text"]) for line in lines] == [
            ("@bobby", "@alice", "from alice"),
            ("@bobby", "@bobby", "żółw from bobby"),
            ("@alice", "@alice", "a note"),
        ]
        assert stat.S_IMODE(everything.stat().st_mode) == 0o600
        with pytest.raises(NotFound):
            await pair.alice.engine.keeping.export(str(tmp_path / "none"), "@nobody")
        assert not (tmp_path / "none").exists()


@simulated
async def test_a_check_finds_nothing_in_a_whole_account_and_says_what_is_wrong_in_another(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _with_history(pair.alice, pair.bobby)
        pair.world.machine(pair.beach).stop()
        await pair.alice.write(pair.bobby, "waits")
        check = pair.alice.engine.keeping.check
        assert check() == []
        pair.alice.database.execute("DELETE FROM outbox")
        assert check() == ["a message waits to be sent and is not queued"]


@simulated
async def test_a_restored_device_publishes_a_key_of_its_own_and_is_written_to(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _with_history(pair.alice, pair.bobby)
        file = tmp_path / "alice.backup"
        pair.alice.engine.keeping.backup(str(file), "backup words")
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "after the backup"))
        await pair.alice.gets(pair.bobby, "żółw from bobby", "after the backup")
        before = pair.alice.published_key(pair.harbor)
        await pair.alice.crash()
        restore(tmp_path / "elsewhere", file, "backup words", KeyPlace.FILE, None, pair.world.clock)
        restored = unlock(tmp_path / "elsewhere" / "accounts" / "alice", None)
        pair.alice.path.unlink()
        restored.copy_to(pair.alice.path, bytes(range(32)).hex())
        restored.close()
        pair.alice.start()
        await pair.alice.gets(pair.bobby, "żółw from bobby", "after the backup")
        assert pair.alice.published_key(pair.harbor) != before
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "back again"))
        await pair.bobby.gets(pair.alice, "from alice", "back again")
