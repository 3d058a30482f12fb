"""The window of messages in memory, against a chat that does what chats do."""

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tui.piloting import long_chat
from xirtam_core.chat import Message, Page
from xirtam_tui.widgets.transcript.window import Window

CHAT = long_chat(60)


def page(start: int, stop: int) -> Page:
    start, stop = max(0, start), min(len(CHAT), stop)
    return Page(messages=tuple(CHAT[start:stop]), has_earlier=start > 0, has_later=stop < len(CHAT))


def positions(window: Window) -> list[int]:
    return [message.position for message in window.messages]


def moved(message: Message, position: int) -> Message:
    return msgspec.structs.replace(message, position=position)


@given(st.integers(0, 55), st.lists(st.booleans(), max_size=20))
def test_whatever_is_paged_the_window_is_a_run_of_the_chat(start: int, ways: list[bool]) -> None:
    window = Window()
    window.show(page(start, start + 5))
    window.place(start, len(CHAT))
    for earlier in ways:
        first, last = window.messages[0].position - 1, window.messages[-1].position
        if earlier:
            window.prepend(page(first - 5, first), 15)
        else:
            window.append(page(last, last + 5), 15)
        run = positions(window)
        assert run == list(range(run[0], run[-1] + 1))
        assert len(run) <= 15
        assert window.has_earlier == (run[0] > 1)
        assert window.has_later == (run[-1] < 60)
        assert (window.earlier, window.later) == (run[0] - 1, 60 - run[-1])


def test_a_message_beyond_the_window_is_left_to_paging() -> None:
    window = Window()
    window.show(page(10, 20))
    assert not window.put(CHAT[30])
    assert not window.put(CHAT[2])
    assert positions(window) == list(range(11, 21))


def test_a_message_that_comes_beyond_the_window_is_counted_once() -> None:
    window = Window()
    window.show(page(10, 20))
    window.place(10, 30)
    for message in (CHAT[30], CHAT[31], CHAT[31], CHAT[2]):  # the second is changed later, and the last one is older
        window.put(message)
    assert (window.earlier, window.later) == (10, 12)


def test_a_message_is_appended_when_the_newest_is_here() -> None:
    window = Window()
    window.show(page(50, 60))
    assert window.put(moved(msgspec.structs.replace(CHAT[0], id="new"), 61))
    assert window.messages[-1].id == "new"


def test_the_only_message_of_the_window_moves_on_to_be_the_newest() -> None:
    window = Window()
    window.show(page(59, 60))
    assert window.has_earlier and window.put(moved(CHAT[59], 99))
    assert positions(window) == [99]


def test_a_message_whose_position_becomes_final_moves_there() -> None:
    window = Window()
    window.show(page(50, 60))
    assert window.put(moved(CHAT[52], 99))
    assert positions(window)[-1] == 99
    assert len(window) == 10


@example([(50, 54), (52, 54), (51, 53)])  # the first of the run moves to where others have been
@example([(50, 53), (51, 53), (50, 52)])  # what has left the beginning comes back to it
@given(st.lists(st.tuples(st.integers(50, 59), st.integers(52, 64)), max_size=6))
def test_messages_that_change_places_are_each_there_once_and_in_order(moves: list[tuple[int, int]]) -> None:
    window = Window()
    window.show(page(50, 60))
    places = {message.id: message.position for message in CHAT[50:60]}
    for which, position in moves:  # to where another one still is, too, as the database tells of both in turn
        places[CHAT[which].id] = position
        window.put(moved(CHAT[which], position))
    assert sorted(message.id for message in window.messages) == sorted(places)
    assert positions(window) == sorted(places.values())
    assert all(places[message.id] == message.position for message in window.messages)


def test_a_view_of_which_nobody_sees_the_end_lets_go_of_it() -> None:
    window = Window()
    window.show(page(10, 60))
    window.forget_newest(21, 20, 5)
    assert positions(window) == list(range(11, 31))
    assert window.has_later
    window.forget_newest(29, 20, 5)
    assert positions(window) == list(range(11, 31))


def test_a_message_is_taken_away_once() -> None:
    window = Window()
    window.show(page(50, 60))
    assert window.remove("@bobby-55")
    assert not window.remove("@bobby-55")
