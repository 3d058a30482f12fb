"""What the details pane says of a group."""

from typing import NamedTuple

from xirtam_core.chat import Chat, Message
from xirtam_core.group_entry import JoinRequest
from xirtam_core.groups import Group, GroupDetails, GroupMember, GroupState, Status
from xirtam_core.names import Username
from xirtam_tui import text
from xirtam_tui.keymap import Keymap
from xirtam_tui.screens.group import words
from xirtam_tui.widgets.about.lines import Line, Piece, fact, heading, key, line, paragraph

_STATES = {
    GroupState.INVITED: "invited",
    GroupState.JOINING: "coming in",
    GroupState.LEAVING: "leaving",
    GroupState.LEFT: "you have left",
    GroupState.BANNED: "banned",
}
_MOST_ASKING, _MOST_PINS, _LEAST_MEMBERS = 4, 4, 4
_MARKS = {Status.PENDING: "invited", Status.BANNED: "banned"}


class KnownGroup(NamedTuple):
    """What the engine has been asked for about a group."""

    details: GroupDetails
    requests: tuple[JoinRequest, ...]
    pins: tuple[Message, ...]


def group_lines(
    chat: Chat, group: Group, known: KnownGroup | None, me: Username, keys: Keymap, *, width: int, height: int
) -> list[Line]:
    """What a group is, who is in it as far as there are rows, and what to do."""
    lines = [line(Piece(group.title, "name"), width=width, target="details")]
    if group.description.strip():
        lines += paragraph(" ".join(group.description.split()), "muted", width=width, most=3)
    lines += [Line(), *_facts(chat, group, known, width), *_keys(chat, group, keys, width)]
    if known is None or group.state is not GroupState.MEMBER:
        return lines
    lines += _asking(known.requests, width)
    lines += _pinned(known.pins, width)
    room = max(_LEAST_MEMBERS, height - len(lines) - len(heading("")))
    return [*lines, *_members(known.details.roster, group.members, me, width, room)]


def _facts(chat: Chat, group: Group, known: KnownGroup | None, width: int) -> list[Line]:
    you = "admin" if group.is_admin else _STATES.get(group.state, "member")
    lines = fact("you", f"{you}{', muted' if chat.is_muted else ''}", width=width)
    lines += fact("server", group.server if group.moves_to is None else f"{group.server}, moving", width=width)
    if group.directory_name:
        lines += fact("name", group.directory_name, width=width)
    if group.name_alarm is not None:
        lines += fact("", f"⚠ {group.name_alarm}", width=width, style="alarm")
    if group.state is GroupState.MEMBER:
        lines += fact("invite", "…" if known is None else _who(known.details.who_invites), width=width)
        lines += fact("write", "…" if known is None else _who(known.details.who_posts), width=width)
    return lines


def _who(rule: str) -> str:
    return "only admins" if rule == "admins" else "all members"


def _asking(requests: tuple[JoinRequest, ...], width: int) -> list[Line]:
    if not requests:
        return []
    rows = [
        line(Piece(each.user), Piece(f"  {each.note}", "muted"), width=width, target="group")
        for each in requests[:_MOST_ASKING]
    ]
    return [*heading(f"Ask to be let in ({len(requests)})"), *rows, *_more(len(requests) - _MOST_ASKING, width)]


def _pinned(pins: tuple[Message, ...], width: int) -> list[Line]:
    if not pins:
        return []
    rows = [
        line(Piece(f"{each.sender.bare}: ", "muted"), Piece(_start_of(each)), width=width, target=each)
        for each in pins[:_MOST_PINS]
    ]
    return [*heading(f"Pinned ({len(pins)})"), *rows, *_more(len(pins) - _MOST_PINS, width)]


def _start_of(message: Message) -> str:
    return "withdrawn" if message.is_withdrawn else text.line(message.text[:200])


def _members(roster: tuple[GroupMember, ...], count: int, me: Username, width: int, room: int) -> list[Line]:
    shown = roster if len(roster) <= room else roster[: room - 1]
    rows = [_member(each, me, width) for each in shown]
    return [*heading(words.members(count)), *rows, *_more(len(roster) - len(shown), width)]


def _member(member: GroupMember, me: Username, width: int) -> Line:
    mark = "admin" if member.is_admin else _MARKS.get(member.status, "")
    marks = ", ".join(each for each in ("you" if member.name == me else "", mark) if each)
    return line(Piece(member.name), Piece(f"  {marks}" if marks else "", "muted"), width=width, target="group")


def _more(count: int, width: int) -> list[Line]:
    return [line(Piece(f"… and {count} more", "muted"), width=width, target="group")] if count > 0 else []


def _keys(chat: Chat, group: Group, keys: Keymap, width: int) -> list[Line]:
    label = keys.label
    lines = heading("What to do")
    match group.state:
        case GroupState.INVITED:
            lines += key(label("chat.accept"), "accept", "accept", width=width)
            leave = "decline"
        case GroupState.LEFT | GroupState.BANNED:
            leave = "delete the chat"
        case _:
            lines += key(label("chat.group"), "members, rights", "group", width=width)
            leave = "leave"
    lines += key(label("chat.mute"), "unmute" if chat.is_muted else "mute", "mute", width=width)
    lines += key(label("chat.forget"), leave, "forget", width=width)
    return [*lines, *key(label("chat.toggle_details"), "hide this", "toggle_details", width=width)]
