"""Directories that lie, as the engine meets them; what the light client makes of proofs is in tests/core/directory."""

import asyncio
from pathlib import Path

from tests.sim.directory import SimLog
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import SendState
from xirtam_core.events import AlarmRaised
from xirtam_core.protocol.directory import UserDescriptor


def _alarms(device: SimDevice) -> list[AlarmRaised]:
    return [event for event in device.events if isinstance(event, AlarmRaised)]


async def _meet(pair: Pair) -> None:
    await pair.alice.write(pair.bobby, "hello")
    await pair.bobby.gets(pair.alice, "hello")
    await pair.bobby.write(pair.alice, "hi")
    await pair.alice.gets(pair.bobby, "hi")


@simulated
async def test_a_log_that_is_rolled_back_is_not_used_and_no_proof_of_a_lie(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        log = pair.world.directory.log
        log.grow(10)
        newest = await pair.alice.directory.sync()
        await _meet(pair)
        del log.headers[5:]
        pair.harbor.shown = log
        await asyncio.sleep(2 * 3600)
        assert _alarms(pair.alice) == []
        await pair.alice.directory.compare(newest)  # what was verified is still what counts
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "all goes on"))


@simulated
async def test_a_log_that_is_shorter_here_than_elsewhere_is_a_lie_only_once_it_grows_another_way(
    tmp_path: Path,
) -> None:
    async with two_people(tmp_path) as pair:
        log = pair.world.directory.log
        ahead = SimLog("the log", agrees=log)
        ahead.grow(5)
        pair.harbor.shown = ahead
        await asyncio.sleep(2 * 3600)
        assert _alarms(pair.alice) == []
        fork = SimLog("another way", agrees=SimLog("the log"))
        fork.grow(8)
        log.headers[:] = fork.headers
        await until(lambda: _alarms(pair.alice), "the alarm is raised", 2 * 3600)
        (found,) = pair.alice.engine.trust.evidence()
        assert found.source == pair.harbor.name


@simulated
async def test_a_root_that_changes_and_changes_back_leaves_its_alarm(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        good = UserDescriptor(pair.beach.name, pair.bobby.keys.hash).blob()
        new = pair.bobby.change_root("mallory")
        pair.beach.adopt(pair.bobby.name, new.chain, new.signed_medium_key())
        await asyncio.sleep(120)
        blocked = await pair.alice.write(pair.bobby, "who are you?")
        await until(lambda: pair.alice.engine.conversations.chats()[0].alarm, "the alarm is raised", 60)
        pair.world.directory.set_value(pair.bobby.name, pair.bobby.keys.secret, good)
        await asyncio.sleep(600)
        assert pair.alice.engine.conversations.chats()[0].alarm, "a person has to see that"
        assert pair.alice.find(blocked.id).state is SendState.QUEUED
        pair.alice.engine.conversations.acknowledge_alarm(pair.bobby.name)
        await until(lambda: len(_alarms(pair.alice)) == 2, "that it changed back is an alarm as well", 60)
        pair.alice.engine.conversations.acknowledge_alarm(pair.bobby.name)
        await pair.bobby.gets(pair.alice, "hello", "who are you?", limit_s=200)


@simulated
async def test_somebody_known_whom_the_directory_denies_loses_no_message_either_way(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(120)
        pair.world.directory.denied |= {pair.alice.name, pair.bobby.name}
        to_bobby = await pair.alice.write(pair.bobby, "do you get this?")
        to_alice = await pair.bobby.write(pair.alice, "do you?")
        await asyncio.sleep(600)
        assert pair.alice.find(to_bobby.id).state is SendState.QUEUED
        assert pair.bobby.find(to_alice.id).state is SendState.QUEUED
        pair.world.directory.denied.clear()
        await pair.bobby.gets(pair.alice, "hello", "do you get this?", limit_s=200)
        await pair.alice.gets(pair.bobby, "hi", "do you?", limit_s=200)


@simulated
async def test_a_server_that_the_directory_denies_is_waited_for(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(120)
        pair.world.directory.denied.add(pair.beach.name)
        message = await pair.alice.write(pair.bobby, "where do you live?")
        await asyncio.sleep(600)
        assert pair.alice.find(message.id).state is SendState.QUEUED
        pair.world.directory.denied.clear()
        await pair.bobby.gets(pair.alice, "hello", "where do you live?", limit_s=200)
