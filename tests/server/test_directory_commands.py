"""A directory's log as others look after it: mirrors, audits and monitors, each in a process of its own."""

import contextlib
import json
import signal
import sqlite3
import subprocess
import threading
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from tests.builders import account
from tests.server_builders import ENVIRONMENT, LIMIT_S, command, server_process, until
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.transports import connect


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*flags), capture_output=True, text=True, env=ENVIRONMENT, timeout=2 * LIMIT_S, check=False
    )


@contextlib.asynccontextmanager
async def directory_at(join: str) -> AsyncGenerator[DirectoryClient]:
    """The directory that a join link names, as a client sees it."""
    link = JoinLink.parse(join)
    transport = connect(link.directory_urls[0])
    try:
        yield DirectoryClient(Directory.stub(transport), link.directory_pk, MemoryHeaderStore(), pause_s=0.05)
    finally:
        await transport.close()


async def test_a_mirror_answers_in_place_of_its_directory_and_passes_changes_on(tmp_path: Path) -> None:
    alice, bobby = account("alice"), account("bobby")
    with server_process(tmp_path / "network") as network:
        await network.new_account("alice")
        with server_process(tmp_path / "mirror", "--join", network.ready["join"], role="mirror") as mirror:
            own = JoinLink.parse(mirror.ready["join"])
            assert own.directory_pk == JoinLink.parse(network.ready["join"]).directory_pk
            assert own.directory_urls == (mirror.ready["directory_urls"]["http"],)
            assert own.server is None
            async with directory_at(mirror.ready["join"]) as client:
                await until(lambda: _knows(client, alice.username))
                entry = UserDescriptor(network.name, bobby.hash)
                await client.publish(bobby.username, bobby.secret, entry.blob())
                assert await client.user(bobby.username) == entry
            network.end(signal.SIGKILL)
            async with directory_at(mirror.ready["join"]) as client:
                assert await client.user(alice.username) is not None
            assert mirror.end() == 0


async def _knows(client: DirectoryClient, name: Username) -> bool:
    try:
        return await client.user(name) is not None
    except Exception:  # it has not caught up yet
        return False


async def test_an_audit_verifies_a_log_here_and_elsewhere(tmp_path: Path) -> None:
    with server_process(tmp_path / "network") as network:
        await network.new_account("alice")
        fetched = run("audit", "--json", "--join", network.ready["join"])
        assert fetched.returncode == 0, fetched.stderr
        report = json.loads(fetched.stdout)
        assert (report["event"], report["flaw"], report["is_signed"]) == ("audited", None, True)
        assert (report["names"], report["updates"]) == (2, 4)
        here = run("audit", "--data-dir", str(tmp_path / "network"))
        assert (here.returncode, here.stdout.startswith("everything holds")) == (0, True)
        assert network.end() == 0


async def test_an_audit_finds_an_update_that_was_changed_and_ends_as_an_alarm(tmp_path: Path) -> None:
    with server_process(tmp_path / "network") as network:
        await network.new_account("alice")
        assert network.end() == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "network" / "directory.db")) as db, db:
        db.execute(
            "UPDATE history SET body = (SELECT body FROM history WHERE name = '@alice' AND position = 0) WHERE 1"
        )
    found = run("audit", "--data-dir", str(tmp_path / "network"))
    assert found.returncode == 5
    assert "does not hold" in found.stdout
    assert "@alice" not in found.stderr


def test_an_audit_of_nothing_says_what_to_give_it(tmp_path: Path) -> None:
    refused = run("audit", "--data-dir", str(tmp_path / "nowhere"))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "--join" in refused.stderr


class Monitor:
    """A running `xirtam-server monitor`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def next(self) -> dict[str, Any]:
        return json.loads(self._lines.get(timeout=2 * LIMIT_S))


@contextlib.contextmanager
def monitoring(join: str, state: Path, *names: str) -> Generator[Monitor]:
    flags = ["monitor", *names, "--json", "--join", join, "--state", str(state)]
    with subprocess.Popen(
        command(*flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            yield Monitor(process)
        finally:
            process.kill()


async def test_a_monitor_says_what_happened_while_it_was_away(tmp_path: Path) -> None:
    with server_process(tmp_path / "network") as network:
        alice, _ = await network.new_account("alice")
        join = network.ready["join"]
        with monitoring(join, tmp_path / "state", "@alice", network.name) as monitor:
            seen = [monitor.next(), monitor.next()]
            assert {event["event"] for event in seen} == {"name-seen"}
            assert {event["name"] for event in seen} == {"@alice", network.name}
            monitor.process.send_signal(signal.SIGTERM)
            assert monitor.process.wait(LIMIT_S) == 0
        async with directory_at(join) as client:
            moved = UserDescriptor(network.name, account("elsewhere").hash)
            await client.publish(alice.username, alice.secret, moved.blob())
        with monitoring(join, tmp_path / "state", "@alice", network.name) as monitor:
            event = monitor.next()
            assert (event["event"], event["name"]) == ("value-changed", "@alice")
            assert event["old"] != event["new"]


async def test_a_monitor_that_meets_another_directory_in_the_place_of_its_own_ends_as_an_alarm(tmp_path: Path) -> None:
    with server_process(tmp_path / "network", "--port", "0") as network:
        await network.new_account("alice")
        join = network.ready["join"]
        with monitoring(join, tmp_path / "state", "@alice") as monitor:
            assert monitor.next()["event"] == "name-seen"
            monitor.process.send_signal(signal.SIGTERM)
            monitor.process.wait(LIMIT_S)
        port = network.ready["directory_urls"]["http"].rsplit(":", 1)[1].split("/")[0]
        network.end()
    (tmp_path / "network" / "directory.db").unlink()
    for left in (tmp_path / "network").glob("directory.db-*"):
        left.unlink()
    with server_process(tmp_path / "network", "--port", port) as forged:
        for number in range(6):
            await forged.new_account(f"other{number}")
        with monitoring(join, tmp_path / "state", "@alice") as monitor:
            event = monitor.next()
            assert event["event"] == "alarm"
            assert monitor.process.wait(LIMIT_S) == 5


@pytest.mark.parametrize("name", ["alice!", "~x", "@"])
def test_a_monitor_of_what_is_no_name_is_refused(name: str) -> None:
    refused = run("monitor", name)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
