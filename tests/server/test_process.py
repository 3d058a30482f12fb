"""`xirtam-server` as a process: how it starts, what it prints, what it survives, and how it ends."""

import asyncio
import contextlib
import json
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.server_builders import (
    ENVIRONMENT,
    LIMIT_S,
    TRANSPORTS,
    ServerProcess,
    calling,
    command,
    fetch,
    fetch_all,
    post,
    server_process,
    text_of,
    until,
)
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Unreachable
from xirtam_core.join_link import JoinLink
from xirtam_core.protocol.directory import ServerDescriptor
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.transports import connect


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*flags), capture_output=True, text=True, env=ENVIRONMENT, timeout=LIMIT_S, check=False
    )


async def described(server: ServerProcess) -> ServerDescriptor | None:
    """What the server's directory says of it."""
    link = JoinLink.parse(server.ready["join"])
    transport = connect(link.directory_urls[0])
    try:
        client = DirectoryClient(Directory.stub(transport), link.directory_pk, MemoryHeaderStore())
        return await client.server(server.name)
    finally:
        await transport.close()


async def test_it_says_where_it_is_and_the_directory_says_the_same(tmp_path: Path) -> None:
    with server_process(tmp_path, "--tcp-port", "0", "--lz4-port", "0") as server:
        ready = server.ready
        assert list(ready) == [
            "event",
            "pid",
            "server_name",
            "server_urls",
            "directory_urls",
            "directory_pk",
            "join",
        ]
        assert (ready["event"], ready["pid"]) == ("ready", server.process.pid)
        assert set(ready["server_urls"]) == {"http", "ws", "tcp", "lz4tcp"}
        assert JoinLink.parse(ready["join"]).directory_urls == (ready["directory_urls"]["http"],)
        found = await described(server)
        assert found is not None
        assert found.public_urls == tuple(server.urls[scheme] for scheme in ("http", "tcp", "lz4tcp"))
        for scheme in TRANSPORTS:
            async with calling(server.urls[scheme]) as home:
                assert (await home.server_info()).server_name == server.name


async def test_keys_are_made_once_and_are_nobody_elses_to_read(tmp_path: Path) -> None:
    place = tmp_path / "data"
    with server_process(place) as first:
        assert first.urls["tcp"] is None
        assert first.end() == 0
    for key in ("server.key", "directory.key"):
        assert stat.S_IMODE((place / key).stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    with server_process(place) as second:
        for same in ("server_name", "directory_pk", "join"):
            assert second.ready[same] == first.ready[same]


async def test_another_port_is_in_the_directory_before_the_server_is_ready(tmp_path: Path) -> None:
    with server_process(tmp_path) as first:
        first.end()
    with server_process(tmp_path, "--port", "0", "--tcp-port", "0") as second:
        found = await described(second)
        assert found is not None
        assert found.public_urls == (second.urls["http"], second.urls["tcp"])


async def test_nothing_that_was_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    acknowledged: dict[int, str] = {}

    async def write(url: str, name: str, number: int) -> None:
        async with calling(url) as home:
            for sequence in range(10_000):
                text = f"{number}/{sequence}"
                with contextlib.suppress(Unreachable):
                    acknowledged[await post(home, device.username, text)] = text
                    continue
                return

    with server_process(tmp_path, "--tcp-port", "0") as server:
        device, token = await server.new_account("alice")
        for scheme in ("tcp", "http"):
            writers = [asyncio.create_task(write(server.urls[scheme], device.username, number)) for number in range(8)]
            before = len(acknowledged)
            await until(lambda enough=before + 100: len(acknowledged) >= enough)
            if scheme == "http":
                server.end(signal.SIGKILL)
            else:
                for writer in writers:
                    writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)

    with server_process(tmp_path, "--tcp-port", "0") as server:
        async with calling(server.urls["tcp"]) as home:
            stored = await fetch_all(home, token, device.username)
            found = {entry.received_at: text_of(entry) for entry in stored}
            assert [entry.received_at for entry in stored] == sorted(found)
            assert acknowledged.items() <= found.items()
            assert await post(home, device.username, "later") > max(found)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_end_it_answers_parked_polls_and_exits_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with server_process(tmp_path, "--tcp-port", "0", "--lz4-port", "0") as server:
        device, token = await server.new_account("alice")
        async with contextlib.AsyncExitStack() as stack:
            homes = [await stack.enter_async_context(calling(server.urls[scheme])) for scheme in TRANSPORTS]
            polls = [asyncio.create_task(fetch(home, token, device.username, 0, 60_000)) for home in homes]
            for home in homes:
                await home.server_info()  # so the polls before it have arrived
            exited = asyncio.create_task(asyncio.to_thread(server.end, number))
            async with asyncio.timeout(5):
                assert await asyncio.gather(*polls) == [(), (), (), ()]
                assert await exited == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


