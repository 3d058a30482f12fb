"""How long entries are kept at most, and that nobody waits while what is older goes."""

import asyncio
import itertools
import time
from pathlib import Path

import msgspec
import pytest

from tests.server_builders import QUICK, FakeDirectory, calling, fetch_all, open_harbor, post, text_of, until
from xirtam_server.storage import entries

WITH_MAXIMUM = msgspec.structs.replace(QUICK, max_ttl_s=2, purge_every_s=3600)


async def test_entries_that_are_older_than_a_lowered_maximum_are_not_returned_any_more(tmp_path: Path) -> None:
    directory = FakeDirectory()
    async with open_harbor(tmp_path, directory=directory) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        await post(home, alice.username, "old", ttl=0)
        await post(home, alice.username, "old too", ttl=10_000)
    async with (
        open_harbor(tmp_path, directory=directory, limits=WITH_MAXIMUM) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        assert (await home.server_info()).limits.max_ttl == 2

        async def texts() -> list[str]:
            return [text_of(entry) for entry in await fetch_all(home, token, alice.username)]

        async def are_gone() -> bool:
            return not await texts()

        await until(are_gone)
        await post(home, alice.username, "new")
        assert await texts() == ["new"]
        await until(are_gone)


async def test_entries_that_are_older_than_a_lowered_maximum_are_removed(tmp_path: Path) -> None:
    directory = FakeDirectory()
    async with open_harbor(tmp_path, directory=directory) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, _ = await harbor.new_account("alice", home)
        await asyncio.gather(*(post(home, alice.username) for _ in range(30)))
    limits = msgspec.structs.replace(WITH_MAXIMUM, max_ttl_s=1, purge_every_s=0.05, purge_step=7)
    async with open_harbor(tmp_path, directory=directory, limits=limits) as harbor:
        store = harbor.service._store  # pyright: ignore[reportPrivateUsage]

        async def is_empty() -> bool:
            return (await store.stats()).entries == 0

        await until(is_empty)


async def test_messages_go_on_being_taken_while_many_are_purged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, many, now_ns = FakeDirectory(), 1000, time.time_ns()
    async with open_harbor(tmp_path, directory=directory) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        monkeypatch.setattr(entries.time, "time_ns", lambda: now_ns - 7200 * 10**9)
        await asyncio.gather(*(post(home, alice.username) for _ in range(many)))
        monkeypatch.undo()
    limits = msgspec.structs.replace(WITH_MAXIMUM, max_ttl_s=3600, purge_every_s=0.01, purge_step=25)
    async with (
        open_harbor(tmp_path, directory=directory, limits=limits) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        store = harbor.service._store  # pyright: ignore[reportPrivateUsage]
        left: list[int] = []
        while not left or left[-1] > 0:
            await post(home, alice.username, "meanwhile")
            left.append((await store.stats()).entries - len(left) - 1)
        assert len(set(left)) > many / 25 / 2, "messages were taken between most of the steps"
        assert all(before - after <= 3 * 25 for before, after in itertools.pairwise(left))
        assert {text_of(entry) for entry in await fetch_all(home, token, alice.username)} == {"meanwhile"}
