"""One message as rows on the screen: what stands above it (day, unread line, sender), its text, its state, and notes below.

A block knows its height as soon as its text is wrapped; strips are made when it is first seen. Its height does not depend on the
state of a message that is under way, so nothing moves when one is sent, delivered or read.
"""

from datetime import date
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from xirtam_core.chat import Message, MessageKind, SendState
from xirtam_core.names import Username
from xirtam_tui.emoji_names import shown
from xirtam_tui.moments import clock_time
from xirtam_tui.widgets.transcript.dating import shown_at
from xirtam_tui.widgets.transcript.links import find_links
from xirtam_tui.widgets.transcript.notes import REACTIONS, notes, reactions
from xirtam_tui.widgets.transcript.palette import Palette
from xirtam_tui.widgets.transcript.rows import BLANK, BODY_COLUMN, NAME_COLUMN, RIGHT, WIDEST, Row, centred, ruled
from xirtam_tui.widgets.transcript.wrap import TextLine, wrap

_MENTION = "@"  # in the margin before the text
_NEXT = "·"
_STATE_ROOM = 14  # the longest state and two blanks before it
REACTION = "reaction"
"""What a style's meta says of an emoji that can be clicked."""
_SAID = (MessageKind.TEXT, MessageKind.MARKDOWN)
_STATES = {
    SendState.QUEUED: "⧗ queued",
    SendState.SENDING: "⧗ sending",
    SendState.SENT: "✓ sent",
    SendState.DELIVERED: "✓✓ delivered",
    SendState.READ: "✓✓ read",
    SendState.FAILED: "✗ failed",
}


class Context(NamedTuple):
    """What of a message's surroundings shows: a new day, the unread line's count, and whether its sender is named."""

    day: str | None = None
    unread: int = 0
    named: bool = True
    first: bool = False


class Surroundings(NamedTuple):
    """What a message's context follows from: the one before it, the unread line's count, and which day it is."""

    before: Message | None
    unread: int
    today: date

    def are(self, other: "Surroundings") -> bool:
        """Whether they are the same ones; of messages, which never change in place, that is told without comparing texts."""
        return self.before is other.before and self.unread == other.unread and self.today == other.today


