"""Senders whom the directory does not know, or not yet, and what becomes of what they write (spec: client.md, Receiving)."""

import asyncio
from pathlib import Path

from tests import builders
from tests.sim.people import two_people
from tests.sim.virtual_time import simulated
from xirtam_core.names import Username


@simulated
async def test_who_is_in_the_directory_only_minutes_later_is_read_all_the_same(tmp_path: Path) -> None:
    """Our view of the directory may be behind theirs: what they write is not given up within seconds."""
    async with two_people(tmp_path) as pair:
        newcomer = builders.account("zelda")
        event = builders.text_event(pair.bobby.name, "I am new here")
        await pair.world.post(pair.bobby, builders.sealed_message(newcomer, event, [pair.bobby.keys]))
        await asyncio.sleep(240)
        assert pair.bobby.engine.conversations.status().rejected == 0
        pair.world.directory.put(newcomer.username, builders.user_history(newcomer, pair.harbor.name))
        await pair.bobby.gets(Username("@zelda"), "I am new here", limit_s=900)


@simulated
async def test_who_is_in_no_directory_is_given_up(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        event = builders.text_event(pair.bobby.name, "I am nobody")
        await pair.world.post(pair.bobby, builders.sealed_message(builders.account("zelda"), event, [pair.bobby.keys]))
        await asyncio.sleep(3600)
        assert pair.bobby.engine.conversations.status().rejected == 1
