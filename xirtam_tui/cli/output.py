"""What commands print: one JSON object a line on stdout with `--json`, else words; notes for people go to stderr.

Times are RFC 3339 with nanoseconds, ids lowercase hex. Peers' text is made safe for a terminal before it is shown in words; in JSON it
is escaped by the encoding.
"""

import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from xirtam_core.chat import Chat, Message, MessageKind, Status
from xirtam_core.errors import XirtamError
from xirtam_core.groups import Group, GroupState
from xirtam_core.people import Contact, Standing
from xirtam_tui.text import body, line


def rfc3339(time_ns: int | None) -> str | None:
    """Unix nanoseconds as text, in UTC; None stays None."""
    if time_ns is None:
        return None
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError):  # beyond the year 9999: a peer's clock may say anything
        return "9999-12-31T23:59:59.999999999Z"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def message_object(message: Message, event: str = "message") -> dict[str, Any]:
    """A message as JSON output shows it."""
    return {
        "event": event,
        "id": message.id,
        "chat": message.chat,
        "sender": message.sender,
        "mine": message.mine,
        "sent_at": rfc3339(message.sent_at),
        "received_at": rfc3339(message.received_at),
        "kind": message.kind,
        "text": message.text,
        "mime": message.mime,
        "state": message.state,
        "failure": message.failure,
        "verified": message.verified,
        "reply_to": message.reply_to,
        "quote": message.quote,
        "quoted": message.quoted,
        "edited": message.is_edited,
        "withdrawn": message.is_withdrawn,
        "outsider": message.is_outsiders,
        "mentions_me": message.mentions_me,
        "group": message.group,
        "reactions": [{"emoji": each.emoji, "senders": list(each.senders)} for each in message.reactions],
    }


def chat_object(chat: Chat) -> dict[str, Any]:
    """A contact as JSON output shows it."""
    return {
        "event": "contact",
        "chat": chat.id,
        "name": chat.title,
        "server": chat.server,
        "unread": chat.unread,
        "mentions": chat.mentions,
        "last": None if chat.last is None else message_object(chat.last),
        "alarm": chat.alarm,
        "standing": chat.standing,
        "petname": chat.petname,
        "display_name": chat.display_name,
        "verified": chat.verified,
        "group": None if chat.group is None else chat.group.state,
    }


def group_object(group: Group) -> dict[str, Any]:
    """A group as JSON output shows it."""
    return {"event": "group", "chat": group.id, **msgspec.to_builtins(group, enc_hook=str)}


def group_chat_object(group: Group, chat: Chat) -> dict[str, Any]:
    """A group in a list of them, with how much of its chat is unread."""
    return group_object(group) | {"unread": chat.unread, "mentions": chat.mentions}


def group_words(group: Group, chat: Chat | None = None) -> str:
    """A group in words: name, beginning of its id, how this account stands with it, and what is unread of its chat."""
    marks = ["admin"] if group.is_admin else []
    marks += [group.state] if group.state is not GroupState.MEMBER else []
    marks += [f"invited by {group.invited_by}"] if group.invited_by and group.state is GroupState.INVITED else []
    marks += [group.directory_name] if group.directory_name else []
    marks += [f"{group.asking} ask to be let in"] if group.asking else []
    members = f"{group.members} member{'s' if group.members != 1 else ''}" if group.members else ""
    marks += [_unread(chat)] if chat is not None and chat.unread else []
    return "  ".join([f"{line(group.title):<24}", group.id[:12], members, *marks]).rstrip()


def _unread(chat: Chat) -> str:
    """How much is unread, and how much of that mentions this account."""
    mention = "mention" if chat.mentions > 1 else "mentions"
    return f"{chat.unread} unread" + (f", {chat.mentions} {mention} you" if chat.mentions else "")


def contact_object(person: Contact, event: str = "contact") -> dict[str, Any]:
    """A person as JSON output shows them."""
    return {"event": event, **msgspec.to_builtins(person, enc_hook=str)}


def contact_words(person: Contact) -> str:
    """A person in words: name, server, and what this account says of them."""
    return f"{person.name:<16}  {person.server or '':<16}" + _marks(person)


def _marks(who: Contact | Chat) -> str:
    marks = [f"“{line(who.petname)}”"] if who.petname else []
    marks += [f"calls themselves “{line(who.display_name)}”"] if who.display_name else []
    marks += [who.standing] if who.standing is not Standing.CONTACT else []
    marks += ["verified"] if who.verified else []
    return "".join(f"  {mark}" for mark in marks)


def chat_words(chat: Chat) -> str:
    """A contact in words."""
    unread = f"  {_unread(chat)}" if chat.unread else ""
    return f"{line(chat.title):<16}  {chat.server or '':<16}{unread}{_marks(chat)}"


def status_object(status: Status, event: str = "status") -> dict[str, Any]:
    """The account's state as JSON output shows it."""
    return {"event": event, **msgspec.to_builtins(status, enc_hook=str)}


class Output:
    """Where a command prints, in one of the two ways."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, value: dict[str, Any], words: str) -> None:
        """Prints a result: `value` in JSON, else `words`."""
        if self.as_json:
            sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")
        elif words:
            sys.stdout.write(words + "\n")
        sys.stdout.flush()

    def event(self, value: dict[str, Any]) -> None:
        """Prints something that only programs want to know."""
        if self.as_json:
            self.result(value, "")

    def note(self, words: str) -> None:
        """Tells a person something that is no result."""
        sys.stderr.write(words + "\n")
        sys.stderr.flush()

    def error(self, error: XirtamError, code: int, kind: str = "") -> None:
        """Says why a command ends; `kind` is the error's own name if none is given."""
        kind = kind or type(error).__name__
        if self.as_json:
            self.result({"event": "error", "error": kind, "message": str(error), "exit": code}, "")
        else:
            self.note(f"xirtam: {line(str(error))}")


def message_words(message: Message) -> str:
    """A message in words: when, who, what."""
    at = datetime.fromtimestamp(min(message.sent_at // 1_000_000_000, 253_402_300_799)).astimezone()
    text = _said(message)
    text = text.replace("\n", "\n    ")  # so that no line of a message can pass for another message
    reason = f": {line(message.failure)}" if message.failure else ""
    state = f"  ({message.state}{reason})" if message.mine else ""
    if message.kind is MessageKind.NOTICE:
        return f"{at:%Y-%m-%d %H:%M}  — {message.sender} {line(text)}"
    state += "  (mentions you)" if message.mentions_me else ""
    state += "  (not in the group)" if message.is_outsiders else ""
    return f"{at:%Y-%m-%d %H:%M}  {message.sender}: {text}{state}"


def _said(message: Message) -> str:
    if message.is_withdrawn:
        return "[withdrawn]"
    if message.kind is MessageKind.INVITE:
        return f"[invites to a group: xirtam group accept {(message.group or '')[:12]}]"
    if message.kind is MessageKind.UNSUPPORTED:
        return f"[{line(message.mime)} is not supported by this version]"
    quote = f"> {line(message.quote)}\n" if message.quote else ""
    edited = "  (edited)" if message.is_edited else ""
    reactions = "".join(f"  {line(each.emoji)} {len(each.senders)}" for each in message.reactions)
    return f"{quote}{body(message.text)}{edited}{reactions}"