class Block:
    """A message laid out at a width."""

    __slots__ = (
        "_rows",
        "available",
        "body",
        "context",
        "lines",
        "message",
        "notes",
        "quote",
        "reactions",
        "state_apart",
        "surroundings",
        "width",
    )

    def __init__(self, message: Message, width: int, me: Username | None = None) -> None:
        self.message = message
        self.available = width
        self.width = min(width, WIDEST)
        self.body = shown(_body(message))
        room = max(8, self.width - BODY_COLUMN - RIGHT)
        self.lines: list[TextLine] = wrap(self.body, room)
        self.state_apart = message.mine and self.lines[-1].cells + _STATE_ROOM > room
        self.notes = [
            (note[line.start : line.end], alarm) for note, alarm in _notes(message, me) for line in wrap(note, room)
        ]
        self.reactions = {shown(words): emoji for emoji, words in reactions(message, me)}
        """What is said of each emoji, and which that is."""
        self.quote = None if message.quote is None else _quote(message, room, me)
        self.context = Context()
        self.surroundings: Surroundings | None = None  # what the context was made of
        self._rows: list[Row] | None = None

    @property
    def height(self) -> int:
        """How many rows it takes."""
        return self.lead + (self.quote is not None) + len(self.lines) + self.state_apart + len(self.notes)

    @property
    def lead(self) -> int:
        """How many rows stand above the message's own text."""
        day, unread, named, first = self.context
        separators = (day is not None) + (unread > 0)
        gap = not first and (separators > 0 or named)
        return separators + named + gap

    @property
    def unread_row(self) -> int:
        """The row of the unread line, from the block's top."""
        return (not self.context.first) + (self.context.day is not None)

    def place(self, context: Context) -> None:
        """Sets what shows of what surrounds the message."""
        if context != self.context:
            self.context, self._rows = context, None

    def forget_strips(self) -> None:
        """Makes the rows anew when next seen: colours have changed."""
        self._rows = None

    def rows(self, palette: Palette) -> list[Row]:
        """The rows, top to bottom; made on first call."""
        if self._rows is None:
            self._rows = [*self._lead_rows(palette), *self._text_rows(palette), *self._note_rows(palette)]
        return self._rows

    def _lead_rows(self, palette: Palette) -> list[Row]:
        day, unread, named, first = self.context
        rows: list[Row] = []
        if not first and (day is not None or unread or named):
            rows.append(BLANK)
        if day is not None:
            rows.append(Row(centred(day, self.width, palette.day)))
        if unread:
            rows.append(Row(ruled(f" {unread} new ", self.width, palette.unread)))
        if named:
            mine = self.message.mine
            name = "you" if mine else self.message.sender.bare
            style = palette.you if mine else palette.name(self.message.sender)
            time = clock_time(shown_at(self.message))
            rows.append(
                Row(self._strip([(name, style)], NAME_COLUMN, (time, palette.muted)), f"{name} {time}", NAME_COLUMN)
            )
        return rows

    def _text_rows(self, palette: Palette) -> list[Row]:
        message = self.message
        is_said = message.kind in _SAID and not message.is_withdrawn
        style = palette.body if is_said else palette.note
        state: tuple[str, Style] | None = None
        if message.mine and message.state is not None:
            state = _STATES[message.state], palette.failed if message.state is SendState.FAILED else palette.muted
        pieces = _pieces(self.body, style, palette.link)
        rows: list[Row] = []
        if self.quote is not None:
            rows.append(Row(self._strip([self._begins(palette), (self.quote, palette.muted)], NAME_COLUMN, None)))
        for number, (start, end, _cells, joiner) in enumerate(self.lines, 1):
            last = number == len(self.lines) and not self.state_apart
            cut = _cut(self.body, pieces, start, end)
            if number == 1:
                strip = self._strip([self._margin(palette), *cut], NAME_COLUMN, state if last else None)
            else:
                strip = self._strip(cut, BODY_COLUMN, state if last else None)
            rows.append(Row(strip, self.body[start:end], BODY_COLUMN, joiner))
        if self.state_apart:
            rows.append(Row(self._strip([], BODY_COLUMN, state)))
        return rows

    def _margin(self, palette: Palette) -> tuple[str, Style]:
        """What stands before the first line of the text: that it names this account, or that another message begins here."""
        if self.message.mentions_me:
            return _MENTION.ljust(BODY_COLUMN - NAME_COLUMN), palette.mention
        return (" " * (BODY_COLUMN - NAME_COLUMN), palette.muted) if self.quote is not None else self._begins(palette)

    def _begins(self, palette: Palette) -> tuple[str, Style]:
        """What tells a message without a name above it from the one before."""
        return ("" if self.context.named else _NEXT).ljust(BODY_COLUMN - NAME_COLUMN), palette.muted

    def _note_rows(self, palette: Palette) -> list[Row]:
        styles = {False: palette.note, True: palette.warning}
        if self.message.state is SendState.FAILED:
            styles[True] = palette.failed
        rows: list[Row] = []
        for words, alarm in self.notes:
            pieces = self._reaction_pieces(words, styles[alarm]) or [(words, styles[alarm])]
            rows.append(Row(self._strip(pieces, BODY_COLUMN, None)))
        return rows

    def _reaction_pieces(self, words: str, style: Style) -> list[tuple[str, Style]]:
        """The line of reactions with each one to be told apart by a click; nothing for another line, or a part of a broken one."""
        if not words.startswith(REACTIONS) or not self.reactions:
            return []
        pieces = [(REACTIONS, style)]
        for at, said in enumerate(words.removeprefix(REACTIONS).split("   ")):
            emoji = self.reactions.get(said)
            pieces += [("   ", style)] if at else []
            pieces.append((said, style if emoji is None else style + Style(meta={REACTION: emoji})))
        return pieces

    def _strip(self, pieces: list[tuple[str, Style]], column: int, right: tuple[str, Style] | None) -> Strip:
        segments = [Segment(" " * column), *(Segment(text, style) for text, style in pieces)]
        used = column + sum(cell_len(text) for text, _ in pieces)
        if right is not None:
            text, style = right
            gap = max(1, self.width - RIGHT - cell_len(text) - used)
            segments += [Segment(" " * gap), Segment(text, style)]
            used += gap + cell_len(text)
        return Strip(segments, used)


def _body(message: Message) -> str:
    if message.is_withdrawn:
        return "withdrawn"
    if message.kind is MessageKind.INVITE:
        return "An invitation into a group" if message.mine else "An invitation into a group: look among your requests"
    if message.kind is MessageKind.NOTICE:
        return f"{message.sender.bare} {message.text}"
    if message.kind is MessageKind.UNSUPPORTED:
        return f"A message of a kind that this version cannot show yet ({message.mime})"
    return message.text


def _notes(message: Message, me: Username | None) -> list[tuple[str, bool]]:
    return [(shown(note), alarm) for note, alarm in notes(message, me)]


def _quote(message: Message, room: int, me: Username | None) -> str:
    """What a message answers, on one line, with whose that is where it is known."""
    whose = "" if message.quoted is None else "you: " if message.quoted == me else f"{message.quoted.bare}: "
    quote = whose + shown(message.quote or "")
    first, *more = wrap(quote, room - 2)
    return f"▏{quote[first.start : first.end]}{'…' if more else ''}"


def _pieces(body: str, style: Style, link_style: Style) -> list[tuple[int, int, Style]]:
    """`body` as spans of one style each; one style object a link, so that a terminal lights up all of its lines."""
    spans: list[tuple[int, int, Style]] = []
    at = 0
    for start, end, address in find_links(body):
        if start > at:
            spans.append((at, start, style))
        spans.append((start, end, link_style + Style(link=address)))
        at = end
    if at < len(body):
        spans.append((at, len(body), style))
    return spans


def _cut(body: str, spans: list[tuple[int, int, Style]], start: int, end: int) -> list[tuple[str, Style]]:
    """The part of `spans` between two characters, with its text."""
    return [
        (body[max(first, start) : min(last, end)], style)
        for first, last, style in spans
        if first < end and last > start
    ]
