"""Peers' text, made safe."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xirtam_tui import text

_ACTING = {"Cc", "Cs", "Zl", "Zp"}
_BIDI = set(range(0x202A, 0x202F)) | set(range(0x2066, 0x206A)) | {0x200E, 0x200F, 0x061C}
_HIDING = {0x200B, 0x2060, 0xFEFF, 0x00AD, 0x3164, 0x115F}
# What acts, hides, joins or stacks, and something for it to act on.
_ODD = "\x1b\x9b\x07\r\n\t\x0b\x85\u2028\u2029\u202e\u2066\u200b\u200d\u200c\ufe0f\u0301\u0336\U000e0041\ud800"
_hostile = st.text(st.one_of(st.characters(), st.sampled_from(_ODD + "a 1#👩🚀é")))


def _is_plain(character: str) -> bool:
    code = ord(character)
    return (
        unicodedata.category(character) not in _ACTING and code not in _BIDI | _HIDING and not 0xE0000 <= code < 0xE1000
    )


@given(_hostile)
def test_a_body_has_nothing_left_that_acts_or_hides_but_its_newlines(given_text: str) -> None:
    shown = text.body(given_text)
    assert all(character == "\n" or _is_plain(character) for character in shown)
    marks = 0
    for character in shown:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        assert marks <= 3


@given(_hostile)
def test_what_was_made_safe_once_stays_as_it_is(given_text: str) -> None:
    assert text.body(text.body(given_text)) == text.body(given_text)
    assert text.line(text.line(given_text)) == text.line(given_text)


@given(_hostile)
def test_a_line_is_one_line(given_text: str) -> None:
    shown = text.line(given_text)
    assert all(_is_plain(character) for character in shown)
    assert len(shown.splitlines()) <= 1
    assert "  " not in shown
    assert shown == shown.strip()


@given(st.text(st.characters(categories=["L", "N", "P"], max_codepoint=0x24F), max_size=200))
def test_ordinary_text_is_left_alone(given_text: str) -> None:
    assert text.body(given_text) == given_text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("\x9b2J", "�2J"),
        ("invoice\u202etxt.exe", "invoicetxt.exe"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("a\tb", "a   b"),
        ("pay\u200bpal", "paypal"),
        ("Z\u0301\u0301\u0301\u0301\u0301\u0301", "Z\u0301\u0301\u0301"),
        ("👩\u200d🚀 ❤\ufe0f #\ufe0f⃣", "👩\u200d🚀 ❤\ufe0f #\ufe0f⃣"),
        ("a\u200db\ufe0f", "ab"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("lone \ud800 half", "lone � half"),
    ],
)
def test_what_becomes_of(hostile: str, shown: str) -> None:
    assert text.body(hostile) == shown


def test_a_line_folds_white_space() -> None:
    assert text.line("  two\n\n lines\tand\u3000more ") == "two lines and more"
