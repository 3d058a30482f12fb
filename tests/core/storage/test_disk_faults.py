"""What a disk does wrong is said in words, and makes nothing worse."""

import os
import pwd
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xirtam_core.errors import Damaged, DiskFull, Locked, ReadOnly, StorageFault
from xirtam_core.names import Username
from xirtam_core.storage import counters
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import DatabaseKey

KEY = DatabaseKey(bytes(range(32)))
PAGE = 4096


def fill(database: Database, rows: int = 200) -> None:
    with database.transaction():
        for number in range(rows):
            database.execute("INSERT INTO settings VALUES (?, ?)", f"name {number}", "x" * 3000)


def test_a_full_disk_keeps_what_is_there_and_all_goes_on_once_there_is_room(tmp_path: Path) -> None:
    database = Database(tmp_path / "account.db", KEY)
    counters.set_to(database, "kept", 1)
    told: list[StorageFault | None] = []
    database.on_trouble = lambda: told.append(database.trouble)
    database.execute("PRAGMA max_page_count = 60")
    with pytest.raises(DiskFull, match="make room"):
        fill(database)
    assert counters.get(database, "kept") == 1
    assert database.row("SELECT count(*) FROM settings") == (0,)
    assert isinstance(database.trouble, DiskFull)
    database.execute("PRAGMA max_page_count = 100000")
    fill(database)
    assert database.trouble is None
    assert [type(each) for each in told] == [DiskFull, type(None)]
    database.close()


@contextmanager
def tiny_disk(place: Path, kilobytes: int) -> Generator[Path]:
    """A file system of its own; skips the test where none can be mounted."""
    place.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={kilobytes}k", "none")
    if os.geteuid() != 0 or subprocess.run(("mount", *options, place), capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(("umount", "-l", place), check=True)


def test_a_disk_that_really_is_full_is_said_to_be_and_loses_nothing(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 1200) as disk:
        database = Database(disk / "account.db", KEY)
        counters.set_to(database, "kept", 1)
        ballast = disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(bytes(2_000_000))
        with pytest.raises(DiskFull):
            fill(database, 40)
        database.close()
        again = Database(disk / "account.db", KEY)  # opens also while the disk is full
        assert counters.get(again, "kept") == 1
        ballast.unlink()
        fill(again, 40)
        again.close()


def test_files_of_another_user_are_said_to_be_read_only_and_are_not_changed(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user")
    path = tmp_path / "account.db"
    Database(path, KEY).close()
    before = path.read_bytes()
    path.chmod(0o444)
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    nobody = pwd.getpwnam("nobody").pw_uid
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:  # pragma: no cover
        os.setuid(nobody)
        try:
            Database(path, KEY)
            said = "opened"
        except ReadOnly as fault:
            said = f"ReadOnly: {fault}"
        except BaseException as fault:
            said = repr(fault)
        os.write(writer, said.encode())
        os._exit(0)
    os.waitpid(child, 0)
    said = os.read(reader, 10_000).decode()
    os.close(reader)
    os.close(writer)
    assert "ReadOnly: the account's files cannot be written to: nothing was changed" in said
    assert path.read_bytes() == before


def test_a_database_that_does_not_open_for_want_of_room_says_so(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 1200) as disk:
        Database(disk / "account.db", KEY).close()
        ballast = disk / "ballast"
        with pytest.raises(OSError, match="No space"):
            ballast.write_bytes(bytes(2_000_000))
        with pytest.raises(DiskFull, match="make room"):
            Database(disk / "account.db", KEY)
        ballast.unlink()
        Database(disk / "account.db", KEY).close()


def test_an_account_on_a_disk_that_is_mounted_read_only_is_said_to_be_read_only(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", 200) as disk:
        account = AccountDirectory(disk, Username("@alice"))
        account.create()
        subprocess.run(("mount", "-o", "remount,ro", disk), check=True)
        with pytest.raises(ReadOnly, match="mounted read-only"):
            account.lock()


def damage(path: Path, page: int) -> None:
    """Flips a bit in the middle of a page, counted from 0."""
    content = bytearray(path.read_bytes())
    content[page * PAGE + PAGE // 2] ^= 0x10
    path.write_bytes(content)


def test_a_damaged_first_page_and_a_wrong_key_are_both_named_as_they_look_alike(tmp_path: Path) -> None:
    path = tmp_path / "account.db"
    Database(path, KEY).close()
    with pytest.raises(Locked, match=r"mistyped, or the beginning of the file is damaged; nothing was changed.*backup"):
        Database(path, DatabaseKey(bytes(32)))
    damage(path, 0)
    before = path.read_bytes()
    with pytest.raises(Locked, match=r"damaged; nothing was changed.*backup"):
        Database(path, KEY)
    assert path.read_bytes() == before


def test_a_damaged_page_is_said_to_be_where_it_is_read_and_the_rest_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "account.db"
    database = Database(path, KEY)
    counters.set_to(database, "kept", 1)
    fill(database)
    database.close()
    damage(path, path.stat().st_size // PAGE - 20)
    database = Database(path, KEY)
    with pytest.raises(Damaged, match=r"xirtam export.*xirtam restore"):
        database.rows("SELECT * FROM settings")
    assert counters.get(database, "kept") == 1
    counters.set_to(database, "kept", 2)
    assert isinstance(database.trouble, Damaged), "a damage does not go by itself"
    database.close()
