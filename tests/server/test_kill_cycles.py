"""Killing servers, and their database, at random moments under load: what was acknowledged is there, once.

A sender that gets no answer sends the same again, as clients do. So the rule: a message that was acknowledged is in the mailbox, under
the cursor that its sender was told. One that was sent once is there once; one that was sent again, as an answer was lost, may be
there up to as often as it was sent, and no more.
"""

import asyncio
import contextlib
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.builders import account
from tests.home_process import HomeProcess, home_process
from tests.postgres_server import PostgresServer
from tests.server_builders import calling, fetch_all, post, sign_in, text_of
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.errors import XirtamError
from xirtam_core.names import Username

WRITERS = 6
ALICE = Username("@alice")
LIMIT_S = 60.0
"""How long anything may need on a machine that does other things as well."""


class Load:
    """Writers that send as fast as they are answered, and remember what they were told."""

    def __init__(self, homes: Sequence[HomeProcess]) -> None:
        self._homes = homes
        self._is_over, self._news = asyncio.Event(), asyncio.Event()
        self.attempts: Counter[str] = Counter()
        self.acknowledged: dict[str, int] = {}

    def end(self) -> None:
        self._is_over.set()

    async def write(self, name: int) -> None:
        number = 0
        async with calling(self._homes[name % len(self._homes)].url) as home:
            while not self._is_over.is_set():
                text = f"{name}-{number}"
                while text not in self.acknowledged and not self._is_over.is_set():
                    self.attempts[text] += 1
                    try:
                        self.acknowledged[text] = await post(home, ALICE, text)
                        self._news.set()
                    except XirtamError:
                        await asyncio.sleep(0.02)
                number += 1

    async def progress(self, sends: int) -> None:
        """Waits for so many more to be acknowledged."""
        goal = len(self.acknowledged) + sends
        async with asyncio.timeout(LIMIT_S):
            while len(self.acknowledged) < goal:
                self._news.clear()
                await self._news.wait()

    async def check(self, home: HomeProcess, token: AuthToken) -> None:
        """Reads everything, and holds it against the rule."""
        async with calling(home.url) as reading:
            entries = await fetch_all(reading, token, ALICE)
        stamps = [entry.received_at for entry in entries]
        assert stamps == sorted(set(stamps))
        found = {entry.received_at: text_of(entry) for entry in entries}
        lost = [text for text, stamp in self.acknowledged.items() if found.get(stamp) != text]
        assert lost == []
        doubled = [text for text, count in Counter(found.values()).items() if count > self.attempts[text]]
        assert doubled == []


async def kill_under_load(homes: Sequence[HomeProcess], crashes: Sequence[Callable[[], None]], cycles: int) -> Load:
    """Goes through `cycles` of load and a crash; each crash brings what it killed up again."""
    async with calling(homes[0].url) as home:
        token = await sign_in(home, account("alice"))
    load = Load(homes)
    async with asyncio.TaskGroup() as tasks:
        for name in range(WRITERS):
            tasks.create_task(load.write(name))
        for number in range(cycles):
            await load.progress(random.randint(1, 60))
            await asyncio.to_thread(crashes[number % len(crashes)])
        await load.progress(WRITERS * 2)
        load.end()
    await load.check(homes[-1], token)
    return load


def crash_of(home: HomeProcess) -> Callable[[], None]:
    def crash() -> None:
        home.kill()
        home.start()

    return crash


@pytest.mark.parametrize("cycles", [3, pytest.param(100, marks=pytest.mark.slow)])
async def test_a_killed_server_has_lost_and_doubled_nothing(tmp_path: Path, cycles: int) -> None:
    path = tmp_path / "home.db"
    with home_process(f"sqlite:{path}", "alice") as home:
        await kill_under_load([home], [crash_of(home)], cycles)
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("cycles", [3, pytest.param(30, marks=pytest.mark.slow)])
async def test_two_killed_servers_and_their_killed_database_have_lost_and_doubled_nothing(
    postgres: PostgresServer, postgres_url: str, cycles: int
) -> None:
    def crash_database() -> None:
        postgres.kill()
        postgres.start_again()

    with home_process(postgres_url, "alice") as first, home_process(postgres_url, "alice") as second:
        await kill_under_load([first, second], [crash_of(first), crash_of(second), crash_database], cycles)
    counted = postgres.execute("SELECT sum(entries) - (SELECT count(*) FROM entry) FROM mailbox", url=postgres_url)
    assert counted == [(0,)]
