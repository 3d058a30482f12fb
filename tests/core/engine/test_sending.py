"""What becomes of a message that is written (spec: client.md, Sending)."""

import asyncio
from pathlib import Path

import pytest

from tests.sim.faults import ROUGH
from tests.sim.home_server import ReferenceServer
from tests.sim.people import nothing_but_messages, two_people
from tests.sim.virtual_time import simulated, until
from xirtam_core.chat import LONGEST_TEXT, Connection, SendState
from xirtam_core.errors import DiskFull, Malformed, NotFound, Refused
from xirtam_core.events import MessageAdded, MessageChanged, MessageRemoved
from xirtam_core.names import Username
from xirtam_core.storage import messages, outbox
from xirtam_core.storage.outbox import Leg


@simulated
async def test_a_message_arrives_and_its_author_sees_it_sent(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await pair.alice.write(pair.bobby, "hello")
        assert message.state is SendState.QUEUED
        await pair.bobby.gets(pair.alice, "hello")
        await pair.alice.has_sent(message)
        states = [
            event.message.state
            for event in pair.alice.events
            if isinstance(event, MessageChanged) and event.message.id == message.id
        ]
        assert states[:2] == [SendState.SENDING, SendState.SENT]


@simulated
async def test_a_message_reaches_somebody_on_a_reference_server(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=ReferenceServer) as pair:
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        await pair.bobby.write(pair.alice, "hello yourself")
        await pair.alice.gets(pair.bobby, "hello yourself")


@simulated
async def test_a_message_to_oneself_is_sent_once(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await pair.alice.write(pair.alice, "milk, eggs")
        await until(lambda: pair.alice.find(message.id).received_at is not None, "it is in the mailbox")
        await asyncio.sleep(60)
        assert pair.alice.texts(pair.alice) == ["milk, eggs"]
        assert len(pair.harbor.mailbox(pair.alice.name).entries) == 1


@simulated
async def test_what_was_queued_without_a_network_goes_out_once_there_is_one(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.alice.end.is_cut = True
        await pair.alice.restart()
        for text in ("one", "two", "three"):
            await pair.alice.write(pair.bobby, text)
        await asyncio.sleep(3600)
        await pair.alice.restart()
        await asyncio.sleep(3600)
        pair.alice.end.is_cut = False
        await pair.bobby.gets(pair.alice, "one", "two", "three", limit_s=120)


@simulated
async def test_a_message_sent_while_the_server_is_down_arrives_once_it_is_back(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.machine(pair.beach).stop()
        message = await pair.alice.write(pair.bobby, "are you there?")
        await asyncio.sleep(6 * 3600)
        found = pair.alice.find(message.id)
        assert found.state is SendState.QUEUED
        assert found.failure
        pair.world.machine(pair.beach).start()
        await pair.bobby.gets(pair.alice, "are you there?", limit_s=120)
        await pair.alice.has_sent(message)
        assert pair.alice.find(message.id).failure is None


@simulated
async def test_a_dead_server_holds_up_nobody_else(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        carol = pair.world.device("carol", pair.harbor)
        carol.start()
        pair.world.machine(pair.beach).stop()
        await pair.alice.write(pair.bobby, "this one waits")
        began = pair.world.clock.now_ns()
        await pair.alice.write(carol, "this one does not")
        await carol.gets(pair.alice, "this one does not")
        assert pair.world.clock.now_ns() - began < 2e9


@simulated
async def test_a_crash_between_the_legs_sends_only_the_one_that_is_missing(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        nothing_but_messages(pair)
        pair.world.machine(pair.harbor).stop()
        message = await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        assert outbox.queues(pair.alice.database) == [(pair.bobby.name, Leg.SELF)]
        await pair.alice.restart()
        pair.world.machine(pair.harbor).start()
        await until(lambda: pair.alice.find(message.id).received_at is not None, "the own copy is in the mailbox")
        assert len(pair.harbor.mailbox(pair.alice.name).entries) == 1
        assert len(pair.beach.mailbox(pair.bobby.name).entries) == 1
        assert outbox.queues(pair.alice.database) == []


@simulated
async def test_a_copy_whose_answer_got_lost_is_sent_again_and_shown_once(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.faults.only, pair.world.faults.lost_reply = "v1_mailbox_send", 1.0
        message = await pair.alice.write(pair.bobby, "hello")
        await until(
            lambda: len(pair.beach.mailboxes) and pair.beach.mailbox(pair.bobby.name).entries, "a copy is there", 30
        )
        pair.world.faults.lost_reply = 0.0
        await pair.alice.has_sent(message)
        await asyncio.sleep(120)
        assert len(pair.beach.mailbox(pair.bobby.name).entries) > 1
        assert pair.bobby.texts(pair.alice) == ["hello"]


@simulated
async def test_a_rough_network_delivers_everything_in_order(tmp_path: Path) -> None:
    async with two_people(tmp_path, faults=ROUGH) as pair:
        texts = [f"number {number}" for number in range(15)]
        for text in texts:
            await pair.alice.write(pair.bobby, text)
        await pair.bobby.gets(pair.alice, *texts)


@simulated
async def test_a_refusal_that_stands_after_a_fresh_look_up_fails_the_message_with_its_reason(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        nothing_but_messages(pair)
        pair.beach.mailbox(pair.bobby.name).takes_messages = False
        message = await pair.alice.write(pair.bobby, "hello")
        await until(lambda: pair.alice.find(message.id).state is SendState.FAILED, "it fails", 30)
        assert pair.alice.find(message.id).failure == "their server does not take it"
        assert pair.world.machine(pair.beach).calls.count("v1_mailbox_send") == 2
        assert pair.world.machine(pair.beach).calls.count("v1_device_medium_pks") == 2
        await asyncio.sleep(3600)
        assert pair.world.machine(pair.beach).calls.count("v1_mailbox_send") == 2
        assert pair.harbor.mailbox(pair.alice.name).entries == []


@simulated
async def test_a_failed_message_can_be_sent_again(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        box = pair.beach.mailbox(pair.bobby.name)
        box.takes_messages = False
        message = await pair.alice.write(pair.bobby, "hello")
        await until(lambda: pair.alice.find(message.id).state is SendState.FAILED, "it fails", 30)
        await pair.alice.restart()
        box.takes_messages = True
        pair.alice.engine.conversations.retry(message.id)
        await pair.bobby.gets(pair.alice, "hello", limit_s=30)
        await pair.alice.has_sent(message)
        assert pair.alice.find(message.id).sent_at == message.sent_at


@simulated
async def test_a_failed_or_queued_message_can_be_discarded_and_never_arrives(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.machine(pair.beach).stop()
        message = await pair.alice.write(pair.bobby, "I never said that")
        await asyncio.sleep(10)
        pair.alice.engine.conversations.discard(message.id)
        assert MessageRemoved(pair.bobby.name, message.id) in pair.alice.events
        assert pair.alice.texts(pair.bobby) == []
        pair.world.machine(pair.beach).start()
        await pair.alice.write(pair.bobby, "but this")
        await pair.bobby.gets(pair.alice, "but this")
        assert pair.alice.engine.conversations.status().queued == 0


@simulated
async def test_a_message_that_is_on_its_way_cannot_be_taken_back_and_no_other_takes_its_place(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.faults.latency_s = 20.0
        message = await pair.alice.write(pair.bobby, "first")
        await until(lambda: pair.beach.mailbox(pair.bobby.name).entries, "it is on its way", 300)
        with pytest.raises(Refused):
            pair.alice.engine.conversations.discard(message.id)
        pair.world.faults.latency_s = 0.0
        await pair.alice.write(pair.bobby, "second")
        await pair.bobby.gets(pair.alice, "first", "second")
        assert pair.alice.texts(pair.bobby) == ["first", "second"]


@simulated
async def test_what_was_sent_cannot_be_discarded(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await pair.alice.write(pair.bobby, "hello")
        await pair.alice.has_sent(message)
        with pytest.raises(Refused):
            pair.alice.engine.conversations.discard(message.id)
        with pytest.raises(NotFound):
            pair.alice.engine.conversations.discard("00" * 32)
        with pytest.raises(NotFound):
            pair.alice.engine.conversations.retry("not an id")


@simulated
async def test_a_queued_message_is_sent_at_once_when_asked_to(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        machine = pair.world.machine(pair.beach)
        machine.stop()
        message = await pair.alice.write(pair.bobby, "hello")
        await asyncio.sleep(3600)
        machine.start()
        pair.alice.engine.conversations.retry(message.id)
        await pair.alice.has_sent(message, limit_s=2)


@simulated
async def test_a_message_to_a_name_that_nobody_has_fails(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.directory.is_down = True
        message = await pair.alice.write(Username("@nobody"), "hello?")
        await asyncio.sleep(60)
        assert pair.alice.find(message.id).state is SendState.QUEUED
        pair.world.directory.is_down = False
        await until(lambda: pair.alice.find(message.id).state is SendState.FAILED, "it fails", 120)
        assert "no user @nobody" in str(pair.alice.find(message.id).failure)


@simulated
async def test_a_home_server_that_forgot_this_device_does_not_fail_its_messages(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        carol = pair.world.device("carol", pair.harbor)
        carol.start()
        await asyncio.sleep(5)
        pair.harbor.forget_tokens()
        pair.world.directory.is_down = True  # so signing in again is put off, too
        message = await pair.alice.write(carol, "hello")
        await asyncio.sleep(600)
        pair.world.directory.is_down = False
        await carol.gets(pair.alice, "hello")
        await pair.alice.has_sent(message)
        await until(
            lambda: pair.alice.engine.conversations.status().connection is Connection.CONNECTED, "it is connected", 120
        )


@simulated
async def test_the_time_of_sending_only_ever_grows_even_when_the_clock_goes_back(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        times = [(await pair.alice.write(pair.bobby, "one")).sent_at]
        for offset_s in (-3600.0, -7200.0, 50.0, -1e6):
            pair.alice.clock.offset_s = offset_s
            await pair.alice.restart()
            times += [(await pair.alice.write(pair.bobby, f"{offset_s} {again}")).sent_at for again in (1, 2)]
        assert times == sorted(set(times))
        texts = [f"{offset} {again}" for offset in (-3600.0, -7200.0, 50.0, -1e6) for again in (1, 2)]
        await pair.bobby.gets(pair.alice, "one", *texts)
        assert pair.alice.texts(pair.bobby) == ["one", *texts]


@simulated
async def test_what_cannot_be_sent_is_refused_before_it_is_queued(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        chat = await pair.alice.engine.conversations.start_chat(pair.bobby.name)
        for text in ("", "  \n", "half a character \ud83d", "x" * (LONGEST_TEXT + 1)):
            with pytest.raises(Malformed):
                pair.alice.engine.conversations.send_text(chat.id, text)
        with pytest.raises(NotFound):
            pair.alice.engine.conversations.send_text("@nobody", "hello")
        assert pair.alice.texts(pair.bobby) == []


@simulated
async def test_the_longest_text_fits_through_every_layer(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        text = "ü" * (LONGEST_TEXT // 2)
        await pair.alice.write(pair.bobby, text)
        await pair.bobby.gets(pair.alice, text)


@simulated
async def test_nobody_is_told_of_a_message_that_could_not_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "hello"))

        def fail(*_: object) -> None:
            raise DiskFull("no room")

        monkeypatch.setattr(messages, "note_once", fail)
        pair.alice.events.clear()
        with pytest.raises(DiskFull):
            pair.alice.engine.conversations.send_text(pair.bobby.name, "lost", once="a call")
        assert not any(isinstance(event, MessageAdded) for event in pair.alice.events)
        assert pair.alice.texts(pair.bobby) == ["hello"]
