"""Where messages stand, and how that is kept while they come and go."""

from tests.tui.demo import NOW, Script
from tests.tui.fake_client import MINUTE, NOW_NS
from tests.tui.piloting import long_chat
from xirtam_core.chat import Message, Page
from xirtam_tui.widgets.transcript.layout import Layout, UnreadLine
from xirtam_tui.widgets.transcript.window import Window


def window_of(messages: list[Message]) -> Window:
    window = Window()
    window.show(Page(messages=tuple(messages), has_earlier=False, has_later=False))
    return window


def arranged(layout: Layout, messages: list[Message], *, lead: int = 0, unread: UnreadLine | None = None) -> Layout:
    layout.arrange(window_of(messages), width=60, lead=lead, now=NOW, unread=unread)
    return layout


def test_messages_of_one_sender_in_one_minute_are_grouped() -> None:
    script = Script("@bobby", NOW_NS - 30 * MINUTE)
    script.say("bobby", "a").say("bobby", "b").say("you", "c").say("you", "d", after_min=1)
    layout = arranged(Layout(), script.messages)
    assert [block.context.named for block in layout.blocks] == [True, False, True, True]


def test_each_day_is_named_once() -> None:
    day = 24 * 60
    script = Script("@bobby", NOW_NS - 400 * day * MINUTE)
    script.say("bobby", "a").say("bobby", "b", after_min=398 * day).say("bobby", "c", after_min=day).say(
        "bobby", "d", after_min=day
    )
    script.say("bobby", "e")
    layout = arranged(Layout(), script.messages)
    days = [block.context.day for block in layout.blocks]
    assert days == ["Monday 20 October 2025", "Sunday 22 November", "Yesterday", "Today", None]


def test_the_unread_line_stands_above_the_first_unread_message_of_others() -> None:
    script = Script("@bobby", NOW_NS - 30 * MINUTE)
    script.say("bobby", "a").say("you", "b").say("bobby", "c").say("bobby", "d")
    layout = arranged(Layout(), script.messages, unread=UnreadLine(1, 2))
    assert [block.context.unread for block in layout.blocks] == [0, 0, 2, 0]


def test_lines_lead_back_to_their_messages() -> None:
    layout = arranged(Layout(), long_chat(50), lead=3)
    assert layout.at(2) is None
    assert layout.at(layout.height) is None
    seen = [
        layout.blocks[found[0]].message.position for y in range(layout.height) if (found := layout.at(y)) is not None
    ]
    assert seen == sorted(seen)
    assert set(seen) == set(range(1, 51))


def test_marks_and_anchors_stay_with_their_messages_when_older_ones_are_loaded() -> None:
    chat = long_chat(50)
    layout = arranged(Layout(), chat[20:], lead=1)
    anchor = layout.anchor(30)
    assert anchor is not None
    found = layout.at(30)
    assert found is not None
    message, mark = layout.blocks[found[0]].message, 30 + layout.origin
    arranged(layout, chat, lead=3)
    y = layout.line_of(anchor)
    assert y is not None
    assert y != 30
    again = layout.at(y)
    assert again is not None
    assert layout.blocks[again[0]].message is message
    assert y + layout.origin == mark


def test_what_has_not_changed_is_not_laid_out_again() -> None:
    chat = long_chat(20)
    layout = arranged(Layout(), chat)
    before = list(layout.blocks)
    arranged(layout, chat)
    assert all(one is other for one, other in zip(before, layout.blocks, strict=True))


def test_a_message_has_been_seen_when_its_last_line_was() -> None:
    layout = arranged(Layout(), long_chat(10))
    end = layout.text_lines(4)[1]
    at_end, above = layout.last_above(end), layout.last_above(end - 1)
    assert at_end is not None
    assert above is not None
    assert (at_end.position, above.position) == (5, 4)
    assert layout.last_above(0) is None
