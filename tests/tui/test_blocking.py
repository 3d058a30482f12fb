"""Nothing that the app does waits, on its loop's thread, for a disk, a network, a process or a clock."""

import asyncio
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.blocking import no_blocking
from tests.tui.fake_client import FakeClient
from tests.tui.piloting import account_app, long_chat


def _call_nobody() -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.connect_ex(b"\0nobody listens here")


_CALLS: dict[str, Callable[[], object]] = {
    "open": lambda: Path(__file__).read_bytes(),
    "sqlite3.connect": lambda: sqlite3.connect(":memory:").close(),
    "time.sleep": lambda: time.sleep(0),
    "subprocess.Popen": lambda: subprocess.run([sys.executable, "--version"], capture_output=True, check=True),
    "socket.connect": _call_nobody,
}


@pytest.mark.parametrize("event", _CALLS)
async def test_a_call_that_could_block_is_caught_and_says_where_it_was_made(event: str) -> None:
    with no_blocking() as caught:
        asyncio.get_running_loop().call_soon(_CALLS[event])
        await asyncio.sleep(0)
    found = [each for each in caught if each.event == event]
    assert found
    assert "test_blocking.py" in found[0].stack


@pytest.mark.parametrize("event", _CALLS)
async def test_a_call_in_another_thread_blocks_nobody(event: str) -> None:
    with no_blocking() as caught:
        await asyncio.to_thread(_CALLS[event])
    assert not caught


async def test_paging_a_flood_resizing_and_searching_never_block(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(2_000))
    client.add_chat("@carol", long_chat(20, "@carol"))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 20")
        await driver.press("ctrl+down")
        await driver.sees("number 2000")
        for _ in range(20):
            await driver.press("pageup")
        await driver.press("ctrl+home")
        await driver.sees("number 1")
        await driver.press("ctrl+end")
        for number in range(400):
            client.receive("@bobby", f"flood {number}")
        await driver.sees("flood 399")
        for size in ((140, 40), (60, 20), (100, 30)):
            await driver.pilot.resize_terminal(*size)
        await driver.press("ctrl+r")
        await driver.write("flood 39")
        await driver.sees("flood 397", "flood 392")
        # what is caught fails on leaving
