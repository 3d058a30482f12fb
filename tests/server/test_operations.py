"""What an operator sees of a running server: health, metrics and logs."""

import asyncio
import json
import re
import socket
import sqlite3
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.server_builders import (
    ENVIRONMENT,
    LIMIT_S,
    ServerProcess,
    calling,
    command,
    fetch,
    post,
    server_process,
    until,
)
from xirtam_core.codec.primitives import Hash
from xirtam_core.rpc.home_server import AccessDenied

QUICK_HEALTH = "[metrics]\nhealth_timeout_s = 0.5\nstats_every_s = 0.0\n"


def ask(server: ServerProcess, path: str) -> httpx.Response:
    return get(server.ready["metrics_url"] + path)


def get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=15, trust_env=False)


def metrics(server: ServerProcess) -> dict[str, float]:
    """Every sample by its name and labels, as the text has them."""
    text = ask(server, "metrics").text
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def quick(tmp_path: Path) -> str:
    file = tmp_path / "quick.toml"
    file.write_text(QUICK_HEALTH)
    return str(file)


async def test_metrics_count_what_happened_and_say_who_to_nobody(tmp_path: Path) -> None:
    with server_process(
        tmp_path / "data", "--config", quick(tmp_path), "--metrics-port", "0", "--tcp-port", "0"
    ) as server:
        device, token = await server.new_account("alice")
        async with calling(server.urls["tcp"]) as home:
            for _ in range(3):
                await post(home, device.username, "hello")
            with pytest.raises(AccessDenied):
                await post(home, Hash(bytes(32)), "hello")
            poll = asyncio.create_task(fetch(home, token, device.username, 2**62, 30_000))
            await until(lambda: metrics(server)["xirtam_parked_polls"] == 1)
            seen = metrics(server)
            poll.cancel()
            assert seen['xirtam_requests_total{method="v1_mailbox_send",outcome="ok",service="home"}'] == 3
            assert seen['xirtam_requests_total{method="v1_mailbox_send",outcome="access_denied",service="home"}'] == 1
            assert seen['xirtam_request_seconds_count{method="v1_mailbox_send",service="home"}'] == 4
            assert seen['xirtam_request_seconds_bucket{le="+Inf",method="v1_mailbox_send",service="home"}'] == 4
            assert 0 < seen['xirtam_request_seconds_sum{method="v1_mailbox_send",service="home"}'] < 60
            assert seen['xirtam_requests_total{method="v1_insert_update",outcome="ok",service="directory"}'] >= 2
            assert seen['xirtam_connections_total{event="opened",transport="tcp"}'] == 1
            assert seen['xirtam_connections_open{transport="tcp"}'] == 1
            assert seen["xirtam_commit_seconds_count"] >= 4
            assert seen["xirtam_commit_changes_sum"] >= 4
            assert seen["xirtam_store_waiting"] == 0
            assert (seen["xirtam_stored_entries"], seen["xirtam_stored_accounts"]) == (3, 1)
            assert seen["xirtam_disk_free_bytes"] > 0
            assert seen['xirtam_database_bytes{database="home"}'] > 0
            assert seen['xirtam_database_bytes{database="directory"}'] > 0
            assert seen["process_resident_memory_bytes"] > 0
            assert any(name.startswith("xirtam_build_info") for name in seen)
            text = ask(server, "metrics").text
            for secret in (device.username, device.username.bare, token.text(), server.name, "127.0.0.1"):
                assert secret not in text


async def test_metrics_count_what_made_room_and_measure_a_database_that_is_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "tight.toml").write_text("[metrics]\nport = 0\n[limits.home]\nmost_polls_per_peer = 1\n")
    elsewhere = tmp_path / "elsewhere" / "people.db"
    elsewhere.parent.mkdir()
    flags = ("--config", str(tmp_path / "tight.toml"), "--tcp-port", "0", "--database", f"sqlite:{elsewhere}")
    with server_process(tmp_path / "data", *flags) as server:
        device, token = await server.new_account("alice")
        async with calling(server.urls["tcp"]) as home:
            first, second = (asyncio.create_task(fetch(home, token, device.username, 2**62, 30_000)) for _ in range(2))
            assert len(await first) == 0
            seen = metrics(server)
            second.cancel()
        assert seen['xirtam_polls_let_go_total{limit="most_polls_per_peer"}'] == 1
        assert seen["xirtam_forwarded_given_up_total"] == 0
        assert seen['xirtam_database_bytes{database="home"}'] >= elsewhere.stat().st_size


