"""Every action of the app, once. Key bindings, the command palette and the help screen derive from this registry.

An action is run by a method `action_NAME` of its scope's owner: the app, the chat screen, the composer, the transcript's message
cursor, or a sheet. To add one, add it here and write that method.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from textual.binding import Binding, BindingType

from xirtam_core.chat import Message, MessageKind, SendState
from xirtam_core.groups import GroupState
from xirtam_core.people import Standing


class Scope(StrEnum):
    """Who runs an action; the value is the heading in the help."""

    APP = "Everywhere"
    CHAT = "Chats"
    COMPOSER = "Writing"
    MESSAGE = "On a message"
    GROUP = "Among a group's members"
    PERSON = "On a person"


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
    can_write: bool = False
    can_pin: bool = False
    """Whether messages may be pinned in the chat that is open: by a group's admins."""


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


# On a message

_WRITTEN = (MessageKind.TEXT, MessageKind.MARKDOWN)
_ON_A_SERVER = (SendState.SENDING, SendState.SENT, SendState.DELIVERED, SendState.READ)


def _has_text(now: Situation) -> bool:
    message = now.message
    return message is not None and message.kind in _WRITTEN and not message.is_withdrawn


def _can_answer(now: Situation) -> bool:
    return now.can_write and _has_text(now) and not _failed(now)


def _can_react(now: Situation) -> bool:
    message = now.message
    is_there = message is not None and message.kind is not MessageKind.NOTICE and not message.is_withdrawn
    return now.can_write and is_there and not _failed(now)


def _can_edit(now: Situation) -> bool:
    return _can_answer(now) and now.message is not None and now.message.mine


def _can_take_back(now: Situation) -> bool:
    message = now.message
    return message is not None and message.mine and message.state in _ON_A_SERVER and not message.is_withdrawn


def _can_pin(now: Situation) -> bool:
    message = now.message
    is_there = message is not None and (not message.mine or message.state in _ON_A_SERVER)
    return now.can_pin and is_there and _has_text(now)


def _has_link(now: Situation) -> bool:
    return _has_text(now) and now.message is not None and "://" in now.message.text


class Action(NamedTuple):
    """One thing that a person can do. `id` is `scope.name`, where `name` is that of the method; `keys` are the default ones."""

    id: str
    name: str
    help: str
    keys: tuple[str, ...]
    scope: Scope
    is_enabled: Callable[[Situation], bool] = _always
    takes: str = ""
    """What may follow its slash command, in a word; nothing where nothing may."""

    @property
    def method(self) -> str:
        """The Textual action that runs it: `action_` and this is the method's name."""
        return self.id.partition(".")[2]

    @property
    def command(self) -> str:
        """The slash command that runs it, `/` and all; nothing where there is none."""
        has_one = self.scope in (Scope.APP, Scope.CHAT) and self.id not in _WITHOUT_COMMAND
        return "/" + self.method.replace("_", "-") if has_one else ""


_WITHOUT_COMMAND = ("app.command_palette", "chat.back", "chat.older", "chat.newer", "chat.write")
"""What makes no sense to somebody who is writing."""


