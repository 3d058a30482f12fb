"""Clocks that are hours wrong, either way, harm nothing (spec: client.md)."""

import asyncio
from pathlib import Path

import pytest

from tests import builders
from tests.sim.clock import SimClock
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import OUT
from xirtam_core.crypto import dh
from xirtam_core.storage import medium_keys

_HOUR_S = 3600.0
both_ways = pytest.mark.parametrize("offset_s", [-6 * _HOUR_S, 6 * _HOUR_S], ids=["behind", "ahead"])


def _openable(pair: Pair) -> set[bytes]:
    return {bytes(dh.public_of(secret)) for _, secret in medium_keys.openers(pair.bobby.database)}


async def _talk(pair: Pair, round_number: int) -> list[str]:
    texts: list[str] = []
    for number in range(2):
        for sender, other in ((pair.alice, pair.bobby), (pair.bobby, pair.alice)):
            text = f"{round_number}.{number} from {sender.name}"
            message = await sender.write(other, text)
            await until(lambda: text in other.texts(sender), f"{text!r} arrives", 60)  # noqa: B023 # asked before it changes
            await until(lambda: sender.find(message.id).received_at, "and is back", 60)  # noqa: B023
            texts.append(text)
    return texts


async def _still_talk(pair: Pair) -> None:
    """For some hours, in which keys change."""
    texts: list[str] = []
    for round_number in range(3):
        texts += await _talk(pair, round_number)
        await asyncio.sleep(1.2 * _HOUR_S)
    for device, other in ((pair.alice, pair.bobby), (pair.bobby, pair.alice)):
        assert device.texts(other) == texts, "the order is that of the mailbox, whatever clocks say"
        assert all(message.verified for message in device.messages(other))
        assert device.engine.conversations.status().rejected == 0


@both_ways
def test_somebody_whose_clock_is_wrong_talks_as_anybody_does(tmp_path: Path, offset_s: float) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            pair.bobby.clock.offset_s = offset_s
            await pair.bobby.restart()
            await _still_talk(pair)

    scenario()


@both_ways
def test_a_server_whose_clock_is_wrong_serves_as_any_does(tmp_path: Path, offset_s: float) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            clock = SimClock(asyncio.get_running_loop())
            clock.offset_s = offset_s
            pair.beach.keep_time_by(clock)
            await _still_talk(pair)

    scenario()


@both_ways
def test_a_clock_that_is_set_while_it_runs_loses_nothing(tmp_path: Path, offset_s: float) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await _talk(pair, 9)
            pair.bobby.clock.offset_s = offset_s
            message = await pair.bobby.write(pair.alice, "what time is it?")
            await pair.bobby.has_sent(message, limit_s=10)
            assert pair.bobby.find(message.id).state in OUT
            await until(lambda: pair.alice.texts(pair.bobby)[-1] == "what time is it?", "it arrives")
            pair.bobby.clock.offset_s = 0
            await pair.alice.write(pair.bobby, "time to go")
            await until(lambda: pair.bobby.texts(pair.alice)[-1] == "time to go", "it arrives")

    scenario()


@both_ways
def test_keys_change_about_hourly_whatever_happens_to_the_clock(tmp_path: Path, offset_s: float) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await asyncio.sleep(100)
            pair.bobby.clock.offset_s = offset_s
            calls = pair.world.machine(pair.beach).calls
            before = calls.count("v1_device_add_medium_pk")
            await asyncio.sleep(5 * _HOUR_S)
            assert before + 4 <= calls.count("v1_device_add_medium_pk") <= before + 6

    scenario()


@simulated
async def test_a_clock_that_is_put_forward_destroys_no_secret_that_senders_still_use(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.bobby.clock.offset_s = -6 * _HOUR_S
        await pair.bobby.restart()
        first = pair.bobby.published_key(pair.beach)
        await until(lambda: pair.bobby.published_key(pair.beach) != first, "it rotates", 2 * _HOUR_S)
        pair.bobby.clock.offset_s = 0
        await asyncio.sleep(0.9 * _HOUR_S)
        assert first in _openable(pair), "somebody may have looked it up an hour ago"
        await asyncio.sleep(3 * _HOUR_S)
        assert first not in _openable(pair)


@simulated
async def test_an_entry_that_waits_is_tried_again_after_the_clock_was_put_back(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(1)
        pair.bobby.clock.offset_s = 6 * _HOUR_S
        carol = builders.account("carol")
        event = builders.text_event(pair.bobby.name, "nobody has heard of me yet")
        await pair.world.post(pair.bobby, builders.sealed_message(carol, event, [pair.bobby.keys]))
        await until(lambda: pair.bobby.engine.conversations.status().waiting, "it waits", 10)
        pair.bobby.clock.offset_s = 0
        known = pair.world.device("carol", pair.harbor)
        await pair.bobby.gets(known, "nobody has heard of me yet", limit_s=400)


@both_ways
def test_an_entry_that_waits_keeps_its_secret_though_the_servers_clock_is_wrong(
    tmp_path: Path, offset_s: float
) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await asyncio.sleep(10)
            clock = SimClock(asyncio.get_running_loop())
            clock.offset_s = offset_s
            pair.beach.keep_time_by(clock)
            pair.world.directory.is_down = True
            event = builders.text_event(pair.bobby.name, "from a stranger")
            await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
            await asyncio.sleep(5 * _HOUR_S)
            pair.world.directory.is_down = False
            await pair.bobby.gets(pair.alice, "from a stranger", limit_s=400)

    scenario()
