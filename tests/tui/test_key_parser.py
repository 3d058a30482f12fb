"""Each key is read as what it is, whatever comes with it and however it is cut up on its way."""

import random
from itertools import pairwise

import pytest
import textual._parser
from textual import events
from textual._parser import Parser
from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.message import Message

from xirtam_tui.key_parser import KeyParser


class Hands:
    """What types into a parser, at a time of its own; `seen` is what came out."""

    def __init__(self, parser: Parser[Message], monkeypatch: pytest.MonkeyPatch) -> None:
        self._parser, self._now = parser, 1000.0
        self.seen: list[str] = []
        monkeypatch.setattr(textual._parser, "get_time", lambda: self._now)

    def type(self, *texts: str) -> None:
        for text in texts:
            self.seen += map(_said, self._parser.feed(text))
            self.seen += map(_said, self._parser.tick())  # as drivers do after each read

    def wait(self, seconds: float = ESCAPE_DELAY) -> None:
        self._now += seconds
        self.seen += map(_said, self._parser.tick())


def _said(event: Message) -> str:
    match event:
        case events.Key():
            return event.key
        case events.Paste():
            return f"paste {event.text!r}"
        case events.MouseEvent():
            return f"{type(event).__name__} {event.x:.0f},{event.y:.0f}"
        case _:
            return type(event).__name__


PASTE, MOTION, KITTY = "\x1b[200~Hi you\nthere\x1b[201~", "\x1b[<35;12;7M", "\x1b[108;3u"
UNITS = {
    "\x1bl": ["alt+l"],
    "\x1bz": ["alt+z"],
    "\x1bL": ["alt+shift+l"],
    "\x1bé": ["alt+é"],
    "\x1bf": ["ctrl+right"],
    "\x1b\r": ["enter"],
    "\x1b[A": ["up"],
    "\x1bOA": ["up"],
    "\x1b[1;3D": ["alt+left"],
    "\x1b[15~": ["f5"],
    "\x1b[I": ["AppFocus"],
    KITTY: ["alt+l"],
    "\x1b[13;2u": ["shift+enter"],
    MOTION: ["MouseMove 11,6"],
    "\x1b[<0;3;4M": ["MouseDown 2,3"],
    "\x1b[12;40R": ["CursorPosition"],
    PASTE: ["paste 'Hi you\\nthere'"],
    "h": ["h"],
    "ö🙂": ["ö", "slightly_smiling_face"],
    "\r": ["enter"],
}
BEFORE_AN_ESC = {**UNITS, "\x1b": ["escape"], "\x1bO": ["alt+shift+o"]}
"""Keys that are whole only because of what follows them."""


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(KeyParser(), monkeypatch)


@pytest.mark.parametrize("unit", UNITS)
def test_a_key_alone_is_what_textual_takes_it_for(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for parser in (KeyParser(), XTermParser()):
        hands = Hands(parser, monkeypatch)
        hands.type(unit)
        hands.wait()
        assert hands.seen == UNITS[unit]


@pytest.mark.parametrize("after", [unit for unit in UNITS if unit[0] == "\x1b"])
@pytest.mark.parametrize("before", BEFORE_AN_ESC)
def test_a_key_is_the_same_with_another_right_behind_it(before: str, after: str, hands: Hands) -> None:
    hands.type(before + after)
    hands.wait()
    assert hands.seen == [*BEFORE_AN_ESC[before], *UNITS[after]]


@pytest.mark.parametrize("seed", range(50))
def test_keys_are_the_same_however_they_are_cut_up(seed: int, hands: Hands) -> None:
    chance = random.Random(seed)
    units = chance.choices(list(UNITS), k=20)
    text = "".join(units)
    cuts = sorted({0, len(text), *chance.sample(range(1, len(text)), chance.randrange(1, len(text) - 1))})
    hands.type(*(text[start:end] for start, end in pairwise(cuts)))
    hands.wait()
    assert hands.seen == [event for unit in units for event in UNITS[unit]]


def test_a_letter_with_alt_needs_no_wait(hands: Hands) -> None:
    hands.type("\x1b", "z")
    assert hands.seen == ["alt+z"]


def test_long_typing_behind_a_letter_with_alt_is_text(hands: Hands) -> None:
    hands.type("\x1bz", *"a" * 50)
    assert hands.seen == ["alt+z", *"a" * 50]


def test_escape_alone_waits_for_what_may_follow(hands: Hands) -> None:
    hands.type("\x1b")
    hands.wait(ESCAPE_DELAY / 2)
    assert hands.seen == []
    hands.wait(ESCAPE_DELAY)
    hands.type("l")
    assert hands.seen == ["escape", "l"]


def test_escape_before_a_letter_with_alt_stays_one(hands: Hands) -> None:
    hands.type("\x1b\x1bl")
    assert hands.seen == ["escape", "alt+l"]


@pytest.mark.parametrize("cut", range(1, 60))
def test_what_is_pasted_presses_no_keys(cut: int, hands: Hands) -> None:
    typed = "a\x1b[200~one \x1bqtwo \x1b[31mred\x1b[0m \x1b[A\x1bOA\x1b[13;2u\x1b\r3\x1b\x1b[201~\x1bl\x1bl"
    hands.type(typed[:cut], typed[cut:])
    hands.wait()
    assert hands.seen == ["a", "paste 'one qtwo red OA\\r3'", "alt+l", "alt+l"]


def test_an_empty_paste_is_over_at_once(hands: Hands) -> None:
    hands.type("\x1b[200~\x1b[201~", "b\x1bz")
    assert hands.seen[-2:] == ["b", "alt+z"]


def test_a_key_that_was_broken_off_spoils_none_behind_it(hands: Hands) -> None:
    hands.type("\x1b[20")
    hands.wait()
    hands.seen.clear()
    hands.type("0~", "\x1bl\x1bl")
    assert hands.seen == ["0", "tilde", "alt+l", "alt+l"]
