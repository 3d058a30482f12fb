"""Why something cannot be done to a message, in words: a key that does nothing leaves one guessing."""

from xirtam_core.chat import Message, MessageKind, SendState
from xirtam_tui.actions import Scope, Situation, actions
from xirtam_tui.keymap import Keymap

_SAID = (MessageKind.TEXT, MessageKind.MARKDOWN)
_WRITING = ("reply", "react", "edit")
_CANNOT = {
    "reply": "answered",
    "react": "reacted to",
    "edit": "edited",
    "delete": "taken back",
    "discard": "discarded",
    "forward": "forwarded",
    "open": "opened",
    "copy": "copied",
}


def why_not(key: str, keymap: Keymap, now: Situation) -> str:
    """Why what `key` would do cannot be done to the message now; nothing where it does something, or is no key of a message."""
    meant = [action for action in actions(Scope.MESSAGE) if key in keymap.keys[action.id]]
    if now.message is None or not meant or any(action.is_enabled(now) for action in meant):
        return ""
    if meant[0].method == "discard" and now.message.mine:
        return f"Only what was not sent yet can be discarded; {keymap.label('message.delete')} takes it back."
    return _reason(meant[0].method, now.message, can_write=now.can_write)


def _reason(action: str, message: Message, *, can_write: bool) -> str:
    if action == "retry":
        return "Only a message that failed can be sent again."
    if action in ("edit", "delete", "discard") and not message.mine:
        return f"Only your own messages can be {_CANNOT[action]}."
    if message.is_withdrawn:
        return f"The message was withdrawn: it cannot be {_CANNOT[action]}."
    if message.kind not in _SAID and action != "delete":
        return f"Only what somebody wrote can be {_CANNOT[action]}."
    if action == "open":
        return "There is no link in this message."
    if message.state is SendState.FAILED:
        return f"The message failed: it cannot be {_CANNOT[action]}, only sent again or discarded."
    if action == "delete":
        return "The message was not sent yet: discard it instead."
    if action in _WRITING and not can_write:
        return f"You cannot write in this chat, so nothing in it can be {_CANNOT[action]}."
    return f"This message cannot be {_CANNOT[action]}."
