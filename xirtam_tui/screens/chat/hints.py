"""The line below the composer: the keys that do something here and now."""

from xirtam_tui.actions import Scope, Situation, actions
from xirtam_tui.keymap import Keymap

_NOT_HINTED = ("message.older", "message.newer", "message.jump", "message.details", "message.menu")
_FIRST = ("message.retry", "message.discard")


def writing_hint(keys: Keymap) -> str:
    """What one who writes can do."""
    label = keys.label
    return (
        f"{label('composer.send')} send · {label('composer.newline')} new line · {label('composer.messages')} messages"
    )


def message_hint(now: Situation, keys: Keymap) -> str:
    """What can be done about the message that is chosen: first what one that was not sent needs; the menu has what does not fit."""
    kinds = [action for action in actions(Scope.MESSAGE) if action.id not in _NOT_HINTED and action.is_enabled(now)]
    words = {action.id: f"{keys.label(action.id)} {action.name.lower()}" for action in kinds if keys.label(action.id)}
    first = [words.pop(each) for each in _FIRST if each in words]
    return " · ".join(
        (f"{keys.label('chat.back')} back", *first, f"{keys.label('message.menu')} menu", *words.values())
    )
