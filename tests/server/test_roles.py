"""A directory and home servers in processes of their own, from `init` to the first message."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import time
import tomllib
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from tests import postgres_server
from tests.server_builders import (
    ENVIRONMENT,
    LIMIT_S,
    ServerProcess,
    calling,
    command,
    fetch,
    fetch_all,
    post,
    server_process,
    text_of,
)
from xirtam_core.errors import XirtamError
from xirtam_core.join_link import JoinLink


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*flags), capture_output=True, text=True, env=ENVIRONMENT, timeout=LIMIT_S, check=False
    )


def register(data_dir: Path, server: ServerProcess, join: str) -> subprocess.CompletedProcess[str]:
    return run(
        "register-name", "--json", "--data-dir", str(data_dir), "--join", join, "--public-url", server.urls["http"]
    )


async def test_a_home_server_is_found_through_a_directory_elsewhere(tmp_path: Path) -> None:
    with server_process(tmp_path / "directory", role="directory") as directory:
        join = directory.ready["join"]
        assert directory.ready["server_name"] is None
        assert JoinLink.parse(join).server is None
        with server_process(tmp_path / "home", "--join", join, "--name", "~harbor", role="home") as home:
            registered = register(tmp_path / "home", home, join)
            assert registered.returncode == 0
            assert json.loads(registered.stdout) == {
                "event": "registered",
                "server_name": "~harbor",
                "public_urls": [home.urls["http"]],
                "changed": True,
            }
            assert json.loads(register(tmp_path / "home", home, join).stdout)["changed"] is False
            device, token = await home.new_account("alice")
            async with calling(home.urls["http"]) as service:
                await post(service, device.username, "across processes")
                assert [text_of(entry) for entry in await fetch_all(service, token, device.username)] == [
                    "across processes"
                ]
            assert JoinLink.parse(home.ready["join"]).server == "~harbor"
            assert home.end() == 0
        assert directory.end() == 0


async def test_a_name_that_others_have_is_refused(tmp_path: Path) -> None:
    with server_process(tmp_path / "network", "--name", "~harbor") as network:
        join = network.ready["join"]
        refused = run("home", "--data-dir", str(tmp_path / "other"), "--join", join, "--name", "~harbor")
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "another key" in refused.stderr
        refused = register(tmp_path / "other", network, join)
        assert refused.returncode == 1
        assert "registered with another key" in json.loads(refused.stdout)["message"]


async def test_a_home_server_starts_while_its_directory_is_away_and_says_so(tmp_path: Path) -> None:
    with server_process(tmp_path / "directory", role="directory") as directory:
        join = directory.ready["join"]
        directory.end(signal.SIGKILL)
    with server_process(tmp_path / "home", "--join", join, "--name", "~harbor", role="home") as home:
        async with calling(home.urls["http"]) as service:
            assert (await service.server_info()).server_name == "~harbor"
        assert home.end() == 0
        assert home.process.stderr is not None
        assert "the directory did not answer" in home.process.stderr.read()


def test_a_home_server_must_know_its_directory_and_its_name(tmp_path: Path) -> None:
    refused = run("home", "--data-dir", str(tmp_path / "a"), "--name", "~harbor")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--join" in refused.stderr
    link = f"xirtam:join?directory=http://127.0.0.1:1/&key={'A' * 43}"
    refused = run("home", "--data-dir", str(tmp_path / "b"), "--join", link)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "--name" in refused.stderr
    assert run("home", "--data-dir", str(tmp_path / "b"), "--join", "nonsense", "--name", "~harbor").returncode == 2


async def test_a_server_that_listens_everywhere_is_announced_at_its_public_urls(tmp_path: Path) -> None:
    with server_process(
        tmp_path, "--host", "0.0.0.0", "--public-url", "https://chat.example", "--pow-effort", "1"
    ) as server:
        link = JoinLink.parse(server.ready["join"])
        assert link.directory_urls == ("https://chat.example/directory",)
        assert server.ready["directory_urls"] == {"https": "https://chat.example/directory"}
        assert server.end() == 0


async def test_processes_share_an_identity_that_is_kept_in_a_file(tmp_path: Path) -> None:
    with server_process(tmp_path / "first", "--name", "~harbor", "--pow-effort", "1") as first:
        join = first.ready["join"]
        file = tmp_path / "shared.toml"
        file.write_text(f'name = "~harbor"\n[keys]\nserver = "{tmp_path / "first" / "server.key"}"\n')
        with server_process(tmp_path / "second", "--config", str(file), "--join", join, role="home") as second:
            async with calling(second.urls["http"]) as service:
                assert (await service.server_info()).server_name == "~harbor"
            assert not (tmp_path / "second" / "server.key").exists()
        file.write_text('name = "~harbor"\n[keys]\nserver = "missing.key"\n')
        refused = run("home", "--data-dir", str(tmp_path / "third"), "--config", str(file), "--join", join)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "missing.key" in refused.stderr


async def test_two_processes_on_one_database_are_one_home_server(tmp_path: Path, postgres_url: str) -> None:
    with server_process(tmp_path / "directory", role="directory") as directory:
        join = directory.ready["join"]
        flags = [
            "--join",
            join,
            "--name",
            "~harbor",
            "--database",
            postgres_url,
            "--fragments",
            str(tmp_path / "bodies"),
        ]
        config = tmp_path / "second.toml"
        config.write_text(f'[keys]\nserver = "{tmp_path / "first" / "server.key"}"\n')
        with (
            server_process(tmp_path / "first", *flags, role="home") as first,
            server_process(tmp_path / "second", "--config", str(config), *flags, role="home") as second,
        ):
            assert register(tmp_path / "first", first, join).returncode == 0
            alice, token = await first.new_account("alice")
            async with calling(first.urls["http"]) as here, calling(second.urls["ws"]) as there:
                waiting = asyncio.create_task(fetch(there, token, alice.username, timeout_ms=10_000))
                await post(here, alice.username, "through the other")
                assert [text_of(entry) for entry in await waiting] == ["through the other"]
                first.end(signal.SIGKILL)
                await post(there, alice.username, "and on")
                found = [text_of(entry) for entry in await fetch_all(there, token, alice.username)]
                assert found == ["through the other", "and on"]
            stats = run("stats", "--json", "--data-dir", str(tmp_path / "second"), "--database", postgres_url)
            assert json.loads(stats.stdout)["entries"] == 2
            assert second.end() == 0
        checked = run(
            "check", "--data-dir", str(tmp_path / "second"), "--database", postgres_url, "--config", str(config)
        )
        assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_server_whose_database_is_away_ends_within_five_seconds_all_the_same(
    tmp_path: Path, number: signal.Signals
) -> None:
    flags = ("--name", "~harbor", "--fragments", str(tmp_path / "bodies"), "--tcp-port", "0")
    with (
        postgres_server.running() as postgres,
        server_process(tmp_path / "data", "--database", postgres.url("postgres"), *flags) as server,
    ):
        alice, _ = await server.new_account("alice")
        async with calling(server.urls["tcp"]) as home:
            with away(postgres, number):
                calls: list[asyncio.Task[object]] = [
                    asyncio.create_task(post(home, alice.username, "never written")),
                    asyncio.create_task(home.profile(alice.username)),
                ]
                await home.server_info()  # so the server has read those before it on this connection
                began = time.monotonic()
                assert await asyncio.to_thread(server.end) == 0
                assert time.monotonic() - began < 5
                answers = await asyncio.gather(*calls, return_exceptions=True)
                assert all(isinstance(answer, XirtamError) for answer in answers)


@contextlib.contextmanager
def away(postgres: postgres_server.PostgresServer, number: signal.Signals) -> Generator[None]:
    """Kills the database, or stops its processes for as long as the block takes."""
    first = postgres.pid
    ours = postgres.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'xirtam-server'")
    pids = [first, *(pid for (pid,) in ours)]  # those that serve go on for a moment without the first
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # unless they have just noticed
            os.kill(pid, number)
    try:
        yield
    finally:
        if number is signal.SIGKILL:
            postgres.start_again()
        else:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


def test_a_second_server_on_a_file_of_sqlite_is_refused_whatever_its_data_directory(tmp_path: Path) -> None:
    database = ("--database", f"sqlite:{tmp_path / 'home.db'}")
    with server_process(tmp_path / "first", "--name", "~harbor", *database):
        refused = run("--data-dir", str(tmp_path / "second"), "--name", "~haven", *database)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "another xirtam-server uses the database" in refused.stderr
        assert run("stats", "--data-dir", str(tmp_path / "second"), *database).returncode == 0


def test_a_shared_database_without_a_place_for_attachments_is_refused_and_attachments_stay_nowhere(
    tmp_path: Path, postgres_url: str
) -> None:
    refused = run("--data-dir", str(tmp_path / "data"), "--name", "~harbor", "--database", postgres_url)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--fragments" in refused.stderr
    assert not (tmp_path / "data" / "fragments").exists()


def test_a_database_that_is_not_there_is_said_in_one_line_without_its_password(tmp_path: Path) -> None:
    with server_process(tmp_path / "directory", role="directory") as directory:
        url = "postgresql://xirtam:sesame@127.0.0.1:1/xirtam"
        refused = run(
            *("home", "--data-dir", str(tmp_path / "home"), "--join", directory.ready["join"], "--name", "~harbor"),
            *("--database", url, "--fragments", str(tmp_path / "bodies")),
        )
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "cannot use the database" in refused.stderr
        assert "sesame" not in refused.stderr


def test_init_makes_a_server_that_starts_and_overwrites_nothing(tmp_path: Path) -> None:
    place = tmp_path / "srv"
    made = run("init", str(place), "--name", "~harbor", "--public-url", "https://chat.example")
    assert made.returncode == 0
    assert "DNS" in made.stdout
    assert "--config" in made.stdout
    file = place / "xirtam-server.toml"
    keys = {key: (place / "data" / key).read_text() for key in ("server.key", "directory.key")}
    flags = ("--config", str(file), "--port", "0", "--metrics-port", "0", "--pow-effort", "1", "--json")
    with subprocess.Popen(command(*flags), stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["join"] in made.stdout
        finally:
            process.kill()
    again = run("init", str(place), "--name", "~haven", "--public-url", "https://chat.example")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert keys == {key: (place / "data" / key).read_text() for key in keys}


def test_behind_the_proxy_that_init_assumes_each_client_is_a_source_of_its_own(tmp_path: Path) -> None:
    place = tmp_path / "srv"
    assert run("init", str(place), "--name", "~harbor", "--public-url", "https://chat.example").returncode == 0
    file = place / "xirtam-server.toml"
    text = file.read_text()
    assert tomllib.loads(text)["listen"]["trusted_proxies"] == ["127.0.0.1", "::1"]
    for key, value in {"costly_burst": "1", "costly_per_source": "0.001", "patience_s": "0.1"}.items():
        text = re.sub(f"^#{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    file.write_text(text)
    with server_process(place / "data", "--config", str(file), "--metrics-port", "0", "--pow-effort", "1") as server:
        url = server.urls["http"]

        def is_served(client: str) -> bool:
            call = {"jsonrpc": "2.0", "method": "v1_device_auth_start", "params": ["@nobody"], "id": 1}
            told = httpx.post(url, json=call, headers={"X-Forwarded-For": client}, trust_env=False, timeout=LIMIT_S)
            return "retry_later" not in told.text

        assert [is_served(client) for client in ("192.0.2.1", "192.0.2.1", "192.0.2.2")] == [True, False, True]


def test_init_asks_to_believe_nobody_where_no_proxy_is_in_front(tmp_path: Path) -> None:
    assert (
        run("init", str(tmp_path / "srv"), "--name", "~harbor", "--public-url", "http://chat.example").returncode == 0
    )
    assert "trusted_proxies" not in tomllib.loads((tmp_path / "srv" / "xirtam-server.toml").read_text())["listen"]


def test_init_for_a_network_that_exists_makes_no_directory(tmp_path: Path) -> None:
    link = f"xirtam:join?directory=https://other.example/directory&key={'A' * 43}"
    made = run(
        "init", str(tmp_path / "srv"), "--name", "~harbor", "--public-url", "tcp://chat.example:7001", "--join", link
    )
    assert made.returncode == 0
    assert "register-name" in made.stdout
    assert not (tmp_path / "srv" / "data" / "directory.key").exists()
    refused = run("init", str(tmp_path / "other"), "--name", "~harbor", "--public-url", "tcp://chat.example:7001")
    assert refused.returncode == 1
    assert not (tmp_path / "other").exists()


def test_an_option_before_the_command_is_refused_rather_than_ignored(tmp_path: Path) -> None:
    refused = run("--data-dir", str(tmp_path), "register-name")
    assert refused.returncode == 2
    assert "after the command" in refused.stderr
