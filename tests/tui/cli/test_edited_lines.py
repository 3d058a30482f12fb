"""The line that is being typed in `xirtam chat`: what a terminal sends, and what has been written by it."""

import pytest

from xirtam_tui.cli.edited_lines import EditedLine


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        ("hello", "hello"),
        ("hellp\x7fo", "hello"),
        ("\x7f\x08", ""),
        ("e\u0301\x7f", ""),
        ("書書\x7f", "書"),
        ("one two  \x17", "one "),
        ("one\x17\x17", ""),
        ("one two\x15three", "three"),
        ("a\x1b[Db\x1b[1;5Cc\x1bOAd\x1bxe", "abcde"),
        ("a\tb\x00\x07\x16\u009b", "a\tb"),
        ("half\x04", "half"),
    ],
)
def test_keys_edit_the_line_and_those_that_write_nothing_do_nothing(sent: str, written: str) -> None:
    typed = EditedLine()
    assert typed.take(sent.encode()) == []
    assert typed.text == written
    assert not typed.is_over


def test_what_is_pasted_is_as_many_lines_as_it_has() -> None:
    typed = EditedLine()
    assert typed.take(b"one\ntwo\rthr") == ["one", "two"]
    assert typed.take(b"ee\n") == ["three"]


def test_a_character_may_come_in_pieces_and_what_is_no_text_can_be_told() -> None:
    typed = EditedLine()
    raw = "é".encode()
    typed.take(raw[:1])
    typed.take(raw[1:] + b"\xff!")
    assert typed.text == "é\udcff!"


def test_escape_alone_takes_nothing_with_it() -> None:
    typed = EditedLine()
    typed.take(b"\x1b")
    typed.take(b"hello")
    assert typed.text == "hello"


def test_the_end_is_typed_on_an_empty_line_alone() -> None:
    typed = EditedLine()
    assert typed.take(b"one\n\x04never\n") == ["one"]
    assert typed.is_over
