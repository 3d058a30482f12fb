"""Finding messages by their words."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import builders
from tests.sim.virtual_time import simulated
from tests.sim.world import SimDevice, World
from xirtam_core.errors import NotFound
from xirtam_core.names import Username
from xirtam_core.storage import messages, texts
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import DatabaseKey

BOBBY, CAROL = Username("@bobby"), Username("@carol_x")


@asynccontextmanager
async def _alice(place: Path) -> AsyncGenerator[SimDevice, None]:
    """Somebody who has chats with @bobby and @carol_x, who are away."""
    world = World(place)
    server = world.server("~harbor")
    alice = world.device("alice", server)
    alice.start()
    try:
        for peer in (BOBBY, CAROL):
            world.device(peer.bare, server)
            await alice.engine.conversations.start_chat(peer)
        yield alice
    finally:
        await world.close()


def found(
    alice: SimDevice, text: str, chat: str | None = None, before: int | None = None, limit: int = 50
) -> list[str]:
    """The texts that a search gives, newest first."""
    answer = alice.engine.conversations.search(text, chat=chat, before=before, limit=limit)
    return [each.message.text for each in answer]


@simulated
async def test_all_words_are_looked_for_and_the_last_one_as_a_beginning(tmp_path: Path) -> None:
    async with _alice(tmp_path) as alice:
        for text in ("the red boat", "a red house", "boats are red", "blue Boat"):
            await alice.write(BOBBY, text)
        assert found(alice, "red") == ["boats are red", "a red house", "the red boat"]
        assert found(alice, "red bo") == ["boats are red", "the red boat"]
        assert found(alice, "boat red") == ["the red boat"], "only the last word is taken as a beginning"
        assert found(alice, "BOAT") == ["blue Boat", "boats are red", "the red boat"]
        assert found(alice, "oat") == []


@simulated
async def test_words_between_quotation_marks_follow_each_other(tmp_path: Path) -> None:
    async with _alice(tmp_path) as alice:
        for text in ("the red boat", "a boat, red all over", "Red, boat-like"):
            await alice.write(BOBBY, text)
        assert found(alice, '"red boat"') == ["Red, boat-like", "the red boat"]
        assert found(alice, '"red bo"') == [], "a closed mark ends the word"
        assert found(alice, '"red bo') == ["Red, boat-like", "the red boat"]
        assert found(alice, 'the "red boat') == found(alice, "“red boat” the") == ["the red boat"]
        assert found(alice, '"boat red" ov') == ["a boat, red all over"]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Generator[Database]:
    database = Database(tmp_path_factory.mktemp("index") / "account.db", DatabaseKey(bytes(32)))
    yield database
    database.close()


_signs = st.text(st.sampled_from("\"*()-+^:{}~,.“”'\\\0 \ud800aN🐢é") | st.characters(), max_size=30)


@given(
    st.lists(
        _signs | st.sampled_from(["NEAR", "AND", "OR", "NOT", "NEAR(", "text:", "chat :", '"a"', "a*"]), max_size=6
    )
)
def test_no_sign_that_is_typed_is_an_error(index: Database, typed: list[str]) -> None:
    texts.rows(index, " ".join(typed), "@bobby", 1 << 60, 5)
    texts.rows(index, "".join(typed), None, 1 << 60, 5)


@simulated
async def test_accents_and_strokes_make_no_difference(tmp_path: Path) -> None:
    async with _alice(tmp_path) as alice:
        for text in ("żółw idzie", "cafe\u0301 au lait", "Ørsted", "Đorđe"):
            await alice.write(BOBBY, text)
        for typed in ("żółw", "zolw", "ZÓŁW", "zo\u0301łw"):
            assert found(alice, typed) == ["żółw idzie"], typed
        assert found(alice, "café") == found(alice, "cafe") == ["cafe\u0301 au lait"]
        assert found(alice, "orsted") == ["Ørsted"]
        assert found(alice, "dorde") == ["Đorđe"]


@simulated
async def test_whatever_a_person_types_is_taken_for_words(tmp_path: Path) -> None:
    async with _alice(tmp_path) as alice:
        for text in ("say NOT now", 'he said "hello there"', "don't panic", "e-mail me at a@b.example", "🐢 slow"):
            await alice.write(BOBBY, text)
        assert found(alice, "say NOT") == ["say NOT now"]
        assert found(alice, '"hello') == ['he said "hello there"']
        assert found(alice, "don't") == ["don't panic"]
        assert found(alice, "e-mail") == ["e-mail me at a@b.example"]
        assert found(alice, "🐢 slow") == ["🐢 slow"]
        for nothing in (
            "",
            "   ",
            "!?",
            '"',
            '""',
            "🐢",
            "*",
            "-",
            "\0",
            "\ud800",
            "NEAR(",
            "chat:x",
            "text : now OR",
            "^now +",
            "{}",
        ):
            found(alice, nothing)
        for nothing in ("", " ", "🐢", '"" *', "\0", "()"):
            assert found(alice, nothing) == []
        assert found(alice, "now\0") == ["say NOT now"]
        assert found(alice, "slow " * 5000) == ["🐢 slow"]


@simulated
async def test_one_chat_is_searched_alone_where_that_is_asked(tmp_path: Path) -> None:
    async with _alice(tmp_path) as alice:
        await alice.write(BOBBY, "tree for bobby")
        await alice.write(CAROL, "tree for carol")
        assert found(alice, "tree") == ["tree for carol", "tree for bobby"]
        assert found(alice, "tree", BOBBY) == ["tree for bobby"]
        assert found(alice, "tree", CAROL) == ["tree for carol"]
        assert found(alice, "carol", BOBBY) == []
        assert found(alice, "ƿ") == [], "how the index names chats is found by nobody"
        with pytest.raises(NotFound):
            found(alice, "tree", "@nobody")


@simulated
async def test_an_answer_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    async with _alice(tmp_path) as alice:
        written = [(await alice.write(BOBBY, f"word {number}")).text for number in range(25)]
        pages: list[str] = []
        before: int | None = None
        while page := alice.engine.conversations.search("word", before=before, limit=10):
            pages.extend(each.message.text for each in page)
            before = page[-1].cursor
        assert pages == written[::-1]


@simulated
async def test_what_was_deleted_or_changed_is_found_as_it_is_now(tmp_path: Path) -> None:
    async with _alice(tmp_path) as alice:
        gone, edited = await alice.write(BOBBY, "secret one"), await alice.write(BOBBY, "secret two")
        alice.engine.conversations.discard(gone.id)
        assert found(alice, "secret") == ["secret two"]
        row = messages.find(alice.database, edited.id)
        assert row is not None
        texts.replace(alice.database, row.row, row.message.chat, "public")
        assert found(alice, "secret") == []
        assert len(found(alice, "public")) == 1
        texts.remove(alice.database, row.row)
        assert found(alice, "public") == []


@simulated
async def test_messages_that_are_gone_leave_no_gap_in_an_answer(tmp_path: Path) -> None:
    async with _alice(tmp_path) as alice:
        for number in range(6):
            event = builders.text_event(BOBBY, f"word {number}", builders.NOW_NS + number)
            stored = messages.insert(
                alice.database, BOBBY, BOBBY, event, event.hash(), is_mine=False, received_at_ns=number + 1, position_ns=number + 1
            )  # fmt: skip
            assert stored is not None
            if number >= 3:
                alice.database.execute(
                    "DELETE FROM messages WHERE id = ?", stored.row
                )  # and what the index has of it stays
        assert found(alice, "word", limit=2) == ["word 2", "word 1"]
