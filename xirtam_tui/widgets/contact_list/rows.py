"""A chat as two rows of the contact list: name and time, then the last message or the draft, and how much is unread or a mention."""

from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from xirtam_core.chat import Chat, Message, MessageKind, SendState
from xirtam_core.groups import GroupState
from xirtam_tui import text
from xirtam_tui.emoji_names import shown
from xirtam_tui.moments import stamp


class Styles(NamedTuple):
    """The list's styles, without backgrounds."""

    name: Style
    unread_name: Style
    muted: Style
    draft: Style
    alarm: Style
    badge: Style
    mention: Style
    section: Style
    bar: Style
    seal: Style


_STATES = {
    GroupState.INVITED: "an invitation",
    GroupState.JOINING: "coming in…",
    GroupState.LEAVING: "leaving…",
    GroupState.LEFT: "you have left",
    GroupState.BANNED: "you are banned",
}


def chat_rows(
    chat: Chat, width: int, now: datetime, styles: Styles, *, is_open: bool, is_under_cursor: bool = False
) -> tuple[Strip, Strip]:
    """The two rows of `chat`; the open one has a bar at its left, and an arrow where keys go to it."""
    bar = Segment("▌" if is_open and not is_under_cursor else " ", styles.bar)
    head = Segment("❯", styles.bar) if is_under_cursor else bar
    if is_under_cursor:
        styles = styles._replace(muted=styles.name)  # what is dim is hard to read on a lit row
    seal = Segment(" ✓", styles.seal) if chat.verified and chat.alarm is None else None
    time = stamp(chat.last.sent_at, now) if chat.last else ""
    name_style = styles.unread_name if chat.unread else styles.name
    first = _line(head, 1, chat.title, name_style, [Segment(time, styles.muted)], width, after=seal)
    preview, style = _preview(chat, styles)
    return first, _line(bar, 3, preview, style, _badges(chat, styles), width)


def section_row(title: str, width: int, styles: Styles) -> Strip:
    """A heading."""
    return _line(Segment(" "), 1, title.upper(), styles.section, [Segment("", styles.muted)], width)


def _badges(chat: Chat, styles: Styles) -> list[Segment]:
    """How many messages are unread, and before that how many ask to be let in, and how many messages mention this account."""
    asking = chat.group.asking if chat.group is not None else 0
    mentions = [Segment(f"?{_count(asking)}", styles.badge), Segment(" ")] if asking else []
    mentions += [Segment(f"@{_count(chat.mentions)}", styles.mention), Segment(" ")] if chat.mentions else []
    unread = f" {_count(chat.unread)} " if chat.unread else ""
    if chat.is_muted:
        return [*mentions, Segment(f"muted{unread.rstrip()}", styles.muted)]
    return [*mentions, Segment(unread, styles.badge)]


def _count(number: int) -> str:
    return str(number) if number < 1000 else "999+"


def _preview(chat: Chat, styles: Styles) -> tuple[str, Style]:
    if chat.alarm:
        return "⚠ " + chat.alarm, styles.alarm
    if chat.draft.strip():
        return "✎ " + text.line(chat.draft[:200]), styles.draft
    if chat.group is not None and chat.group.state is not GroupState.MEMBER:
        return _STATES[chat.group.state], styles.muted
    last = chat.last
    if last is None:
        return "no messages yet", styles.muted
    if last.is_withdrawn:
        return "withdrawn", styles.muted
    words = _words(last)
    if last.state is SendState.FAILED:
        return "✗ not sent: " + words, styles.alarm
    if last.state in (SendState.QUEUED, SendState.SENDING):
        return "⧗ " + words, styles.muted
    if last.mine:
        return "you: " + words, styles.muted
    if last.kind is MessageKind.NOTICE:
        return f"{last.sender.bare} {words}", styles.muted
    return (words if chat.group is None else f"{last.sender.bare}: {words}"), styles.muted


def _words(message: Message) -> str:
    if message.kind is MessageKind.INVITE:
        return "an invitation into a group"
    return message.mime if message.kind is MessageKind.UNSUPPORTED else text.line(message.text[:200])


def _line(
    bar: Segment,
    indent: int,
    left: str,
    style: Style,
    right: list[Segment],
    width: int,
    *,
    after: Segment | None = None,
) -> Strip:
    """`left` cut to fit with what is right `after` it, and `right` against the right margin of one cell."""
    left = shown(left)
    afters = [] if after is None else [after]
    right_cells = sum(segment.cell_length for segment in right)
    taken = 1 + indent + right_cells + sum(segment.cell_length for segment in afters)
    room = width - taken - (2 if right_cells else 1)
    if cell_len(left) > room:
        left = set_cell_size(left, max(0, room - 1)).rstrip() + "…"
    gap = max(0, width - taken - cell_len(left) - 1)
    begin = [bar, Segment(" " * indent), Segment(left, style), *afters]
    return Strip([*begin, Segment(" " * gap), *right, Segment(" ")])
