"""Columns stay where they are in terminals that draw characters at other widths than the app takes them to have."""

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.wide import TEXTS
from xirtam_tui.steady import steady

_WRITTEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[[0-9;]*m|([^\x1b])")
_COLUMNS = 120


def _as_old_terminals(character: str) -> int:
    """A width for every code point by itself: nothing joins, selectors change nothing, tones are pictures."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _as_if_all_were_narrow(character: str) -> int:
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1


def _drawn(written: str, width_of: Callable[[str], int]) -> dict[tuple[int, int], str]:
    """What a terminal shows, by row and column, if `width_of` says how wide it draws what is not ASCII."""
    shown: dict[tuple[int, int], str] = {}
    row = column = 1
    for order in _WRITTEN.finditer(written):
        if order[1]:
            row, column = int(order[1]), int(order[2])
        elif order[3]:
            width = 1 if order[3].isascii() else width_of(order[3])
            for cell in range(width):
                shown[row, column + cell] = order[3] if cell == 0 else ""
            column += width
    return shown


def _line(text: str) -> str:
    """A line as an update of the screen writes one: to its place, in pieces of a colour each, and a mark behind the text."""
    middle = len(text) // 2
    return f"\x1b[3;5H\x1b[1m{text[:middle].ljust(1)}\x1b[0m{text[middle:]}|\r\n"


@pytest.mark.parametrize("width_of", [_as_old_terminals, _as_if_all_were_narrow])
@pytest.mark.parametrize(
    "name", [name for name in TEXTS if name not in ("wide", "long and wide", "tabs", "jamo", "ambiguous")]
)
def test_what_follows_a_text_stands_where_the_app_put_it(name: str, width_of: Callable[[str], int]) -> None:
    text = TEXTS[name][:_COLUMNS]
    shown = _drawn(steady(f"\x1b[3;5H\x1b[1m{text}\x1b[0m|"), width_of)
    assert shown[3, 5 + cell_len(text)] == "|"


def test_a_narrower_picture_leaves_blanks_and_not_what_was_there_before() -> None:
    shown = _drawn("\x1b[1;1HXXXX" + steady("\x1b[1;1H🪿!"), _as_if_all_were_narrow)
    assert [shown[1, column] for column in range(1, 5)] == ["🪿", " ", "!", "X"]


@given(st.text(st.sampled_from("ab ✓│日👍🏽👩\u200d\ufe0f\u0301ש🇩🇪ก"), max_size=30))
def test_nothing_is_lost_or_put_elsewhere_in_a_terminal_that_agrees(text: str) -> None:
    line = _line(text)
    assert re.sub(r"\x1b\[\d+;\d+H| ", "", steady(line)) == re.sub(r"\x1b\[\d+;\d+H| ", "", line)


@pytest.mark.parametrize(
    "written", ["plain", "\x1b[1;1Hplain ✓ │ ● ▏", "👍🏽 before any place is known", "\x1b[6n\x1b]0;👍🏽\x07"]
)
def test_what_needs_nothing_is_written_as_it_is(written: str) -> None:
    assert steady(written) == written
