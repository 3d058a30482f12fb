"""Reactions: each person's last word on each emoji, the same everywhere (spec: extensions.md, Control events)."""

import asyncio
import itertools
from pathlib import Path

import pytest

from tests.core.engine.said_about import only, post_control, target_of
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Message
from xirtam_core.errors import Malformed, NotFound
from xirtam_core.protocol.control import REACTION, ReactionBody


def _on(device: SimDevice, peer: SimDevice, message: Message) -> dict[str, tuple[str, ...]]:
    return {reaction.emoji: reaction.senders for reaction in only(device, peer, message.id).reactions}


async def _hello(pair: Pair) -> Message:
    message = await pair.alice.write(pair.bobby, "hello")
    await pair.bobby.gets(pair.alice, "hello")
    await pair.alice.has_sent(message)
    return message


@simulated
async def test_reactions_of_both_are_on_the_message_on_all_devices_and_can_be_taken_off(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        message = await _hello(pair)
        alice, bobby = pair.alice.name, pair.bobby.name
        pair.bobby.engine.conversations.react(alice, message.id, "👍")
        pair.bobby.engine.conversations.react(alice, message.id, "🎉")
        pair.alice.engine.conversations.react(bobby, message.id, "👍")
        both = {"👍": {alice, bobby}, "🎉": {bobby}}
        places = ((pair.alice, pair.bobby), (pair.bobby, pair.alice), (tablet, pair.bobby))

        def is_everywhere(expected: dict[str, set[str]]) -> bool:
            found = [_on(*place, message) for place in places if place[0].messages(place[1])]
            return [{emoji: set(who) for emoji, who in each.items()} for each in found] == [expected] * len(places)

        await until(lambda: is_everywhere(both), "all have all", 60)
        count = pair.bobby.engine.conversations.latest_change()
        pair.bobby.engine.conversations.react(alice, message.id, "👍")  # again, which is nothing new
        assert pair.bobby.engine.conversations.latest_change() == count
        pair.bobby.engine.conversations.react(alice, message.id, "👍", remove=True)
        await until(lambda: is_everywhere({"👍": {alice}, "🎉": {bobby}}), "it is off", 60)
        assert pair.bobby.engine.conversations.chats()[0].unread == 1
        assert len(pair.bobby.messages(pair.alice)) == 1


@simulated
async def test_a_reaction_is_one_emoji_on_a_message_that_is_there(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await _hello(pair)
        react = pair.alice.engine.conversations.react
        for text in ("", "ok", "👍👍", "\x1b[2J"):
            with pytest.raises(Malformed):
                react(pair.bobby.name, message.id, text)
        with pytest.raises(NotFound):
            react(pair.bobby.name, "00" * 32, "👍")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_last_word_counts_in_whatever_order_they_come(tmp_path: Path, order: tuple[int, ...]) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            message = await _hello(pair)
            for number in order:
                body = ReactionBody(target_of(message), "👍", remove=number == 1).render()
                await post_control(pair, pair.alice.keys, pair.bobby, REACTION, body, message.sent_at + number)
            await asyncio.sleep(30)
            assert _on(pair.bobby, pair.alice, message) == {"👍": (pair.alice.name,)}

    scenario()


@simulated
async def test_one_person_has_only_so_many_emoji_on_a_message(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await _hello(pair)
        for number in range(60):
            body = ReactionBody(target_of(message), chr(0x1F400 + number)).render()
            await post_control(pair, pair.alice.keys, pair.bobby, REACTION, body, message.sent_at + number)
        await until(lambda: chr(0x1F400 + 59) in _on(pair.bobby, pair.alice, message), "the last is there", 60)
        found = _on(pair.bobby, pair.alice, message)
        assert len(found) == 20
        assert min(found) == chr(0x1F400 + 40)
