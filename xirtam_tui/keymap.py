"""Keys that a person has chosen: a file of `"action id" = "key, key"` lines in TOML, read once at the start.

    preset = "vim"

    [keys]
    "chat.new_chat" = "ctrl+o"
    "message.retry" = "r, R"

A preset is a whole set of keys (`presets.py`), which the lines then change. A mistake in the file never stops the app: the line is
passed over and said in words. Where the lines give two actions one key, one of them loses it; what a preset itself has twice is meant.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from xirtam_tui.actions import ACTIONS, NEVER_TOGETHER, UNBOUND, Action, Scope, is_of_the_screen, key_label, letters_id

FILE = "keys.toml"
_MOST_SAID = 3
"""So many mistakes are said on the screen."""
_NAMED_SIGNS = {
    "slash": "/", "question_mark": "?", "colon": ":", "space": " ", "minus": "-", "plus": "+",
    "full_stop": ".", "exclamation_mark": "!",
}  # fmt: skip


class Keymap(NamedTuple):
    """The keys of every action, by its id, and what was wrong with the file."""

    keys: dict[str, tuple[str, ...]]
    problems: tuple[str, ...] = ()
    preset: str = ""
    is_modal: bool = False
    """Whether Esc goes from writing to the messages, as in vim."""

    def changed(self) -> dict[str, str]:
        """What differs from the defaults, as Textual's keymap."""
        changed: dict[str, str] = {}
        for action in ACTIONS:
            keys = self.keys[action.id]
            if keys == action.keys:
                continue
            letters = [key for key in keys if is_of_the_screen(action.scope) and _is_letter(key)]
            changed[action.id] = ",".join(key for key in keys if key not in letters) or UNBOUND
            if letters:
                changed[letters_id(action.id)] = ",".join(letters)
        return changed

    def label(self, action_id: str) -> str:
        """An action's first key as people write it, or nothing."""
        keys = self.keys[action_id]
        return key_label(keys[0]) if keys else ""

    def hint(self, action_id: str, words: str) -> str:
        """An action's first key and what it does, in `words`; nothing where it has no key."""
        label = self.label(action_id)
        return f"{label} {words}" if label else ""

    def labels(self, action_id: str) -> list[str]:
        """All keys of an action as people write them."""
        return [key_label(key) for key in self.keys[action_id]]


def _is_letter(key: str) -> bool:
    """Whether a key writes something where one writes."""
    return len(key) == 1 or key in _NAMED_SIGNS


DEFAULT = Keymap({action.id: action.keys for action in ACTIONS})


def load(data_dir: Path) -> Keymap:
    """The keymap in `data_dir`, the default one where there is no file."""
    path = data_dir / FILE
    try:
        content = path.read_text(encoding="utf-8")
    except OSError:
        return DEFAULT
    except ValueError:
        return DEFAULT._replace(problems=(f"{FILE} is not text in UTF-8; the default keys are in use",))
    import tomllib  # few have the file, and everybody waits for the start

    try:
        parsed: dict[str, Any] = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        return DEFAULT._replace(problems=(f"{FILE} is not valid TOML ({error}); the default keys are in use",))
    chosen = parsed.get("keys")
    known = cast("dict[str, object]", chosen) if isinstance(chosen, dict) else {}
    return _apply(known, with_preset(parsed["preset"]) if "preset" in parsed else DEFAULT)


def with_preset(name: object) -> Keymap:
    """The keymap of a preset alone; the default one, with words about it, where there is no such preset."""
    from xirtam_tui.presets import PRESETS

    preset = PRESETS.get(name) if isinstance(name, str) else None
    if preset is None:
        known = ", ".join(f'"{each}"' for each in PRESETS)
        return DEFAULT._replace(problems=(f"{FILE}: there is no preset “{name}”; there is {known}",))
    taken = {
        key for action_id in preset.keys if action_id.startswith(("app.", "chat.")) for key in preset.keys[action_id]
    }
    left = {action.id: tuple(key for key in action.keys if key not in taken) for action in ACTIONS}
    return Keymap(left | preset.keys, (), str(name), preset.is_modal)


def _apply(chosen: dict[str, object], start: Keymap) -> Keymap:
    from xirtam_tui.key_names import key_named

    keys = dict(start.keys)
    problems: list[str] = [*start.problems]
    for action_id, value in chosen.items():
        if action_id not in keys:
            problems.append(f"{FILE}: there is no action “{action_id}”")
        elif not isinstance(value, str):
            problems.append(f'{FILE}: the keys of “{action_id}” must be text such as "ctrl+o"')
        else:
            typed = [part.strip() for part in value.split(",") if part.strip()]
            found = {part: key_named(part) for part in typed}
            problems += [
                f'{FILE}: there is no key “{part}” for “{action_id}”; keys are such as "ctrl+o", "alt+pageup", "f5"'
                for part, key in found.items()
                if key is None
            ]
            if any(found.values()) or not typed:  # without any, the action keeps those that it had
                keys[action_id] = tuple(key for key in found.values() if key is not None)
    clashes = list(_clashes(keys, on_purpose=frozenset(_clashes(start.keys))))
    for clash in clashes:
        keys[clash.loser] = tuple(key for key in keys[clash.loser] if _sign(key) != clash.key)
    return start._replace(keys=keys, problems=(*problems, *(clash.words() for clash in clashes)))


def problems_in_short(problems: Sequence[str]) -> str:
    """The first few of what was wrong with the file, a line each, and how many there are more."""
    left = len(problems) - _MOST_SAID
    return "\n".join([*problems[:_MOST_SAID], *([f"… and {left} more: the log has all of them"] if left > 0 else [])])


# Two actions with one key


class _Clash(NamedTuple):
    key: str
    winner: str
    loser: str

    def words(self) -> str:
        return f"{FILE}: {key_label(self.key)} is both “{self.winner}” and “{self.loser}”; the first is used"


def _clashes(keys: dict[str, tuple[str, ...]], on_purpose: frozenset[_Clash] = frozenset()) -> Iterator[_Clash]:
    """Keys that two actions claim where both could hear them, but for those that are so `on_purpose`.

    The app's and the chat screen's keys come before all others, but their letters after those on a message.
    """
    claims: dict[str, list[Action]] = {}
    for action in ACTIONS:
        for key in dict.fromkeys(map(_sign, keys[action.id])):
            claims.setdefault(key, []).append(action)
    for key, claimants in claims.items():
        held: list[Action] = []
        for action in sorted(claimants, key=lambda each: _is_letter(key) and is_of_the_screen(each.scope)):
            clashes = (_Clash(key, each.id, action.id) for each in held if _could_both_hear(key, each, action))
            clash = next((each for each in clashes if each not in on_purpose), None)
            if clash is None:
                held.append(action)
            else:
                yield clash


def _could_both_hear(key: str, one: Action, other: Action) -> bool:
    """Whether there is a moment at which `key` means both. One who writes, or is in a sheet, hears no letters of the screen."""
    if frozenset((one.id, other.id)) in NEVER_TOGETHER:
        return False
    scopes = {one.scope, other.scope}
    within = {scope for scope in scopes if not is_of_the_screen(scope)}
    if len(scopes) == 1 or not within:
        return True
    if len(within) == len(scopes):
        return False  # the focus is in one of them
    if _is_letter(key):
        return within == {Scope.MESSAGE}
    return Scope.APP in scopes or within <= {Scope.COMPOSER, Scope.MESSAGE}


def _sign(key: str) -> str:
    """The same for each name of a key: `slash` is `/`."""
    return _NAMED_SIGNS.get(key, key)
