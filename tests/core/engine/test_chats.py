"""A chat as its reader sees it: in order, page by page, with what is unread and what was being written."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests import builders
from tests.sim.people import two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import KEY
from xirtam_core.chat import DraftEdit, Message, Page, SendState
from xirtam_core.errors import NotFound
from xirtam_core.events import ChatChanged
from xirtam_core.names import Username
from xirtam_core.storage import chats, messages, places
from xirtam_core.storage.database import Database

ALICE, BOBBY = Username("@alice"), Username("@bobby")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "account.db", KEY)
    opened.execute("PRAGMA synchronous = OFF")
    yield opened
    opened.close()


def _theirs(database: Database, number: int, received_at: int) -> None:
    event = builders.text_event(ALICE, f"theirs {number}", number)
    messages.insert(
        database, BOBBY, BOBBY, event, event.hash(), is_mine=False, received_at_ns=received_at, position_ns=received_at
    )


def _mine(database: Database, number: int, now: int) -> int:
    event = builders.text_event(BOBBY, f"mine {number}", number)
    position = places.next_position(database, BOBBY, now)
    stored = messages.insert(
        database,
        BOBBY,
        ALICE,
        event,
        event.hash(),
        is_mine=True,
        received_at_ns=None,
        position_ns=position,
        state=SendState.QUEUED,
    )
    assert stored is not None
    return stored.row


def _empty(database: Database) -> None:
    database.execute("DELETE FROM messages")
    database.execute("DELETE FROM chats")
    chats.open_chat(database, BOBBY, 1)


def _all(database: Database) -> list[Message]:
    return list(messages.page(database, BOBBY, None, None, 10_000).messages)


_hypothesis = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_hypothesis
@given(
    places=st.lists(st.integers(1, 50), unique=True, max_size=20),
    bound=st.integers(0, 51),
    limit=st.integers(1, 8),
    backwards=st.booleans(),
)
def test_a_page_is_a_run_without_a_gap_and_says_truly_what_lies_beyond(
    database: Database, places: list[int], bound: int, limit: int, backwards: bool
) -> None:
    _empty(database)
    for place in places:
        _theirs(database, place, place)
    page = messages.page(database, BOBBY, bound if backwards else None, None if backwards else bound, limit)
    found = [message.position for message in page.messages]
    ordered = sorted(places)
    wanted = [place for place in ordered if (place < bound if backwards else place > bound)]
    assert found == (wanted[-limit:] if backwards else wanted[:limit])
    low, high = (found[0], found[-1]) if found else ((bound, bound - 1) if backwards else (bound + 1, bound))
    assert page.has_earlier is any(place < low for place in places)
    assert page.has_later is any(place > high for place in places)


@_hypothesis
@given(places=st.lists(st.integers(1, 60), unique=True, max_size=25), bound=st.integers(0, 61))
def test_messages_are_counted_and_found_by_how_many_come_before(
    database: Database, places: list[int], bound: int
) -> None:
    _empty(database)
    for place in places:
        _theirs(database, place, place)
    assert messages.count(database, BOBBY, bound) == sum(place < bound for place in places)
    found = [messages.position_of(database, BOBBY, number) for number in range(len(places) + 1)]
    assert found == [*sorted(places), None]


@_hypothesis
@given(places=st.lists(st.integers(1, 60), unique=True, max_size=25), limit=st.integers(1, 7))
def test_turning_pages_either_way_shows_every_message_once(database: Database, places: list[int], limit: int) -> None:
    _empty(database)
    for place in places:
        _theirs(database, place, place)
    back: list[int] = []
    page: Page | None = None
    while page is None or page.has_earlier:
        page = messages.page(database, BOBBY, back[0] if back else None, None, limit)
        back = [message.position for message in page.messages] + back
    forth: list[int] = []
    page = None
    while page is None or page.has_later:
        page = messages.page(database, BOBBY, None, forth[-1] if forth else 0, limit)
        forth += [message.position for message in page.messages]
    assert back == forth == sorted(places)


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("theirs"), st.integers(1, 15)),
        st.tuples(st.just("mine"), st.integers(1, 15)),
        st.tuples(st.just("arrived"), st.integers(1, 15)),
    ),
    max_size=25,
)


def _replay(database: Database, steps: list[tuple[str, int]], *, tick: int) -> Iterator[list[Message]]:
    """The chat after each step. Both clocks are told by `at`; the server's counts in ticks and only grows."""
    _empty(database)
    waiting: list[int] = []
    server_now = 0
    for number, (what, at) in enumerate(steps):
        if what == "mine":
            waiting.append(_mine(database, number, at * tick + 1))
        else:
            server_now = max(server_now + 1, at)
            if what == "theirs":
                _theirs(database, number, server_now * tick)
            elif waiting:
                messages.arrived(database, waiting.pop(0), server_now * tick)
        yield _all(database)


