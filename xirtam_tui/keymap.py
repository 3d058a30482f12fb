"""Keys that a person has chosen: a file of `"action id" = "key, key"` lines in TOML, read once at the start.

    [keys]
    "chat.new_chat" = "ctrl+o"
    "message.retry" = "r, R"

A mistake in it never stops the app: the line is passed over and said in words.
"""

from pathlib import Path
from typing import Any, NamedTuple, cast

from xirtam_tui.actions import ACTIONS, Scope, key_label

FILE = "keys.toml"


class Keymap(NamedTuple):
    """The keys of every action, by its id, and what was wrong with the file."""

    keys: dict[str, tuple[str, ...]]
    problems: tuple[str, ...] = ()

    def changed(self) -> dict[str, str]:
        """What differs from the defaults, as Textual's keymap."""
        return {action.id: ",".join(self.keys[action.id]) for action in ACTIONS if self.keys[action.id] != action.keys}

    def label(self, action_id: str) -> str:
        """An action's first key as people write it, or nothing."""
        keys = self.keys[action_id]
        return key_label(keys[0]) if keys else ""


DEFAULT = Keymap({action.id: action.keys for action in ACTIONS})


def load(data_dir: Path) -> Keymap:
    """The keymap in `data_dir`, the default one where there is no file."""
    path = data_dir / FILE
    try:
        content = path.read_text(encoding="utf-8")
    except OSError:
        return DEFAULT
    import tomllib  # few have the file, and everybody waits for the start

    try:
        parsed: dict[str, Any] = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        return Keymap(DEFAULT.keys, (f"{FILE} is not valid TOML ({error}); the default keys are in use",))
    chosen = parsed.get("keys")
    return _apply(cast("dict[str, object]", chosen) if isinstance(chosen, dict) else {})


def _apply(chosen: dict[str, object]) -> Keymap:
    keys = dict(DEFAULT.keys)
    problems: list[str] = []
    for action_id, value in chosen.items():
        if action_id not in keys:
            problems.append(f"{FILE}: there is no action “{action_id}”")
        elif not isinstance(value, str):
            problems.append(f'{FILE}: the keys of “{action_id}” must be text such as "ctrl+o"')
        else:
            keys[action_id] = tuple(part.strip() for part in value.split(",") if part.strip())
    return Keymap(keys, (*problems, *_conflicts(keys)))


def _conflicts(keys: dict[str, tuple[str, ...]]) -> list[str]:
    """Keys that two actions claim where both could hear them. The app's and the chat screen's come before all others."""
    owners: dict[tuple[str, str], str] = {}
    problems: list[str] = []
    for action in ACTIONS:
        layer = "screen" if action.scope in (Scope.APP, Scope.CHAT) else action.scope.value
        for key in keys[action.id]:
            other = owners.setdefault((layer, key), action.id)
            if other != action.id:
                problems.append(f"{FILE}: {key_label(key)} is both “{other}” and “{action.id}”; the first is used")
    return problems
