"""The line below the composer: the keys that do something here and now."""

from xirtam_tui.actions import Scope, Situation, actions
from xirtam_tui.keymap import Keymap

_NOT_HINTED = ("message.older", "message.newer", "message.jump", "message.details", "message.menu")


def writing_hint(keys: Keymap) -> str:
    """What one who writes can do."""
    label = keys.label
    return (
        f"{label('composer.send')} send · {label('composer.newline')} new line · {label('composer.messages')} messages"
    )


def message_hint(now: Situation, keys: Keymap) -> str:
    """What can be done about the message that is chosen; the menu has what does not fit."""
    kinds = [action for action in actions(Scope.MESSAGE) if action.id not in _NOT_HINTED and action.is_enabled(now)]
    words = (f"{keys.label(action.id)} {action.name.lower()}" for action in kinds if keys.label(action.id))
    return " · ".join((f"{keys.label('chat.back')} back", f"{keys.label('message.menu')} menu", *words))