@_hypothesis
@given(steps=_steps, tick=st.sampled_from([1, 100]))
def test_positions_are_unique_and_final_once_a_server_has_the_message(
    database: Database, steps: list[tuple[str, int]], tick: int
) -> None:
    final: dict[str, int] = {}
    for found in _replay(database, steps, tick=tick):
        assert len({message.position for message in found}) == len(found)
        for message in found:
            if message.received_at is not None:
                assert final.setdefault(message.id, message.position) == message.position


@_hypothesis
@example(steps=[("mine", 1), ("mine", 1), ("mine", 5), ("arrived", 3)])
@given(steps=_steps)
def test_a_chat_has_the_order_of_the_mailbox_and_own_messages_that_of_writing(
    database: Database, steps: list[tuple[str, int]]
) -> None:
    for found in _replay(database, steps, tick=100):  # in nanoseconds the two clocks hardly ever meet
        own = [int(message.text.split()[1]) for message in found if message.mine]
        assert own == sorted(own)
        arrived = [message.received_at for message in found if message.received_at is not None]
        assert arrived == sorted(arrived)


@simulated
async def test_unread_counts_what_came_after_the_mark_and_is_from_the_other(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for number in range(3):
            await pair.alice.write(pair.bobby, f"number {number}")
        await pair.bobby.gets(pair.alice, "number 0", "number 1", "number 2")
        await pair.bobby.write(pair.alice, "what?")
        first = pair.bobby.messages(pair.alice)[0]
        chat = pair.bobby.engine.conversations.chats()[0]
        assert (chat.unread, chat.read_up_to) == (3, 0)
        pair.bobby.engine.conversations.mark_read(chat.id, first.position)
        assert pair.bobby.engine.conversations.chats()[0].unread == 2
        pair.bobby.engine.conversations.mark_read(chat.id, first.position - 1)
        assert pair.bobby.engine.conversations.chats()[0].unread == 2, "a mark never goes back"
        await pair.bobby.restart()
        chat = pair.bobby.engine.conversations.chats()[0]
        assert (chat.unread, chat.read_up_to) == (2, first.position)
        pair.bobby.engine.conversations.mark_read(chat.id, 2**100)
        assert pair.bobby.engine.conversations.chats()[0].unread == 0
        assert [event.chat.unread for event in pair.bobby.events if isinstance(event, ChatChanged)][-1] == 0
        with pytest.raises(NotFound):
            pair.bobby.engine.conversations.mark_read("@nobody", 1)


@simulated
async def test_reading_up_to_an_own_message_that_waits_does_not_read_what_comes_after(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.bobby.write(pair.alice, "hello")
        await pair.alice.gets(pair.bobby, "hello")
        pair.alice.clock.offset_s = 300.0  # so what Alice writes has a place five minutes ahead until a server has it
        pair.world.machine(pair.beach).stop()
        message = await pair.alice.write(pair.bobby, "I have read that")
        pair.alice.engine.conversations.mark_read(pair.bobby.name, message.position)
        assert pair.alice.engine.conversations.chats()[0].unread == 0
        event = builders.text_event(pair.alice.name, "and this?")
        await pair.world.post(pair.alice, builders.sealed_message(pair.bobby.keys, event, [pair.alice.keys]))
        await pair.alice.gets(pair.bobby, "hello", "and this?")
        assert pair.alice.engine.conversations.chats()[0].unread == 1


@simulated
async def test_a_message_that_is_queued_is_no_draft_any_more_whatever_happens_next(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.engine.conversations.start_chat(pair.bobby.name)
        pair.alice.engine.conversations.set_draft(pair.bobby.name, "see you at six\n")
        pair.alice.engine.conversations.send_text(pair.bobby.name, "see you at six")
        await pair.alice.restart()
        assert [chat.draft for chat in pair.alice.engine.conversations.chats()] == [""]
        pair.alice.engine.conversations.set_draft(pair.bobby.name, "another thing")
        pair.alice.engine.conversations.send_text(pair.bobby.name, "first this")
        assert [chat.draft for chat in pair.alice.engine.conversations.chats()] == ["another thing"]


@simulated
async def test_a_draft_outlives_a_crash_and_each_chat_has_its_own(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.engine.conversations.start_chat(pair.bobby.name)
        await pair.alice.engine.conversations.start_chat(pair.alice.name)
        pair.alice.engine.conversations.set_draft(pair.bobby.name, "I was about to say \ud83d")
        await pair.alice.restart()
        drafts = {chat.peer: chat.draft for chat in pair.alice.engine.conversations.chats()}
        assert drafts == {pair.bobby.name: "I was about to say ?", pair.alice.name: ""}
        with pytest.raises(NotFound):
            pair.alice.engine.conversations.set_draft("@nobody", "hello")


@simulated
async def test_what_a_draft_is_for_outlives_a_crash_and_ends_with_the_sending_or_the_edit(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        said = await pair.alice.write(pair.bobby, "see yuo")
        draft = pair.alice.engine.conversations.set_draft
        draft(pair.bobby.name, "half a thought", reply_to=said.id, edit=DraftEdit(said.id, "see you \ud83d"))
        await pair.alice.restart()
        conversations = pair.alice.engine.conversations
        (chat,) = conversations.chats()
        assert (chat.draft, chat.draft_reply_to, chat.draft_edit) == (
            "half a thought",
            said.id,
            DraftEdit(said.id, "see you ?"),
        )
        conversations.edit(pair.bobby.name, said.id, "see you")
        await pair.alice.restart()
        conversations = pair.alice.engine.conversations
        (chat,) = conversations.chats()
        assert (chat.draft, chat.draft_reply_to, chat.draft_edit) == ("half a thought", said.id, None)
        conversations.send_text(pair.bobby.name, "half a thought", reply_to=said.id)
        await pair.alice.restart()
        (chat,) = pair.alice.engine.conversations.chats()
        assert (chat.draft, chat.draft_reply_to) == ("", None)


@simulated
async def test_where_a_chat_was_put_outlives_a_restart_and_changes_nothing_else(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        before = await pair.alice.engine.conversations.start_chat(pair.bobby.name)
        assert not before.is_muted
        pair.alice.engine.conversations.arrange(pair.bobby.name, pinned=True, muted=True)
        pair.alice.engine.conversations.arrange(pair.bobby.name, archived=True, pinned=False)
        await pair.alice.restart()
        (chat,) = pair.alice.engine.conversations.chats()
        assert chat == msgspec.structs.replace(before, is_muted=True, is_archived=True)
        with pytest.raises(NotFound):
            pair.alice.engine.conversations.arrange("@nobody", muted=True)


@simulated
async def test_the_chat_with_the_newest_message_comes_first(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        carol = pair.world.device("carol", pair.harbor)
        carol.start()
        await pair.alice.write(carol, "first")
        await asyncio.sleep(10)
        await pair.alice.write(pair.bobby, "second")
        assert [chat.peer for chat in pair.alice.engine.conversations.chats()] == [pair.bobby.name, carol.name]
        await asyncio.sleep(10)
        await carol.write(pair.alice, "third")
        await pair.alice.gets(carol, "third")
        assert [chat.peer for chat in pair.alice.engine.conversations.chats()] == [carol.name, pair.bobby.name]


@simulated
async def test_a_message_that_waits_stays_behind_what_arrives_meanwhile_until_a_server_has_it(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        await until(lambda: all(each.received_at for each in pair.alice.messages(pair.bobby)), "the own copy is there")
        pair.world.machine(pair.beach).stop()
        await pair.alice.write(pair.bobby, "waiting 1")
        await pair.alice.write(pair.bobby, "waiting 2")
        event = builders.text_event(pair.alice.name, "meanwhile")
        await asyncio.sleep(5)
        await pair.world.post(pair.alice, builders.sealed_message(pair.bobby.keys, event, [pair.alice.keys]))
        await pair.alice.gets(pair.bobby, "meanwhile")
        pair.world.machine(pair.beach).start()
        await until(
            lambda: all(each.received_at for each in pair.alice.messages(pair.bobby) if each.mine), "all is sent"
        )
        assert pair.alice.texts(pair.bobby) == ["hello", "meanwhile", "waiting 1", "waiting 2"]
        positions = [message.position for message in pair.alice.messages(pair.bobby)]
        assert positions == sorted(set(positions))
