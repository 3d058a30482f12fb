"""Receipts: that a message has arrived and has been read, said to contacts who understand it, if the settings allow."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.core.engine.said_about import only, post_control, target_of
from tests.sim.people import Pair, acquaint, nothing_but_messages, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import SendState
from xirtam_core.events import MessageChanged
from xirtam_core.people import Standing
from xirtam_core.protocol.control import RECEIPT, Receipt
from xirtam_core.storage import people, settings


def _states(device: SimDevice, peer: SimDevice) -> list[SendState | None]:
    return [message.state for message in device.messages(peer) if message.mine]


def _choose(device: SimDevice, **values: bool) -> None:
    settings.store(device.database, msgspec.structs.replace(settings.load(device.database), **values))


def _reads_all(device: SimDevice, peer: SimDevice) -> None:
    device.engine.conversations.mark_read(peer.name, device.messages(peer)[-1].position)


def _count(pair: Pair) -> int:
    return len(pair.harbor.mailbox(pair.alice.name).entries)


@simulated
async def test_an_author_sees_their_messages_delivered_and_read(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        await until(lambda: _states(pair.alice, pair.bobby) == [SendState.DELIVERED], "the first is delivered", 60)
        for text in ("one", "two"):
            await pair.alice.write(pair.bobby, text)
        await until(lambda: _states(pair.alice, pair.bobby) == [SendState.DELIVERED] * 3, "all are delivered", 60)
        _reads_all(pair.bobby, pair.alice)
        await until(lambda: _states(pair.alice, pair.bobby) == [SendState.READ] * 3, "all are read", 60)
        last = pair.alice.messages(pair.bobby)[-1]
        assert MessageChanged(last) in pair.alice.events
        await asyncio.sleep(60)
        count = _count(pair)
        _reads_all(pair.bobby, pair.alice)
        await pair.bobby.restart()
        await asyncio.sleep(60)
        assert _count(pair) == count, "what has been said is not said again"


@simulated
async def test_all_devices_of_an_author_see_how_far_their_messages_have_come(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        await acquaint(pair)
        await until(lambda: tablet.texts(pair.bobby) == ["hello"], "the tablet has it", 60)
        _reads_all(pair.bobby, pair.alice)
        await until(lambda: _states(tablet, pair.bobby) == [SendState.READ], "it is read", 60)


@simulated
async def test_what_a_reader_does_not_want_to_tell_is_not_told(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        _choose(pair.bobby, send_delivered=False, send_read=False)
        await acquaint(pair)
        _reads_all(pair.bobby, pair.alice)
        await asyncio.sleep(120)
        assert _states(pair.alice, pair.bobby) == [SendState.SENT]
        _choose(pair.bobby, send_delivered=False, send_read=True)
        await pair.alice.write(pair.bobby, "two")
        await pair.bobby.gets(pair.alice, "hello", "two")
        _reads_all(pair.bobby, pair.alice)
        await until(lambda: _states(pair.alice, pair.bobby) == [SendState.READ] * 2, "it is read", 60)


@simulated
async def test_a_client_that_may_not_know_receipts_is_sent_none(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        nothing_but_messages(pair)
        message = await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        await pair.alice.has_sent(message)
        _reads_all(pair.bobby, pair.alice)
        await asyncio.sleep(120)
        assert _count(pair) == 1, "only the own copy lies in the mailbox"


@pytest.mark.parametrize("standing", [Standing.REQUEST, Standing.BLOCKED])
def test_people_who_are_no_contacts_are_told_nothing(tmp_path: Path, standing: Standing) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await acquaint(pair)
            await asyncio.sleep(60)
            people.store(pair.bobby.database, people.Person(username=pair.alice.name, standing=standing))
            _reads_all(pair.bobby, pair.alice)
            message = await pair.alice.write(pair.bobby, "hello?")
            await pair.alice.has_sent(message)
            pair.bobby.engine.conversations.react(pair.alice.name, pair.bobby.messages(pair.alice)[0].id, "👍")
            await asyncio.sleep(120)
            assert _states(pair.alice, pair.bobby) == [SendState.DELIVERED, SendState.SENT]
            assert pair.alice.messages(pair.bobby)[0].reactions == ()

    scenario()


@simulated
async def test_a_receipt_speaks_for_what_was_sent_before_and_for_the_senders_own_messages_alone(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        nothing_but_messages(pair)
        sent = [await pair.alice.write(pair.bobby, text) for text in ("one", "two", "three")]
        await pair.alice.has_sent(sent[-1])
        await pair.bobby.gets(pair.alice, "one", "two", "three")
        await pair.bobby.write(pair.alice, "mine")
        await pair.alice.gets(pair.bobby, "mine")
        mine = pair.bobby.messages(pair.alice)[-1]
        await pair.bobby.crash()  # what he says from here on is made up below
        body = Receipt(read=target_of(mine)).render()
        await post_control(pair, pair.bobby.keys, pair.alice, RECEIPT, body, builders.NOW_NS)
        read, delivered = Receipt(read=target_of(sent[0])), Receipt(delivered=target_of(sent[1]))
        for number, receipt in enumerate((read, delivered, Receipt(delivered=target_of(sent[0])))):
            await post_control(pair, pair.bobby.keys, pair.alice, RECEIPT, receipt.render(), builders.NOW_NS + number)
        expected = [SendState.READ, SendState.DELIVERED, SendState.SENT]
        await until(lambda: _states(pair.alice, pair.bobby) == expected, "each is as far as it was said", 60)
        await asyncio.sleep(60)
        assert _states(pair.alice, pair.bobby) == expected
        assert only(pair.alice, pair.bobby, mine.id).state is None


@simulated
async def test_a_receipt_settles_what_a_lost_answer_left_open(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        await asyncio.sleep(60)
        pair.world.faults.only, pair.world.faults.lost_reply = "v1_mailbox_send", 1.0
        message = await pair.alice.write(pair.bobby, "did you get it?")
        state = SendState.DELIVERED
        await until(lambda: only(pair.alice, pair.bobby, message.id).state is state, "it is delivered", 120)
        assert only(pair.alice, pair.bobby, message.id).failure is None
        pair.world.faults.lost_reply = 0.0
        await pair.alice.restart()
        await asyncio.sleep(120)
        assert only(pair.alice, pair.bobby, message.id).state is state


@simulated
async def test_receipts_that_cannot_go_out_are_one_when_they_can(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        await asyncio.sleep(60)
        count = _count(pair)
        pair.world.machine(pair.harbor).stop()
        for number in range(30):
            text = builders.text_event(pair.bobby.name, f"number {number}", builders.NOW_NS + number)
            await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, text, [pair.bobby.keys]))
            await asyncio.sleep(2)
        await until(lambda: len(pair.bobby.messages(pair.alice)) == 31, "all have come", 60)
        _reads_all(pair.bobby, pair.alice)
        pair.world.machine(pair.harbor).start()
        await asyncio.sleep(300)
        assert _count(pair) - count <= 2, "the one that was under way, and one for all the rest"
