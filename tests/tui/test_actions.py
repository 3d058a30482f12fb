"""The registry of actions, and the keys that it has by default and in presets."""

from textual._ansi_sequences import (
    ANSI_SEQUENCES_KEYS,  # nothing else tells what the app makes of what a terminal sends
)

from xirtam_tui.actions import ACTIONS, Scope
from xirtam_tui.presets import PRESETS


def test_every_key_with_alt_comes_from_a_terminal_as_that_key() -> None:
    keys = {key for action in ACTIONS for key in action.keys}
    keys |= {key for preset in PRESETS.values() for some in preset.keys.values() for key in some}
    letters = {key for key in keys if key.startswith("alt+") and len(key) == len("alt+x")}
    assert letters
    assert {key for key in letters if "\x1b" + key[-1] in ANSI_SEQUENCES_KEYS} == set()


def test_no_two_actions_of_a_scope_have_the_same_key() -> None:
    for scope in set(Scope) - {
        Scope.MESSAGE
    }:  # of a message that failed, one key does another thing than of all others
        keys = [key for action in ACTIONS if action.scope is scope for key in action.keys]
        assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)
