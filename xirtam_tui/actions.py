"""Every action of the app, once. Key bindings, the command palette and the help screen derive from this registry.

An action is run by a method `action_NAME` of its scope's owner: the app, the chat screen, the composer, or the transcript's message
cursor. To add one, add it here and write that method.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from textual.binding import Binding, BindingType

from xirtam_core.chat import Message, SendState
from xirtam_core.groups import GroupState
from xirtam_core.people import Standing


class Scope(StrEnum):
    """Who runs an action; the value is the heading in the help."""

    APP = "Everywhere"
    CHAT = "Chats"
    COMPOSER = "Writing"
    MESSAGE = "On a message"


class Situation(NamedTuple):
    """What an action's being enabled may depend on."""

    in_chats: bool = False
    chat_open: bool = False
    alarm: bool = False
    standing: Standing | None = None
    """How the other one in the chat that is open stands; None for oneself."""
    group: GroupState | None = None
    """How the account stands with the group whose chat is open, None for a direct chat."""
    message: Message | None = None


def _always(_: Situation) -> bool:
    return True


def _in_chats(now: Situation) -> bool:
    return now.in_chats


def _chat_open(now: Situation) -> bool:
    return now.chat_open


def _alarm(now: Situation) -> bool:
    return now.alarm


def _not_a_contact(now: Situation) -> bool:
    return now.standing in (Standing.REQUEST, Standing.BLOCKED)


def _not_blocked(now: Situation) -> bool:
    return now.group is None and now.standing in (Standing.CONTACT, Standing.REQUEST)


def _in_group(now: Situation) -> bool:
    return now.group is GroupState.MEMBER


def _message(now: Situation) -> bool:
    return now.message is not None


def _failed(now: Situation) -> bool:
    return now.message is not None and now.message.state is SendState.FAILED


def _unsent(now: Situation) -> bool:
    return now.message is not None and now.message.state in (SendState.FAILED, SendState.QUEUED)


class Action(NamedTuple):
    """One thing that a person can do. `id` is `scope.name`, where `name` is that of the method; `keys` are the default ones."""

    id: str
    name: str
    help: str
    keys: tuple[str, ...]
    scope: Scope
    is_enabled: Callable[[Situation], bool] = _always

    @property
    def method(self) -> str:
        """The Textual action that runs it: `action_` and this is the method's name."""
        return self.id.partition(".")[2]


