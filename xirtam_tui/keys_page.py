"""The page about keys, docs/keys.md, written from the action registry: `python -m xirtam_tui.keys_page > docs/keys.md`."""

import sys
from collections.abc import Iterator

from xirtam_tui.actions import ACTIONS, Action, Scope, actions, key_label
from xirtam_tui.keymap import DEFAULT, FILE, Keymap, with_preset
from xirtam_tui.presets import PRESETS

_OPENING = """# Keys and commands

What the app can do, the keys that do it, and the command to write instead: a message that is one line and begins with `/` and a
command's name runs that command. To send a message that begins so, write the slash twice. While a command, a name (`@bo`) or an
emoji (`:sm`) is being written, what it could be shows above: ↑ and ↓ choose, Tab or a click takes it, Esc puts it away, and Tab brings
it back. Enter runs a command that is written out or was chosen by an arrow, and completes one that is only begun, as it does a name;
it takes an emoji only where an arrow has chosen it, and sends otherwise. In a group its members are offered before other contacts.

F1 shows these keys in the app, with those that you have changed. This page is made from the app's own registry
(`python -m xirtam_tui.keys_page`).
"""

_CHANGING = f"""## Other keys

Keys are changed in `{FILE}` in the data directory, by the action's id. The app reads it when it starts, and says what is wrong:

```toml
preset = "vim"

[keys]
"chat.new_chat" = "ctrl+o"
"chat.search" = "ctrl+r, f12"
"chat.toggle_list" = ""
```

Several keys are told apart by commas, and none at all switches a key off. Keys of “{Scope.APP.value}” and “{Scope.CHAT.value}” work
wherever the focus is; a letter or a sign among them works only where nobody writes. Where two actions claim a key that could mean both
at one moment, the app names both: the first is used, and the other has that key no more. A letter on a message comes before the same
letter of “{Scope.CHAT.value}”, unless the preset has both. What is wrong stands in the log too, all of it.
"""

_EDITOR = """## Your own editor

{key} opens what is written in the editor that `$VISUAL` or `$EDITOR` names (else `nano` or `vi`), and takes it back when the editor
ends; nothing is sent. For as long, the text is in a file that only you can read: in `$XDG_RUNTIME_DIR`, which is memory, where there
is one. It is deleted afterwards, but what the editor keeps for itself, such as a swap file or a history, is the editor's. Where the
terminal is closed meanwhile, what the editor has saved becomes the draft, with what nano and Emacs put aside at a hangup; what Vim has
only in its swap file is lost with the folder.
"""


def page() -> str:
    """The page as Markdown."""
    parts = [_OPENING, *(_scope(scope) for scope in Scope), _CHANGING, *_presets()]
    editor = _EDITOR.format(key=f"`{DEFAULT.label('composer.editor')}`")
    return "\n".join((*parts, editor))


def _scope(scope: Scope) -> str:
    rows = "\n".join(_row(action, action.keys) for action in actions(scope))
    return f"## {scope.value}\n\n| keys | what it does | command | id |\n| --- | --- | --- | --- |\n{rows}\n"


def _row(action: Action, keys: tuple[str, ...]) -> str:
    command = f"{action.command} {action.takes}".strip()
    return f"| {_keys(keys)} | {action.help} | {f'`{command}`' if command else ''} | `{action.id}` |"


def _keys(keys: tuple[str, ...]) -> str:
    return " ".join(f"`{key_label(key)}`" for key in keys)


def _presets() -> Iterator[str]:
    for name, preset in PRESETS.items():
        keymap = with_preset(name)
        rows = "\n".join(_changed(keymap))
        yield f"""### preset = "{name}"

Keys {preset.help}. What is different:

| keys | what it does | id |
| --- | --- | --- |
{rows}
"""


def _changed(keymap: Keymap) -> Iterator[str]:
    for action in ACTIONS:
        keys = keymap.keys[action.id]
        if set(keys) != set(action.keys):
            yield f"| {_keys(keys)} | {action.help} | `{action.id}` |"


if __name__ == "__main__":
    sys.stdout.write(page())
