"""Whatever the network does and whenever a device loses power: each message arrives once, and a sender's in their order."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from tests.sim.faults import Faults
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import OUT, SimDevice

_MESSAGES = 12
_TROUBLE_S = 150.0
_SEEDS = range(20)
_MANY_SEEDS = range(20, 500)


async def _write(pair: Pair, author: SimDevice, peer: SimDevice) -> list[str]:
    """Has `author` write now and then; gives the texts that were accepted, in order."""
    accepted: list[str] = []
    for number in range(_MESSAGES):
        await asyncio.sleep(pair.world.chance.uniform(0, _TROUBLE_S / _MESSAGES))
        text = f"{author.name} {number}"
        while text not in accepted:
            await until(lambda: author.is_running, "it is back")
            with contextlib.suppress(dbapi2.ProgrammingError):  # the power went before the message was accepted
                await author.write(peer, text)
                accepted.append(text)
    return accepted


async def _lose_power_again_and_again(pair: Pair, device: SimDevice) -> None:
    chance = pair.world.chance
    loop = asyncio.get_running_loop()
    while loop.time() < _TROUBLE_S:
        await asyncio.sleep(chance.uniform(0, 20))
        for _ in range(chance.randrange(12)):  # not only where a timer ends, but some steps after it
            await asyncio.sleep(0)
        assert not device.has_failed
        await device.crash()
        await asyncio.sleep(chance.choice((0.0, 5.0)))
        device.start()


async def _go_down_again_and_again(pair: Pair, server: SimHomeServer) -> None:
    chance, machine = pair.world.chance, pair.world.machine(server)
    while asyncio.get_running_loop().time() < _TROUBLE_S:
        await asyncio.sleep(chance.uniform(5, 40))
        machine.stop()
        await asyncio.sleep(chance.uniform(0, 15))
        machine.start()
        if chance.random() < 0.3:
            server.forget_tokens()


async def _directory_comes_and_goes(pair: Pair) -> None:
    chance, directory = pair.world.chance, pair.world.directory
    while asyncio.get_running_loop().time() < _TROUBLE_S:
        directory.is_down = chance.random() < 0.4
        await asyncio.sleep(chance.uniform(1, 30))
    directory.is_down = False


async def _trouble(place: Path, seed: int) -> None:
    kinds = (SimHomeServer, ReferenceServer)
    faults = Faults(lost_request=0.1, lost_reply=0.15, busy=0.1, latency_s=0.4)
    async with two_people(place, seed=seed, faults=faults, harbor=kinds[seed % 2], beach=kinds[seed // 2 % 2]) as pair:
        alice, bobby = pair.alice, pair.bobby
        async with asyncio.TaskGroup() as tasks:
            said = tasks.create_task(_write(pair, alice, bobby)), tasks.create_task(_write(pair, bobby, alice))
            for device in (alice, bobby):
                tasks.create_task(_lose_power_again_and_again(pair, device))
            for server in (pair.harbor, pair.beach):
                tasks.create_task(_go_down_again_and_again(pair, server))
            tasks.create_task(_directory_comes_and_goes(pair))
        by_alice, by_bobby = (task.result() for task in said)
        await until(lambda: _is_settled(alice) and _is_settled(bobby), "everything is sent and understood")
        for device, peer, mine, theirs in ((alice, bobby, by_alice, by_bobby), (bobby, alice, by_bobby, by_alice)):
            assert device.texts(peer, mine=False) == theirs
            assert device.texts(peer, mine=True) == mine
            stored = [each.message.text for each in device.engine.conversations.received(0, 1000)]
            if isinstance(pair.world.home_of(device), ReferenceServer):
                stored.sort(key=theirs.index)  # there a message may become visible after one that was sent later
            assert stored == theirs
            assert device.engine.conversations.status().rejected == 0


def _is_settled(device: SimDevice) -> bool:
    if not device.is_running:
        return False
    messages = [message for chat in device.engine.conversations.chats() for message in device.messages(chat.peer)]
    is_all_sent = all(message.state in OUT and message.received_at is not None for message in messages if message.mine)
    return is_all_sent and len(messages) == 2 * _MESSAGES


@pytest.mark.parametrize("seed", _SEEDS)
def test_each_message_arrives_once_and_in_order(tmp_path: Path, seed: int) -> None:
    simulated(_trouble)(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", _MANY_SEEDS)
def test_each_message_arrives_once_and_in_order_under_many_more_seeds(tmp_path: Path, seed: int) -> None:
    simulated(_trouble)(tmp_path, seed)
