"""The operator's commands, as an operator runs them, beside a server that works and without one."""

import asyncio
import contextlib
import io
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.server_builders import (
    ENVIRONMENT,
    LIMIT_S,
    calling,
    command,
    fetch_all,
    post,
    server_process,
    text_of,
    until,
)
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.errors import Unreachable
from xirtam_server.cli import app
from xirtam_server.commands.check import problems
from xirtam_server.config import ServerConfig


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*flags), capture_output=True, text=True, env=ENVIRONMENT, timeout=2 * LIMIT_S, check=False
    )


def lines(ended: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


def refused(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line, status 1, that says `words`."""
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert all(word in ended.stderr for word in words)


@contextlib.contextmanager
def database(path: Path) -> Generator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        yield db


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a server that ran: never to be changed, but copied."""
    place = tmp_path_factory.mktemp("used") / "data"

    async def use() -> None:
        with server_process(place, "--name", "~harbor") as server:
            device, _ = await server.new_account("alice")
            async with calling(server.urls["http"]) as home:
                await post(home, device.username, "kept")
                await post(home, device.username, "short", ttl=1)
            assert server.end() == 0

    asyncio.run(use())
    return place


@pytest.fixture(scope="module")
def backed_up(used: Path) -> Path:
    """A backup of it."""
    file = used.parent / "backup.tar.gz"
    assert run("backup", "--data-dir", str(used), str(file)).returncode == 0
    return file


@pytest.fixture
def place(used: Path, tmp_path: Path) -> Path:
    """A data directory to do with as a test likes."""
    return shutil.copytree(used, tmp_path / "data")


async def test_a_backup_under_load_restores_to_all_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    acknowledged: dict[int, str] = {}
    is_over = asyncio.Event()

    async def write(url: str, name: str, number: int) -> None:
        async with calling(url) as home:
            while not is_over.is_set():
                text = f"{number}/{len(acknowledged)}"
                with contextlib.suppress(Unreachable):
                    acknowledged[await post(home, device.username, text)] = text

    with server_process(tmp_path / "data", "--tcp-port", "0") as server:
        device, token = await server.new_account("alice")
        writers = [asyncio.create_task(write(server.urls["tcp"], device.username, number)) for number in range(4)]
        await until(lambda: len(acknowledged) > 200)
        before = dict(acknowledged)
        backup = tmp_path / "backup.tar.gz"
        done = await asyncio.to_thread(run, "backup", "--json", "--data-dir", str(tmp_path / "data"), str(backup))
        assert lines(done)[0]["event"] == "backed-up"
        assert len(acknowledged) > len(before), "sending went on"
        is_over.set()
        await asyncio.gather(*writers)
        name, key = server.name, server.ready["directory_pk"]
        assert server.end() == 0

    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    restored = run("restore", "--json", "--data-dir", str(tmp_path / "new"), str(backup))
    assert lines(restored)[0]["event"] == "restored"
    assert run("check", "--data-dir", str(tmp_path / "new")).returncode == 0
    with server_process(tmp_path / "new", "--tcp-port", "0") as server:
        assert (server.name, server.ready["directory_pk"]) == (name, key)
        async with calling(server.urls["tcp"]) as home:
            found = {entry.received_at: text_of(entry) for entry in await fetch_all(home, token, device.username)}
            assert before.items() <= found.items()
            assert await post(home, device.username, "later") > max(found)


def test_a_backup_holds_what_the_manifest_says_and_overwrites_nothing(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    assert "keep it safe" in run("backup", "--data-dir", str(place), str(file)).stdout
    with tarfile.open(file) as archive:
        assert sorted(archive.getnames()) == [
            "directory.db",
            "directory.key",
            "home.db",
            "manifest.json",
            "server.key",
            "server.name",
        ]
        assert {entry.mode for entry in archive} == {0o600}
    assert {left.name for left in tmp_path.iterdir()} == {"data", "backup.tar.gz"}
    before = file.read_bytes()
    refused(run("backup", "--data-dir", str(place), str(file)), "there already")
    assert file.read_bytes() == before
    refused(run("backup", "--data-dir", str(tmp_path / "nothing"), str(tmp_path / "c")), "no server")
    refused(run("backup", "--data-dir", str(place), str(tmp_path / "no" / "folder")), "could not be made")


def test_fragments_are_backed_up_with_those_that_count(place: Path, tmp_path: Path) -> None:
    body = f"{'ab' * 32}-{'0' * 16}"
    folder = place / "fragments" / body[:2] / body[2:4]
    folder.mkdir(parents=True)
    (folder / body).write_bytes(b"bytes")
    (folder / f"{'ab' * 32}-{'1' * 16}").write_bytes(b"of an upload that never ended")
    with database(place / "home.db") as db:
        db.execute("INSERT INTO fragment VALUES (?, ?, 5, ?)", (bytes(32), body, 2**63 - 1))
        db.execute("INSERT INTO fragment VALUES (?, 'removed', 5, 1)", (bytes(31) + b"x",))
    assert run("backup", "--data-dir", str(place), str(tmp_path / "c")).returncode == 0
    assert run("restore", "--data-dir", str(tmp_path / "new"), str(tmp_path / "c")).returncode == 0
    kept = [path.name for path in (tmp_path / "new" / "fragments").rglob("*") if path.is_file()]
    assert kept == [body]
    assert run("check", "--data-dir", str(tmp_path / "new")).returncode == 0
    assert lines(run("stats", "--json", "--data-dir", str(tmp_path / "new")))[0]["fragments"] == 1


def test_a_restore_touches_no_place_that_is_used(place: Path, backed_up: Path, tmp_path: Path) -> None:
    refused(run("restore", "--data-dir", str(place), str(backed_up)), "not empty")
    refused(run("restore", "--data-dir", str(tmp_path / "e"), str(tmp_path / "missing")), "no file")


@pytest.mark.parametrize("damage", ["cut", "changed", "strange", "nonsense"])
def test_a_damaged_backup_is_not_restored(backed_up: Path, tmp_path: Path, damage: str) -> None:
    bad = tmp_path / "bad.tar.gz"
    with tarfile.open(backed_up) as source, tarfile.open(bad, "w:gz") as target:
        for entry in source:
            if damage == "cut" and entry.name == "manifest.json":
                continue
            content = source.extractfile(entry)
            if damage == "changed" and entry.name == "server.name":
                entry.size, content = 8, io.BytesIO(b"~hostile")
            target.addfile(entry, content)
        if damage == "strange":
            target.addfile(tarfile.TarInfo("../../escaped"))
    if damage == "nonsense":
        whole = bad.read_bytes()
        bad.write_bytes(whole[: len(whole) // 2])
    refused(run("restore", "--data-dir", str(tmp_path / "new"), str(bad)))
    assert [left.name for left in (tmp_path / "new").iterdir()] == ["lock"]
    assert not (tmp_path.parent / "escaped").exists()


async def test_check_finds_nothing_wrong_with_a_server_that_works(tmp_path: Path) -> None:
    with server_process(tmp_path / "data") as server:
        device, _ = await server.new_account("alice")
        async with calling(server.urls["http"]) as home:
            await post(home, device.username, "hello")
        found = await asyncio.to_thread(run, "check", "--json", "--data-dir", str(tmp_path / "data"))
        assert (found.returncode, lines(found)) == (0, [{"event": "checked", "problems": 0}])


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE mailbox SET entries = 7", "count other entries"),
        ("UPDATE mailbox SET last = 1", "after what they call their last"),
        ("DELETE FROM account", "belong to no account"),
        ("PRAGMA user_version = 999", "newer"),
        (f"INSERT INTO fragment VALUES (x'00', '{'c' * 64}', 5, 9223372036854775807)", "missing or cut short"),
    ],
)
def test_check_says_what_is_wrong_with_mailboxes_and_what_to_do(place: Path, sql: str, says: str) -> None:
    (place / "fragments").mkdir(mode=0o700, exist_ok=True)
    with database(place / "home.db") as db:
        db.execute(sql)
    (problem,) = problems(ServerConfig(data_dir=place))
    assert says in problem.what
    assert problem.advice


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE header SET hash = zeroblob(32) WHERE height = 1", "breaks off at height 1"),
        ("UPDATE header SET body = x'00' WHERE height = 1", "cannot be read"),
        ("DELETE FROM header WHERE height = (SELECT max(height) FROM header)", "tree is not the one"),
        ("UPDATE name SET updates = updates + 1 WHERE name = '~harbor'", "1 names count"),
        ("UPDATE identity SET directory_pk = zeroblob(32)", "another signing key"),
    ],
)
def test_check_says_what_is_wrong_with_a_directory(place: Path, sql: str, says: str) -> None:
    with database(place / "directory.db") as db:
        db.execute(sql)
    (problem,) = problems(ServerConfig(data_dir=place))
    assert says in problem.what
    assert problem.advice


def test_check_looks_at_keys_permissions_and_damaged_files(place: Path) -> None:
    (place / "server.key").chmod(0o644)
    (place / "directory.key").unlink()
    content = (place / "home.db").read_bytes()
    (place / "home.db").write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    found = run("check", "--data-dir", str(place))
    assert found.returncode == 1
    problem, *_, last = lines(run("check", "--json", "--data-dir", str(place)))
    assert list(problem) == ["event", "what", "advice"]
    assert last["problems"] >= 3
    assert "server.key can be read by other users" in found.stdout
    assert "directory.key is missing" in found.stdout
    assert "home.db" in found.stdout
    refused(run("check", "--data-dir", str(place / "nothing")), "no data")


def test_stats_are_numbers_for_people_and_for_programs(place: Path, tmp_path: Path) -> None:
    numbers = lines(run("stats", "--json", "--data-dir", str(place)))[0]
    assert (numbers["event"], numbers["accounts"], numbers["entries"], numbers["invites"]) == ("stats", 1, 2, 0)
    assert "1  accounts" in run("stats", "--data-dir", str(place)).stdout
    refused(run("stats", "--data-dir", str(tmp_path / "nothing")), "no home server")
    as_json = run("stats", "--json", "--data-dir", str(tmp_path / "nothing"))
    assert (as_json.returncode, lines(as_json)[0]["event"], as_json.stderr) == (1, "error", "")


async def test_an_invite_is_kept_as_a_hash_while_the_server_runs(tmp_path: Path) -> None:
    with server_process(tmp_path / "data"):
        made = await asyncio.to_thread(
            run, "token", "--json", "--uses", "3", "--days", "2", "--data-dir", str(tmp_path / "data")
        )
        said = lines(made)[0]
        assert (said["event"], said["uses"], said["days"]) == ("token", 3, 2)
        with database(tmp_path / "data" / "home.db") as db:
            kept = db.execute("SELECT token_hash, uses FROM invite").fetchall()
        assert kept == [(bytes(token_hash(AuthToken.from_text(said["token"]))), 3)]
    assert run("token", "--uses", "0", "--data-dir", str(tmp_path / "data")).returncode == 2


async def test_purge_removes_what_has_expired_from_a_server_that_is_stopped(place: Path) -> None:
    with server_process(place):
        refused(await asyncio.to_thread(run, "purge", "--data-dir", str(place)), "running")

    def purged() -> bool:
        return lines(run("purge", "--json", "--data-dir", str(place)))[0]["entries"] == 1

    await until(purged)
    assert lines(run("stats", "--json", "--data-dir", str(place)))[0]["entries"] == 1
    file = place.parent / "strict.toml"
    file.write_text("[limits.home]\nmax_ttl_s = 1\n")
    await until(
        lambda: lines(run("purge", "--json", "--data-dir", str(place), "--config", str(file)))[0]["entries"] == 1
    )
    assert run("check", "--data-dir", str(place)).returncode == 0


@pytest.mark.parametrize(
    "name", ["check", "backup", "restore", "stats", "token", "purge", "init", "register-name", "home"]
)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.output
