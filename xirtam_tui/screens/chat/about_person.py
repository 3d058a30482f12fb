"""What the details pane says of a person."""

from typing import NamedTuple

from xirtam_core.chat import Chat
from xirtam_core.people import SafetyCode, Standing
from xirtam_tui.keymap import Keymap
from xirtam_tui.moments import Clock, span
from xirtam_tui.widgets.about.lines import ChatOf, Line, Piece, fact, heading, key, line

_STANDINGS = {
    Standing.CONTACT: "contact",
    Standing.REQUEST: "asks to write",
    Standing.BLOCKED: "blocked",
}
_MOST_GROUPS = 6
_SHORT = 2  # groups of a code's digits, that nobody takes them for all of it


class KnownPerson(NamedTuple):
    """What the engine has been asked for about somebody: `code` is None where it is not to be had just now."""

    code: SafetyCode | None
    shared: tuple[str, ...]
    """The chats' ids of the groups that they are in too."""


def seal(chat: Chat) -> Piece:
    """Whether somebody's identity has been compared, as a sign and in words."""
    if chat.alarm is not None:
        return Piece("⚠ identity changed", "alarm")
    return Piece("✓ verified", "good") if chat.verified else Piece("○ not verified", "muted")


def person_lines(
    chat: Chat, known: KnownPerson | None, titles: dict[str, str], keys: Keymap, clock: Clock, *, width: int
) -> list[Line]:
    """Who somebody is, and what to do about them; `titles` are what groups are called, by their chats' ids."""
    code = None if known is None else known.code
    called = [line(Piece(chat.petname, "muted"), width=width)] if chat.petname else []
    lines = [line(Piece(chat.title, "name"), width=width, target="details"), *called]
    lines += [line(seal(chat), width=width, target="details"), Line()]
    if chat.display_name:
        lines += fact("name", f"“{chat.display_name}”, they say", width=width)
    lines += fact("is", f"{_STANDINGS[chat.standing]}{', muted' if chat.is_muted else ''}", width=width)
    if chat.server is not None:
        lines += fact("server", chat.server, width=width)
    lines += fact("devices", _devices(known, code, clock), width=width)
    lines += fact("code", _code(known, code), width=width, target="details")
    lines += _keys(chat, keys, width)  # what comes later, once it was asked for, moves none of it
    if known is not None and (shared := [(titles[each], each) for each in known.shared if each in titles]):
        lines += heading(f"Groups you share ({len(shared)})")
        shared.sort(key=lambda each: each[0].casefold())
        lines += [line(Piece(title), width=width, target=ChatOf(chat_id)) for title, chat_id in shared[:_MOST_GROUPS]]
        if len(shared) > _MOST_GROUPS:
            lines.append(line(Piece(f"… and {len(shared) - _MOST_GROUPS} more", "muted"), width=width))
    return lines


def own_lines(chat: Chat, key_age_s: int | None, keys: Keymap, *, width: int) -> list[Line]:
    """Where one writes to oneself: one's own name, and the key that others write to this device with."""
    lines = [line(Piece(chat.title, "name"), width=width), line(Piece("you", "muted"), width=width), Line()]
    if chat.server is not None:
        lines += fact("server", chat.server, width=width)
    if key_age_s is not None:
        lines += fact("key", f"renewed {span(key_age_s)} ago", width=width, target="devices")
    lines += heading("What to do")
    lines += key(keys.label("chat.profile"), "your name, to give", "profile", width=width)
    lines += key(keys.label("chat.devices"), "your devices", "devices", width=width)
    return [*lines, *key(keys.label("chat.toggle_details"), "hide this", "toggle_details", width=width)]


def _devices(known: KnownPerson | None, code: SafetyCode | None, clock: Clock) -> str:
    if known is None:
        return "…"
    if code is None:
        return "not known just now"
    if code.devices_changed_s is None:
        return "no change seen"
    return f"changed {span(clock().timestamp() - code.devices_changed_s)} ago"


def _code(known: KnownPerson | None, code: SafetyCode | None) -> str:
    if code is None:
        return "…" if known is None else "not known just now"
    return f"{' '.join(code.digits.split(' ')[:_SHORT])} …"


def _keys(chat: Chat, keys: Keymap, width: int) -> list[Line]:
    label = keys.label
    lines = heading("What to do")
    if chat.alarm is not None:
        lines += key(label("chat.acknowledge"), "look at the warning", "acknowledge", width=width)
    if chat.standing is not Standing.CONTACT:
        lines += key(label("chat.accept"), "accept", "accept", width=width)
    lines += key(label("chat.details"), "code, verify, name", "details", width=width)
    lines += key(label("chat.mute"), "unmute" if chat.is_muted else "mute", "mute", width=width)
    if chat.standing is not Standing.BLOCKED:
        lines += key(label("chat.block"), "block", "block", width=width)
    lines += key(label("chat.forget"), "delete the chat", "forget", width=width)
    return [*lines, *key(label("chat.toggle_details"), "hide this", "toggle_details", width=width)]