ACTIONS: tuple[Action, ...] = (
    Action("app.help", "Help", "Show every key and what it does", ("f1",), Scope.APP),
    Action("app.command_palette", "Commands", "Find any command by its name", ("ctrl+p",), Scope.APP),
    Action("app.switch_theme", "Next colours", "Dark, light, contrast, terminal, and round", ("ctrl+t",), Scope.APP),
    Action("app.suspend", "Suspend", "Go back to the shell; `fg` comes back here", ("ctrl+z",), Scope.APP),
    Action("app.settings", "Settings", "Colours, notifications, what others are told", ("ctrl+s",), Scope.APP),
    Action("app.about", "About", "Versions, places on the disk, and the log", ("alt+v",), Scope.APP),
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
    Action("chat.wider", "Wider list", "Give the list more room; its edge can be drawn too", ("alt+l",), Scope.CHAT, _in_chats),
    Action("chat.narrower", "Narrower list", "Give the list less room", ("alt+j",), Scope.CHAT, _in_chats),
    Action("chat.toggle_details", "Show or hide details", "What is known of the chat, beside it", ("alt+s",), Scope.CHAT, _chat_open),
    Action("chat.back", "Back", "Back, a step at a time", ("escape",), Scope.CHAT, _in_chats),
    Action("chat.older", "Scroll up", "A page towards older messages", ("pageup",), Scope.CHAT, _chat_open),
    Action("chat.newer", "Scroll down", "A page towards newer messages", ("pagedown",), Scope.CHAT, _chat_open),
    Action("chat.oldest", "First message", "Go to the beginning of the chat", ("ctrl+home",), Scope.CHAT, _chat_open),
    Action("chat.latest", "Latest message", "Go to the newest message", ("ctrl+end",), Scope.CHAT, _chat_open),
    Action("chat.first_unread", "First unread", "Go to the line above the new messages", ("f4",), Scope.CHAT, _chat_open),
    Action("chat.acknowledge", "I have seen this alarm", "Put the warning away and go on", ("f8",), Scope.CHAT, _alarm),
    Action("chat.accept", "Accept", "Let them write; they are a contact then", ("f5",), Scope.CHAT, _not_a_contact),
    Action("chat.block", "Block", "Keep nothing that they write from now on", ("f6",), Scope.CHAT, _not_blocked),
    Action("chat.forget", "Delete or leave", "Delete the chat here; leave a group first", ("f7",), Scope.CHAT, _chat_open),
    Action("chat.pin", "Pin", "Keep the chat at the top of the list, or not", ("alt+p",), Scope.CHAT, _chat_open),
    Action("chat.mute", "Mute", "No notifications for this chat, or again", ("alt+m",), Scope.CHAT, _chat_open),
    Action("chat.archive", "Archive", "Put the chat away, or bring it back", ("alt+a",), Scope.CHAT, _chat_open),
    Action("chat.fold", "Fold sections", "Fold the section of the open chat", ("alt+left",), Scope.CHAT, _in_chats),
    Action("chat.unfold", "Unfold sections", "Show all sections, the archive too", ("alt+right",), Scope.CHAT, _in_chats),
    Action("chat.search", "Search", "Find what was said, in all chats", ("ctrl+r",), Scope.CHAT, _in_chats, "words"),
    Action("chat.search_chat", "Search this chat", "Find what was said, in this chat", ("alt+r",), Scope.CHAT, _chat_open, "words"),
    Action("chat.write", "Write", "Go to where one writes", ("alt+w",), Scope.CHAT, _chat_open),
    Action("chat.details", "Details", "Who this is, the safety code, or who is in the group", ("f10",), Scope.CHAT, _chat_open),
    Action("chat.devices", "Your devices", "List, add, name and revoke your devices", ("alt+d",), Scope.CHAT, _in_chats),
    Action("chat.owners", "Name's owners", "Who owns your name, and changing that", ("alt+o",), Scope.CHAT, _in_chats),
    Action("chat.recovery_key", "Recovery key", "Make, check or remove your key on paper", ("alt+k",), Scope.CHAT, _in_chats),
    Action("chat.back_up", "Back up", "Write your account to one encrypted file", ("alt+x",), Scope.CHAT, _in_chats),
    Action("chat.network", "The network", "How server and directory are, and any proof", ("alt+n",), Scope.CHAT, _in_chats),
    Action("chat.move", "Home server", "Move your account to another server", ("alt+h",), Scope.CHAT, _in_chats, "server"),
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
    Action("composer.undo", "Undo", "Take back the last change to what is written", ("alt+z",), Scope.COMPOSER, _chat_open),
    Action("composer.redo", "Redo", "Make it again", ("alt+y",), Scope.COMPOSER, _chat_open),
    Action("composer.complete", "Complete", "A name after @, emoji after :, command after /", ("tab",), Scope.COMPOSER, _chat_open),
    Action("composer.editor", "Your editor", "Go on writing in your own editor, $EDITOR", ("ctrl+e",), Scope.COMPOSER, _chat_open),
    Action("composer.messages", "To the messages", "When nothing is written: choose a message", ("up",), Scope.COMPOSER, _chat_open),
    Action("message.older", "Message above", "Choose the message above", ("up", "k"), Scope.MESSAGE, _message),
    Action("message.newer", "Message below", "Choose the message below", ("down", "j"), Scope.MESSAGE, _message),
    Action("message.jump", "Follow", "Go to the message that it answers, else show details", ("enter",), Scope.MESSAGE, _message),
    Action("message.reply", "Reply", "Answer the message, quoting it", ("r",), Scope.MESSAGE, _can_answer),
    Action("message.react", "React", "Put an emoji on it, or take it off", ("a", "+"), Scope.MESSAGE, _can_react),
    Action("message.edit", "Edit", "Change what a message of yours says", ("e",), Scope.MESSAGE, _can_edit),
    Action("message.delete", "Take back", "Withdraw a message of yours", ("x", "delete"), Scope.MESSAGE, _can_take_back),
    Action("message.forward", "Forward", "Send its text to another chat too", ("f",), Scope.MESSAGE, _has_text),
    Action("message.open", "Open link", "Open the link that is in it", ("o",), Scope.MESSAGE, _has_link),
    Action("message.details", "Details", "Times, states and checks of the message", ("i",), Scope.MESSAGE, _message),
    Action("message.copy", "Copy", "Copy the message's text", ("c", "y"), Scope.MESSAGE, _has_text),
    Action("message.pin", "Pin", "Have a group's members find it again, or no more", ("p",), Scope.MESSAGE, _can_pin),
    Action("message.menu", "Menu", "Choose from all that can be done about the message", ("m",), Scope.MESSAGE, _message),
    Action("message.retry", "Retry", "Send a failed message again", ("r",), Scope.MESSAGE, _failed),
    Action("message.discard", "Discard", "Take back what was not sent, to edit it", ("d",), Scope.MESSAGE, _unsent),
    Action("group.let_in", "Let in", "Let in the one who asks for it", ("y",), Scope.GROUP),
    Action("group.refuse", "Refuse", "Tell the one who asks that they are not let in", ("n",), Scope.GROUP),
    Action("group.ban", "Ban", "Shut a member out, or let them be invited again", ("b",), Scope.GROUP),
    Action("group.admin", "Admin", "Make a member an admin, or an admin a member", ("a",), Scope.GROUP),
    Action("group.invite", "Invite", "Go to where one writes whom to invite", ("i",), Scope.GROUP),
    Action("group.settings", "Name and rights", "What the group is called, who invites and who writes", ("s",), Scope.GROUP),
    Action("group.link", "Invite link", "Make a link that lets people in, or end those you made", ("l",), Scope.GROUP),
    Action("group.move", "Move", "Move the group to your own server", ("m",), Scope.GROUP),
    Action("group.mute", "Mute", "No notifications for this group, or again", ("u", "alt+m"), Scope.GROUP),
    Action("group.publish", "Name in the directory", "Let people find the group by a name, or no more", ("p",), Scope.GROUP),
    Action("group.part", "Leave the group", "Leave it; what was said stays here", ("f7",), Scope.GROUP),
    Action("person.verify", "Verified", "Say that you have compared the code, or have not", ("v",), Scope.PERSON),
    Action("person.picture", "QR code", "Show the safety code as a picture", ("q",), Scope.PERSON),
    Action("person.rename", "Name", "Give them a name that only you see", ("n",), Scope.PERSON),
    Action("person.mute", "Mute", "No notifications for this chat, or again", ("u", "alt+m"), Scope.PERSON),
    Action("person.block", "Block", "Block them, or accept what they write", ("b",), Scope.PERSON),
    Action("person.delete", "Delete", "Delete the chat with them here", ("d",), Scope.PERSON),
)  # fmt: skip

