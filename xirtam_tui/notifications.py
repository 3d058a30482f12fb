"""Saying that somebody has written, to a person who is looking elsewhere: by the bell, through the terminal, or on the desktop.

What is said is decided here without doing anything; `Notifier` does it, and never more often than every few seconds, so that a flood
of messages is one notice. Texts come safe from the bridge; the terminal's sequences are cut to plain characters again all the same.
"""

import asyncio
import contextlib
import html
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from xirtam_core.chat import Chat, Message, MessageKind
from xirtam_core.people import Standing
from xirtam_tui import text
from xirtam_tui.emoji_names import shown
from xirtam_tui.settings import Settings, TerminalNotice, is_quiet

PAUSE_S = 3.0
_LONGEST = 160


class News(NamedTuple):
    """A message that a person may want to know of, and its chat; no message where somebody asks to be let into that group."""

    chat: Chat
    message: Message | None = None

    @property
    def is_message(self) -> bool:
        """Whether it is a message of somebody's that has not been read."""
        message = self.message
        is_told = message is not None and not message.mine and message.kind is not MessageKind.NOTICE
        return is_told and message is not None and message.position > self.chat.read_up_to

    @property
    def key(self) -> str:
        """What it is kept under until it is told."""
        return self.message.id if self.message is not None else f"asking {self.chat.id}"


def newly_asked(chats: Iterable[Chat], known: Callable[[str], Chat | None]) -> list[News]:
    """The groups among `chats` that more people ask to be let into than was known."""

    def asking(chat: Chat | None) -> int:
        return 0 if chat is None or chat.group is None else chat.group.asking

    return [News(chat) for chat in chats if asking(chat) > asking(known(chat.id))]


def worth_telling(news: Iterable[News], looking_at: str | None, settings: Settings, now: datetime) -> list[News]:
    """What of `news` to tell: nothing in quiet hours, of muted chats or of the one that a person is `looking_at`."""
    if is_quiet(settings, now.hour * 60 + now.minute):
        return []
    return [
        each
        for each in news
        if (each.is_message or each.message is None)
        and each.chat.standing is not Standing.BLOCKED
        and not each.chat.is_muted
        and each.chat.id != looking_at
    ]


def words(news: list[News], settings: Settings) -> tuple[str, str]:
    """A notice's title and text for all of `news`."""
    count = len(news)
    what = "message" if all(each.message is not None for each in news) else "message or request"
    if not settings.show_content:
        return "xirtam", f"A new {what}" if count == 1 else f"{count} new {_plural(what)}"
    chats = list(dict.fromkeys(each.chat.title for each in news))
    if count > 1:
        return _cut(", ".join(chats[:3]) + ("…" if len(chats) > 3 else "")), f"{count} new {_plural(what)}"
    ((chat, message),) = news
    if message is None:
        return _cut(chat.title), "somebody asks to be let in"
    if chat.standing is Standing.REQUEST:
        return chat.title, "wants to write to you" if chat.group is None else "an invitation into a group"
    said = (
        text.line(message.text[:_LONGEST]) if message.kind in (MessageKind.TEXT, MessageKind.MARKDOWN) else "a message"
    )
    return _cut(chat.title), _cut(said if chat.group is None else f"{message.sender.bare}: {said}")


_OSC9_PROGRAMS = ("iTerm.app", "WezTerm", "ghostty")
_OSC777_TERMS = ("foot", "rxvt", "urxvt")


def known_notice(environment: Mapping[str, str]) -> TerminalNotice:
    """The sequence that this terminal is known to show; none where that is not known, as inside tmux."""
    if "TMUX" in environment or "STY" in environment:
        return TerminalNotice.NONE  # its variables are those of the terminal in which the session began, if any
    if environment.get("TERM_PROGRAM") in _OSC9_PROGRAMS:
        return TerminalNotice.OSC9
    if environment.get("TERM", "").startswith(_OSC777_TERMS):
        return TerminalNotice.OSC777
    return TerminalNotice.NONE


def sequence(kind: TerminalNotice, title: str, body: str, *, in_tmux: bool) -> str:
    """What makes a terminal show a notice; empty for none. tmux passes it on if it may."""
    title, body = _plain(title), _plain(body)
    if kind is TerminalNotice.OSC9:
        made = f"\x1b]9;{title}: {body}\x07"  # the title first: a text that began with `4;` would be a progress bar
    elif kind is TerminalNotice.OSC777:
        made = f"\x1b]777;notify;{title.replace(';', ',')};{body.replace(';', ',')}\x07"
    else:
        return ""
    return "\x1bPtmux;" + made.replace("\x1b", "\x1b\x1b") + "\x1b\\" if in_tmux else made


async def on_desktop(title: str, body: str) -> None:
    """Shows a notice by notify-send, where there is one and a desktop to show it."""
    command = shutil.which("notify-send")
    if command is None:
        return
    with contextlib.suppress(OSError, TimeoutError):
        # What it says is no option and no markup, whatever is in it.
        made = await asyncio.create_subprocess_exec(
            command, "--app-name=xirtam", "--", title, html.escape(body, quote=False),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await asyncio.wait_for(made.wait(), PAUSE_S)
        except TimeoutError:
            made.kill()
            await made.wait()


class Notifier:
    """Tells news in batches. `ring`, `write` and `show` are the bell, the terminal and the desktop."""

    def __init__(
        self, ring: Callable[[], None], write: Callable[[str], None], show: Callable[[str, str], None]
    ) -> None:
        self._ring, self._write, self._show = ring, write, show
        self._waiting: dict[str, News] = {}
        self.is_pausing = False

    def take(self, news: Iterable[News]) -> None:
        """Keeps news until they are told."""
        self._waiting.update((each.key, each) for each in news)

    def tell(self, settings: Settings) -> bool:
        """Tells what waits; gives whether there was anything."""
        news, self._waiting = list(self._waiting.values()), {}
        if not news:
            return False
        title, body = map(shown, words(news, settings))
        if settings.bell:
            self._ring()
        kind = settings.terminal_notice
        if kind is TerminalNotice.AUTO:
            kind = known_notice(os.environ)
        if made := sequence(kind, title, body, in_tmux="TMUX" in os.environ):
            self._write(made)
        if settings.desktop_notice:
            self._show(title, body)
        return True


def _plural(what: str) -> str:
    return what.replace("message", "messages").replace("request", "requests")


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _plain(words: str) -> str:
    return "".join(each for each in text.line(words) if each.isprintable())