async def test_health_is_a_write_that_commits(tmp_path: Path) -> None:
    place = tmp_path / "data"
    with server_process(place, "--config", quick(tmp_path), "--metrics-port", "0") as server:
        good = ask(server, "health")
        assert (good.status_code, good.json()) == (200, {"status": "ok", "checks": {"home": "ok", "directory": "ok"}})
        with sqlite3.connect(place / "home.db", isolation_level=None) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            bad = ask(server, "health")
            assert bad.status_code == 503
            assert bad.json()["checks"]["directory"] == "ok"
            assert "within 0.5 s" in bad.json()["checks"]["home"]
            blocker.execute("ROLLBACK")
        blocker.close()
        await until(lambda: ask(server, "health").status_code == 200)


async def test_operators_are_answered_while_clients_are_turned_away(tmp_path: Path) -> None:
    file = tmp_path / "tight.toml"
    file.write_text("[limits.connections]\nmost = 1\n")
    with server_process(tmp_path / "data", "--config", str(file), "--metrics-port", "0", "--tcp-port", "0") as server:
        async with calling(server.urls["tcp"]) as home:
            await home.server_info()
            with pytest.raises(httpx.HTTPError):
                get(server.urls["http"])
            assert ask(server, "health").status_code == 200
            assert metrics(server)['xirtam_connections_total{event="refused",transport="http"}'] == 1


async def test_a_directory_alone_is_watched_too(tmp_path: Path) -> None:
    with server_process(tmp_path, "--metrics-port", "0", role="directory") as server:
        assert ask(server, "health").json()["checks"] == {"directory": "ok"}
        seen = metrics(server)
        assert 'xirtam_requests_total{method="v1_get_item",outcome="ok",service="directory"}' in seen
        assert "xirtam_parked_polls" not in seen
        assert ask(server, "secrets").status_code == 404


async def test_there_is_no_listener_for_operators_unless_asked_for(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        assert "metrics_url" not in server.ready
        assert get(server.urls["http"] + "metrics").status_code == 404


async def test_logs_are_json_where_asked_and_name_nobody_even_at_debug_level(tmp_path: Path) -> None:
    with server_process(tmp_path, "--log-level", "debug", "--log-json", "--tcp-port", "0") as server:
        device, token = await server.new_account("alice")
        async with calling(server.urls["tcp"]) as home:
            await post(home, device.username, "hello")
        assert server.end() == 0
        assert server.process.stderr is not None
        text = server.process.stderr.read()
    lines = [json.loads(line) for line in text.splitlines()]
    assert any(re.match(r"v1_mailbox_send: ok after [\d.]+ ms", line["message"]) for line in lines)
    for secret in (device.username.bare, token.text(), "hello"):
        assert secret not in text


def register(data_dir: Path, server: ServerProcess, join: str) -> int:
    flags = ("--data-dir", str(data_dir), "--join", join, "--public-url", server.urls["http"])
    return subprocess.run(
        command("register-name", *flags), capture_output=True, env=ENVIRONMENT, timeout=LIMIT_S, check=False
    ).returncode


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_logs_hold_no_address_of_whom_the_server_talks_to(tmp_path: Path, level: str) -> None:
    with server_process(tmp_path / "directory", role="directory") as directory:
        flags = ("--join", directory.ready["join"], "--name", "~harbor", "--log-level", level, "--log-json")
        with server_process(tmp_path / "home", *flags, role="home") as server:
            assert register(tmp_path / "home", server, directory.ready["join"]) == 0
            device, token = await server.new_account("alice")
            async with calling(server.urls["ws"]) as home:
                await post(home, device.username, "hello")
            assert server.end() == 0
            assert server.process.stderr is not None
            text = server.process.stderr.read()
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(line["logger"].startswith("xirtam_") for line in lines)
    assert any("v1_mailbox_send" in line["message"] for line in lines) is (level == "debug")
    for secret in (device.username.bare, token.text(), "~harbor", "127.0.0.1", "http://", "localhost"):
        assert secret not in text


async def test_systemd_hears_that_it_is_ready_alive_and_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(15)
        monkeypatch.setitem(ENVIRONMENT, "NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setitem(ENVIRONMENT, "WATCHDOG_USEC", "300000")
        with server_process(tmp_path / "data") as server:
            heard = {manager.recv(64) for _ in range(4)}
            assert heard == {b"READY=1", b"WATCHDOG=1"}
            assert server.end() == 0
            while (last := manager.recv(64)) != b"STOPPING=1":
                assert last == b"WATCHDOG=1"