ACTIONS: tuple[Action, ...] = (
    Action("app.help", "Help", "Show every key and what it does", ("f1",), Scope.APP),
    Action("app.command_palette", "Commands", "Find any command by its name", ("ctrl+p",), Scope.APP),
    Action("app.switch_theme", "Dark or light", "Switch between dark and light", ("ctrl+t",), Scope.APP),
    Action("app.quit", "Quit", "Leave; nothing unsent is lost", ("ctrl+q",), Scope.APP),
    Action("chat.new_chat", "New chat", "Start a chat with somebody, by name", ("ctrl+n",), Scope.CHAT, _in_chats),
    Action("chat.new_group", "New group", "Make a group", ("ctrl+g",), Scope.CHAT, _in_chats),
    Action("chat.group", "Members", "See who is in the group, invite and manage", ("f9",), Scope.CHAT, _in_group),
    Action("chat.jump", "Jump to a chat", "Find a chat by a few letters", ("ctrl+k",), Scope.CHAT, _in_chats),
    Action("chat.next_unread", "Next unread", "Open the next chat with something new", ("f2",), Scope.CHAT, _in_chats),
    Action("chat.next_chat", "Next chat", "Open the chat below", ("ctrl+down", "alt+down"), Scope.CHAT, _in_chats),
    Action("chat.previous_chat", "Previous chat", "Open the chat above", ("ctrl+up", "alt+up"), Scope.CHAT, _in_chats),
    Action("chat.find", "Filter chats", "Go to the filter above the list", ("ctrl+f",), Scope.CHAT, _in_chats),
    Action("chat.toggle_list", "Show or hide the list", "Hide the list, or show it again", ("f3",), Scope.CHAT, _in_chats),
    Action("chat.back", "Back", "Back to writing, then to the list", ("escape",), Scope.CHAT, _in_chats),
    Action("chat.older", "Scroll up", "A page towards older messages", ("pageup",), Scope.CHAT, _chat_open),
    Action("chat.newer", "Scroll down", "A page towards newer messages", ("pagedown",), Scope.CHAT, _chat_open),
    Action("chat.oldest", "First message", "Go to the beginning of the chat", ("ctrl+home",), Scope.CHAT, _chat_open),
    Action("chat.latest", "Latest message", "Go to the newest message", ("ctrl+end",), Scope.CHAT, _chat_open),
    Action("chat.first_unread", "First unread", "Go to the line above the new messages", ("f4",), Scope.CHAT, _chat_open),
    Action("chat.acknowledge", "I have seen this alarm", "Put the warning away and go on", ("f8",), Scope.CHAT, _alarm),
    Action("chat.accept", "Accept", "Let them write; they are a contact then", ("f5",), Scope.CHAT, _not_a_contact),
    Action("chat.block", "Block", "Keep nothing that they write from now on", ("f6",), Scope.CHAT, _not_blocked),
    Action("chat.forget", "Delete or leave", "Delete the chat here; leave a group first", ("f7",), Scope.CHAT, _chat_open),
    Action("chat.details", "Details", "Who this is, the safety code, or who is in the group", ("f10",), Scope.CHAT, _chat_open),
    Action("chat.devices", "Your devices", "List, add, name and revoke your devices", ("alt+d",), Scope.CHAT, _in_chats),
    Action("chat.network", "The network", "How server and directory are, and any proof", ("alt+n",), Scope.CHAT, _in_chats),
    Action("chat.profile", "Your account", "Your name, to give to others", ("alt+i",), Scope.CHAT, _in_chats),
    Action("composer.send", "Send", "Send what is written; a paste never sends", ("enter",), Scope.COMPOSER, _chat_open),
    Action(
        "composer.newline",
        "New line",
        "Start a new line",
        ("ctrl+j", "shift+enter", "alt+enter"),
        Scope.COMPOSER,
        _chat_open,
    ),
    Action("composer.complete", "Complete a name", "After @ and a few letters, in a group", ("tab",), Scope.COMPOSER, _in_group),
    Action("composer.messages", "To the messages", "When nothing is written: choose a message", ("up",), Scope.COMPOSER, _chat_open),
    Action("message.older", "Message above", "Choose the message above", ("up", "k"), Scope.MESSAGE, _message),
    Action("message.newer", "Message below", "Choose the message below", ("down", "j"), Scope.MESSAGE, _message),
    Action("message.copy", "Copy", "Copy the message's text", ("c", "y"), Scope.MESSAGE, _message),
    Action("message.retry", "Retry", "Send a failed message again", ("r",), Scope.MESSAGE, _failed),
    Action("message.discard", "Discard", "Take back what was not sent, to edit it", ("d",), Scope.MESSAGE, _unsent),
)  # fmt: skip

_NAMESPACES = {Scope.APP: "app.", Scope.CHAT: "screen.", Scope.COMPOSER: "", Scope.MESSAGE: ""}


def actions(scope: Scope) -> tuple[Action, ...]:
    """The actions of one scope, in the registry's order."""
    return tuple(action for action in ACTIONS if action.scope is scope)


def bindings(scope: Scope) -> list[BindingType]:
    """Textual's bindings for a scope. Keys of the app and the chat screen go before those of the widget in focus."""
    priority = scope in (Scope.APP, Scope.CHAT)
    return [
        Binding(
            ",".join(action.keys),
            _NAMESPACES[scope] + action.method,
            action.name,
            show=False,
            id=action.id,
            priority=priority,
        )
        for action in actions(scope)
    ]


def key_label(key: str) -> str:
    """A key as people write it: `ctrl+page_up` is `Ctrl+PgUp`."""
    names = {"pageup": "PgUp", "pagedown": "PgDn", "up": "↑", "down": "↓", "escape": "Esc"}
    return "+".join(
        names.get(part, part.capitalize() if len(part) > 1 or "+" in key else part) for part in key.split("+")
    )
