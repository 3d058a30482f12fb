"""What is made in several pieces reaches the terminal as one."""

from xirtam_tui.frame import Frame

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"


def test_what_is_written_while_it_is_open_is_written_at_once_in_its_order() -> None:
    written: list[str] = []
    frame = Frame()
    frame.lead_to(written.append)
    frame.write("before")
    frame.open()
    frame.write("one ")
    frame.open()
    frame.write("two")
    frame.close()
    assert written == ["before"]
    frame.close()
    frame.close()
    frame.write("after")
    assert written == ["before", "one two", "after"]


def test_a_terminal_that_shows_updates_as_a_whole_is_told_of_one() -> None:
    written: list[str] = []
    frame = Frame()
    frame.lead_to(written.append)
    frame.open()
    for band in ("one ", "two"):
        frame.write(_BEGIN)
        frame.write(band)
        frame.write(_END)
        frame.write("\a")
    frame.close()
    assert written == [f"{_BEGIN}one \atwo\a{_END}"]


def test_who_leaves_the_terminal_writes_what_anybody_held() -> None:
    written: list[str] = []
    frame = Frame()
    frame.lead_to(written.append)
    frame.open()
    frame.open()
    frame.write("held")
    frame.close_all()
    frame.write("at once")
    assert written == ["held", "at once"]


def test_what_is_written_before_there_is_a_terminal_is_not_written_to_it_later() -> None:
    written: list[str] = []
    frame = Frame()
    frame.open()
    frame.write("nothing to see")
    frame.close()
    frame.lead_to(written.append)
    frame.write("seen")
    assert written == ["seen"]
