"""Keys as people write them down."""

import pytest

from xirtam_tui.actions import ACTIONS, key_label
from xirtam_tui.key_names import key_named
from xirtam_tui.presets import PRESETS


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Ctrl+O", "ctrl+o"),
        ("shift+Ctrl+Left", "ctrl+shift+left"),
        ("Alt+PgUp", "alt+pageup"),
        ("Esc", "escape"),
        ("Ctrl+↓", "ctrl+down"),
        ("F10", "f10"),
        ("R", "R"),
        ("shift+r", "R"),
        ("é", "é"),
        ("/", "/"),
        ("+", "+"),
        ("ctrl+/", "ctrl+slash"),
        ("Slash", "slash"),
        ("question_mark", "question_mark"),
        ("ctrl+super+k", "ctrl+super+k"),
    ],
)
def test_a_key_is_known_however_it_is_written(typed: str, key: str) -> None:
    assert key_named(typed) == key


@pytest.mark.parametrize(
    "typed", ["cntrl+y", "ctrl+", "ctrl+ctrl+a", "f25", "f0", "pageupp", "a+b", "\x1b", "ctrl+\x07", ""]
)
def test_what_is_no_key_is_none(typed: str) -> None:
    assert key_named(typed) is None


def test_every_key_that_there_is_is_known_as_it_is_and_as_it_is_shown() -> None:
    keys = {key for action in ACTIONS for key in action.keys}
    keys |= {key for preset in PRESETS.values() for some in preset.keys.values() for key in some}
    assert {key: key_named(key) for key in keys} == {key: key for key in keys}
    assert {key: key_named(key_label(key)) for key in keys if len(key) > 1} == {
        key: key for key in keys if len(key) > 1
    }