def test_a_second_process_on_the_same_data_says_so_and_fails(tmp_path: Path) -> None:
    with server_process(tmp_path):
        second = run("--data-dir", str(tmp_path))
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.count("\n") == 1
        assert "another xirtam-server" in second.stderr


def test_a_port_in_use_is_named_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for flag in ("--port", "--tcp-port", "--lz4-port", "--metrics-port"):
            refused = run("--data-dir", str(tmp_path), flag, port)
            assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
            assert refused.stderr.count(port) == 1
            assert "attempting" not in refused.stderr
            assert flag in refused.stderr
        as_json = run("--data-dir", str(tmp_path), "--port", port, "--json")
        assert as_json.returncode == 1
        assert json.loads(as_json.stdout)["event"] == "error"


def test_it_keeps_its_name_and_takes_no_other(tmp_path: Path) -> None:
    with server_process(tmp_path, "--name", "harbor") as server:
        assert server.name == "~harbor"
    assert run("--data-dir", str(tmp_path), "--name", "~haven").returncode == 1
    assert run("--data-dir", str(tmp_path), "--name", "no").returncode == 2


def test_an_address_that_no_client_can_be_told_is_refused(tmp_path: Path) -> None:
    assert run("--data-dir", str(tmp_path), "--host", "0.0.0.0").returncode == 1


def test_a_damaged_key_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "server.key").write_text("nonsense\n")
    refused = run("--data-dir", str(tmp_path))
    assert refused.returncode == 1
    assert "server.key" in refused.stderr
    assert "nonsense" not in refused.stderr


async def test_it_ends_by_itself_when_the_last_client_has_left(tmp_path: Path) -> None:
    with server_process(tmp_path, "--exit-when-idle", "0.5") as server:
        async with calling(server.urls["http"]) as home:
            await home.server_info()
            with pytest.raises(subprocess.TimeoutExpired):
                await asyncio.to_thread(server.process.wait, 1.0)
        assert await asyncio.to_thread(server.process.wait, LIMIT_S) == 0


def test_it_tells_people_how_to_join_and_ends_by_itself_when_nobody_comes(tmp_path: Path) -> None:
    ended = run("--data-dir", str(tmp_path), "--exit-when-idle", "0.1")
    assert ended.returncode == 0
    assert JoinLink.parse(ended.stdout.partition("'")[2].partition("'")[0])


def test_help_and_version_are_quick_and_right() -> None:
    assert "join" in run("--help").stdout
    assert run("--version").stdout.startswith("xirtam-server ")


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--tls-certificate", "nowhere.pem", "--tls-key", "nowhere.pem"), 1, "nowhere.pem: No such file"),
        (("--tls-certificate", "nowhere.pem"), 2, "go together"),
        (("--trusted-proxy", "proxy.example.org"), 1, "a trusted proxy is an address or a network"),
    ],
)
def test_what_makes_no_sense_about_tls_or_proxies_is_said_at_the_start(
    tmp_path: Path, flags: tuple[str, ...], code: int, said: str
) -> None:
    refused = run("--data-dir", str(tmp_path), *flags)
    assert (refused.returncode, refused.stdout) == (code, "")
    assert said in refused.stderr
