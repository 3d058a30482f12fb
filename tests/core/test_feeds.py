"""What a bot reads: messages from others once each, and changes, from where it stopped."""

import asyncio
from pathlib import Path

import pytest

from tests.sim.client import SimClient
from tests.sim.people import two_people
from tests.sim.virtual_time import simulated
from xirtam_core import Malformed, Message, SendState
from xirtam_core.feeds import Incoming

GONE = (SendState.SENT, SendState.DELIVERED)


async def take(feed: Incoming, count: int = 1) -> list[str]:
    async with asyncio.timeout(600):
        return [(await anext(feed)).text for _ in range(count)]


async def has_nothing(feed: Incoming) -> bool:
    try:
        async with asyncio.timeout(600):
            await anext(feed)
    except TimeoutError:
        return True
    return False


@simulated
async def test_a_reader_gets_each_message_once_also_across_crashes(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        client = SimClient(pair.alice)
        for text in ("one", "two", "three"):
            await pair.bobby.write(pair.alice, text)
        assert await take(client.incoming("bot"), 2) == ["one", "two"]
        await pair.alice.restart()
        feed = client.incoming("bot")
        assert await take(feed, 2) == ["two", "three"], "nobody said that the second one was dealt with"
        await feed.done()
        await feed.done()
        await pair.alice.restart()
        assert await has_nothing(client.incoming("bot"))
        await pair.bobby.write(pair.alice, "four")
        assert await take(client.incoming("bot")) == ["four"]


@simulated
async def test_readers_of_different_names_do_not_take_messages_from_each_other(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        client = SimClient(pair.alice)
        await pair.bobby.write(pair.alice, "old")
        await pair.alice.gets(pair.bobby, "old")
        late = client.incoming("from now on", from_now=True)
        assert await has_nothing(late)
        await pair.bobby.write(pair.alice, "new")
        assert await take(client.incoming("everything"), 2) == ["old", "new"]
        assert await take(client.incoming("from now on", from_now=True)) == ["new"]
        assert await client.listened() == 0, "xirtam listen is a reader of its own"
        with pytest.raises(Malformed):
            await client.listened("x" * 65)


@simulated
async def test_a_wait_that_is_cancelled_loses_nothing(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        client = SimClient(pair.alice)
        feed = client.incoming("bot")
        assert await has_nothing(feed)
        await pair.bobby.write(pair.alice, "one")
        await pair.alice.gets(pair.bobby, "one")
        await pair.bobby.write(pair.alice, "two")
        assert await take(feed, 2) == ["one", "two"]


@simulated
async def test_a_bot_that_answers_with_a_name_for_its_answer_sends_it_once(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        client = SimClient(pair.alice)

        async def answer(message: Message) -> Message:
            return await client.send_text(message.chat, f"echo of {message.text}", once=f"bot {message.id}")

        await pair.bobby.write(pair.alice, "one")
        first = await answer(await anext(client.incoming("bot")))
        await pair.alice.restart()  # after the answer, before the message counts as dealt with
        async for message in client.incoming("bot"):
            again = await answer(message)
            assert (again.id == first.id) == (message.text == "one")
            if message.text == "two":
                break
            await pair.bobby.write(pair.alice, "two")
        await pair.bobby.gets(pair.alice, "echo of one", "echo of two")
        with pytest.raises(Malformed):
            await client.send_text(pair.bobby.name, "text", once="x" * 201)


@simulated
async def test_changes_are_followed_from_where_one_stopped(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        client = SimClient(pair.alice)
        await pair.bobby.write(pair.alice, "one")
        async for change in client.follow(0):
            assert change.message.text == "one"
            cursor = change.cursor
            break
        sent = await client.send_text(pair.bobby.name, "two")
        states: list[SendState | None] = []
        async for change in client.follow(cursor):
            assert change.message.id == sent.id
            states.append(change.message.state)
            if change.message.received_at is not None:
                break
        assert states[-1] in GONE
        await pair.alice.restart()
        async for change in client.follow(cursor):
            assert change.message.state in GONE, "only how it is now is given"
            break


@simulated
async def test_feeds_end_when_the_account_is_closed(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        async with SimClient(pair.alice) as client:
            await pair.bobby.write(pair.alice, "one")
            feed = client.incoming("bot")
            assert await take(feed) == ["one"]
            waiting = asyncio.create_task(anext(feed, None))
            ended = asyncio.create_task(client.ended())
            await asyncio.sleep(1)
            assert not ended.done()
        await ended
        await client.ended()
        assert await waiting is None
        assert [each async for each in feed] == [each async for each in client.follow(0)] == []


@simulated
async def test_pages_stay_small_whatever_peers_send(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        client, count = SimClient(pair.alice), 100
        texts = [f"{number} ".ljust(64 * 1024, "x") for number in range(count)]
        for text in texts:
            await pair.bobby.write(pair.alice, text)
        await pair.alice.gets(pair.bobby, *texts)
        newest = await client.history(pair.bobby.name, limit=1000)
        assert 32 <= len(newest.messages) <= 64
        assert newest.messages[-1].text == texts[-1]
        assert newest.has_earlier
        assert not newest.has_later
        oldest = await client.history(pair.bobby.name, after=0, limit=1000)
        assert oldest.messages[0].text == texts[0]
        assert oldest.has_later
        assert len(await client.received(0, 1000)) == len(await client.changes(0, 1000)) == len(oldest.messages)
        assert await take(client.incoming("bot"), count) == texts


@simulated
async def test_older_messages_from_another_device_are_no_news_to_a_bot(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.bobby.write(pair.alice, "long ago")
        await pair.alice.gets(pair.bobby, "long ago")
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        assert await pair.alice.engine.history.share() == 1
        await tablet.gets(pair.bobby, "long ago")
        await asyncio.sleep(120)  # for Bobby to look up Alice's devices again
        await pair.bobby.write(pair.alice, "today")
        assert await take(SimClient(tablet).incoming("bot")) == ["today"]
