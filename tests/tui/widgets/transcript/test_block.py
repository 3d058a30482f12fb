"""A message as rows."""

import msgspec
import pytest
from rich.style import Style

from tests.tui.demo import Script
from tests.tui.fake_client import MINUTE, NOW_NS
from xirtam_core.chat import Message, MessageKind, Reaction, SendState
from xirtam_core.names import Username
from xirtam_tui.widgets.transcript.block import Block, Context
from xirtam_tui.widgets.transcript.palette import Palette

PALETTE = Palette.resolve(lambda _: Style())


def message(text: str = "hello", who: str = "you", **more: object) -> Message:
    return Script("@bobby", NOW_NS).say(who, text, **more).messages[0]  # pyright: ignore[reportArgumentType] - of several types


def drawn(shown: Message, width: int = 60, context: Context | None = None) -> list[str]:
    block = Block(shown, width)
    block.place(context or Context(named=False))
    rows = block.rows(PALETTE)
    assert len(rows) == block.height
    assert all(row.strip.cell_length <= width for row in rows)
    return [row.strip.text.rstrip() for row in rows]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (SendState.QUEUED, "⧗ queued"),
        (SendState.SENDING, "⧗ sending"),
        (SendState.SENT, "✓ sent"),
        (SendState.DELIVERED, "✓✓ delivered"),
        (SendState.READ, "✓✓ read"),
        (SendState.FAILED, "✗ failed"),
    ],
)
def test_the_state_stands_at_the_right_of_the_last_line(state: SendState, words: str) -> None:
    rows = drawn(message("one\ntwo", state=state))
    assert rows[0].strip() == "· one"
    assert rows[1].startswith("    two")
    assert rows[1].endswith(words)
    assert len(rows[1]) == 58


@pytest.mark.parametrize("length", range(30, 60))
def test_getting_on_changes_no_height(length: int) -> None:
    under_way = [state for state in SendState if state is not SendState.FAILED]
    assert len({Block(message("x" * length, state=state), 60).height for state in under_way}) == 1


def test_a_failure_gives_the_reason_and_what_to_do() -> None:
    rows = drawn(message(state=SendState.FAILED, failure="the mailbox is full"), width=100)
    assert rows[-1].strip() == "Not sent: the mailbox is full. Kept here. ↑ then r to retry, d to discard"


def test_an_unverified_message_says_so_in_words() -> None:
    assert "unverified" in drawn(message(who="bobby", verified=False))[1]


def test_a_kind_that_cannot_be_shown_is_named() -> None:
    rows = drawn(message("", who="bobby", kind=MessageKind.UNSUPPORTED, mime="image/png"), width=90)
    assert rows == ["  · A message of a kind that this version cannot show yet (image/png)"]


def test_a_message_dated_far_from_its_arrival_gives_both_times() -> None:
    late = message(who="bobby", received_at=NOW_NS + 30 * MINUTE)
    rows = drawn(late, context=Context(named=True))
    assert rows[1].split() == ["bobby", "13:15"]
    assert rows[-1].strip() == "dated 12:45 by its sender, arrived 13:15"
    assert len(drawn(msgspec.structs.replace(late, received_at=NOW_NS + 3 * MINUTE))) == 1


def test_day_unread_line_and_sender_stand_above() -> None:
    rows = drawn(message(who="bobby"), context=Context(day="Today", unread=3))
    assert [row.strip() for row in rows[:2]] == ["", "Today"]
    assert rows[2].strip("─ ") == "3 new"
    assert rows[3].split() == ["bobby", "12:45"]


def test_a_link_is_one_link_over_all_its_lines() -> None:
    address = "https://example.org/" + "a" * 80
    block = Block(message(f"see {address} now", who="bobby"), 40)
    pieces = [segment for row in block.rows(PALETTE) for segment in row.strip if segment.style and segment.style.link]
    assert {piece.style.link for piece in pieces if piece.style} == {address}
    assert len({piece.style.link_id for piece in pieces if piece.style}) == 1
    assert "".join(piece.text for piece in pieces) == address


def test_an_answer_shows_what_it_answers_on_one_line_above_it() -> None:
    answer = msgspec.structs.replace(
        message("yes", who="bobby"), reply_to="00" * 32, quote="shall we meet at the pier?"
    )
    assert [row.strip() for row in drawn(answer)] == ["· ▏shall we meet at the pier?", "yes"]
    assert [row.strip() for row in drawn(answer, width=20)] == ["· ▏shall we…", "yes"]


def test_an_edited_message_says_so_and_shows_who_put_what_on_it() -> None:
    reactions = (Reaction("👍", (Username("@alice"), Username("@bobby"))), Reaction("🎉", (Username("@bobby"),)))
    edited = msgspec.structs.replace(message("hello"), is_edited=True, reactions=reactions)
    assert [row.strip() for row in drawn(edited)][1:] == ["(edited)", "└ 👍 alice, bobby   🎉 bobby"]


def test_a_withdrawn_message_says_that_alone() -> None:
    withdrawn = msgspec.structs.replace(message("", who="bobby"), is_withdrawn=True)
    assert [row.strip() for row in drawn(withdrawn)] == ["· withdrawn"]


def test_a_mention_is_marked_in_the_margin_of_its_first_line() -> None:
    rows = drawn(message("@alice, who comes?\nsay so", who="bobby", mentions_me=True))
    assert rows == ["  @ @alice, who comes?", "    say so"]