NEVER_TOGETHER = frozenset({frozenset(("message.reply", "message.retry"))})
"""Actions that may have the same key, since no message allows both."""

_NAMESPACES = {Scope.APP: "app.", Scope.CHAT: "screen."}


def actions(scope: Scope) -> tuple[Action, ...]:
    """The actions of one scope, in the registry's order."""
    return tuple(action for action in ACTIONS if action.scope is scope)


UNBOUND = "unbound"
"""No terminal sends this key: that of an action without keys, which Textual has no other way to say."""


def letters_id(action_id: str) -> str:
    """The binding of an action's keys that are letters, which are to be heard only where nobody writes."""
    return f"{action_id}.letters"


def is_of_the_screen(scope: Scope) -> bool:
    """Whether a scope's keys work wherever the focus is."""
    return scope in (Scope.APP, Scope.CHAT)


def bindings(scope: Scope) -> list[BindingType]:
    """Textual's bindings for a scope. The app's and the chat screen's go before the focused widget's, letters after."""
    first = [_binding(action, ",".join(action.keys) or UNBOUND, action.id) for action in actions(scope)]
    if not is_of_the_screen(scope):
        return first
    return [*first, *(_binding(action, UNBOUND, letters_id(action.id)) for action in actions(scope))]


def _binding(action: Action, keys: str, binding_id: str) -> BindingType:
    is_first = is_of_the_screen(action.scope) and binding_id == action.id
    name = _NAMESPACES.get(action.scope, "") + action.method
    return Binding(keys, name, action.name, show=False, id=binding_id, priority=is_first)


def key_label(key: str) -> str:
    """A key as people write it: `ctrl+page_up` is `Ctrl+PgUp`."""
    names = {"pageup": "PgUp", "pagedown": "PgDn", "up": "↑", "down": "↓", "escape": "Esc"}
    return "+".join(
        names.get(part, part.capitalize() if len(part) > 1 or "+" in key else part) for part in key.split("+")
    )
