"""Keys that a person has chosen in a file, and what becomes of mistakes in it."""

from pathlib import Path

import pytest

from xirtam_tui import keymap
from xirtam_tui.keymap import Keymap
from xirtam_tui.presets import PRESETS


def loaded(tmp_path: Path, *lines: str, preset: str = "") -> Keymap:
    """The keymap of a file with these lines."""
    head = [f'preset = "{preset}"'] if preset else []
    (tmp_path / keymap.FILE).write_text("\n".join([*head, "[keys]", *lines]))
    return keymap.load(tmp_path)


@pytest.mark.parametrize(
    ("chosen", "key", "winner", "loser"),
    [
        ('"message.reply" = "c"', "c", "message.reply", "message.copy"),
        ('"chat.new_chat" = "x"', "x", "message.delete", "chat.new_chat"),
        ('"app.about" = "x"', "x", "message.delete", "app.about"),
        ('"app.help" = "plus"', "+", "message.react", "app.help"),
        ('"chat.new_chat" = "tab"', "tab", "chat.new_chat", "composer.complete"),
        ('"group.ban" = "f1"', "f1", "app.help", "group.ban"),
        ('"group.ban" = "f7"', "f7", "group.ban", "group.part"),
    ],
)
def test_of_two_actions_that_could_hear_a_key_one_loses_it(
    tmp_path: Path, chosen: str, key: str, winner: str, loser: str
) -> None:
    keys = loaded(tmp_path, chosen)
    (problem,) = keys.problems
    assert f"is both “{winner}” and “{loser}”" in problem
    assert key in keys.keys[winner]
    assert key not in keys.keys[loser]
    assert keys.hint(loser, "does it") == (f"{keys.label(loser)} does it" if keys.keys[loser] else "")


@pytest.mark.parametrize(
    "chosen", ['"group.ban" = "x"', '"chat.mute" = "q"', '"chat.pin" = "f12"', '"message.open" = "tab"']
)
def test_what_is_never_heard_together_is_no_mistake(tmp_path: Path, chosen: str) -> None:
    assert loaded(tmp_path, chosen).problems == ()


@pytest.mark.parametrize("preset", ["", *PRESETS])
def test_what_a_preset_has_twice_is_meant(tmp_path: Path, preset: str) -> None:
    start = loaded(tmp_path, preset=preset)
    assert start.problems == ()
    again = [f'"{action_id}" = "{", ".join(keys)}"' for action_id, keys in start.keys.items()]
    assert loaded(tmp_path, *again, preset=preset) == start


def test_a_key_that_a_preset_has_twice_is_lost_by_a_third(tmp_path: Path) -> None:
    keys = loaded(tmp_path, '"chat.mute" = "j"', preset="vim")
    assert keys.problems == ("keys.toml: j is both “message.newer” and “chat.mute”; the first is used",)
    assert "j" in keys.keys["chat.next_chat"]
