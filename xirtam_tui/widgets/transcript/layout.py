"""Where every message of the window stands: blocks, their tops, and the way back from a line to what is on it.

Lines are counted twice. `y` is a line of the widget's virtual area and shifts when older messages are loaded above; a *mark* is
`y + origin` and stays with its message as long as that is loaded. Text selections live in marks, scrolling is kept by anchors.
"""

from bisect import bisect_right
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from xirtam_core.chat import Message, MessageKind
from xirtam_core.names import Username
from xirtam_tui.moments import day, local
from xirtam_tui.widgets.transcript.block import Block, Context, Surroundings
from xirtam_tui.widgets.transcript.dating import shown_at
from xirtam_tui.widgets.transcript.window import Window

_MINUTE_NS = 60 * 1_000_000_000
_FIRST_ORIGIN = 1 << 30  # so that marks stay positive however much is loaded above


class Anchor(NamedTuple):
    """A line of a message, counted from the first row of its text, so that it holds while what stands above that comes and goes."""

    message_id: str
    row: int


class UnreadLine(NamedTuple):
    """The line above the first message of others whose position is over `after`, saying that there are `number`."""

    after: int
    number: int


class Layout:
    """The blocks of a window at a width, below `lead` lines of the caller's."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.tops: list[int] = []
        self.height = 0
        self.origin = _FIRST_ORIGIN
        self._known: dict[str, int] = {}

    def arrange(
        self,
        window: Window,
        *,
        width: int,
        lead: int,
        now: datetime,
        unread: UnreadLine | None,
        me: Username | None = None,
    ) -> None:
        """Lays `window` out; blocks of messages that have not changed are kept as they are."""
        old_blocks, old_tops, old_known = self.blocks, self.tops, self._known
        blocks: list[Block] = []
        before: Message | None = None
        for message in window.messages:
            at = old_known.get(message.id)
            kept = old_blocks[at] if at is not None else None
            block = kept if kept and kept.message is message and kept.available == width else Block(message, width, me)
            marked = unread is not None and not message.mine and message.position > unread.after
            number = unread.number if unread and marked else 0
            surroundings = Surroundings(before, number, now.date())
            if block.surroundings is None or not surroundings.are(block.surroundings):
                block.surroundings = surroundings
                block.place(_context(before, message, now, number))
            unread = None if marked else unread
            blocks.append(block)
            before = message
        self.blocks = blocks
        *self.tops, self.height = accumulate((block.height for block in blocks), initial=lead)
        self._known = {block.message.id: at for at, block in enumerate(blocks)}
        common = next((at for at, block in enumerate(blocks) if block.message.id in old_known), None)
        if common is not None:
            was = old_known[blocks[common].message.id]
            self.origin += old_tops[was] + old_blocks[was].lead - self.tops[common] - blocks[common].lead

    def clear(self) -> None:
        """Forgets every block."""
        self.blocks, self.tops, self.height, self.origin, self._known = [], [], 0, _FIRST_ORIGIN, {}

    def at(self, y: int) -> tuple[int, int] | None:
        """The index of the block that line `y` belongs to and the row in it; None above the first and below the last."""
        index = bisect_right(self.tops, y) - 1
        if index < 0 or y >= self.height:
            return None
        return index, y - self.tops[index]

    def find(self, message_id: str) -> int | None:
        """The index of a message's block."""
        return self._known.get(message_id)

    def at_position(self, position: int) -> int | None:
        """The index of the newest message at or before `position`; None where there is none."""
        index = bisect_right(self.blocks, position, key=lambda block: block.message.position) - 1
        return index if index >= 0 else None

    def position_at(self, y: int) -> int | None:
        """The position of the message on line `y`, or of the first below it; None when nothing is laid out."""
        if not self.blocks:
            return None
        return self.blocks[max(0, bisect_right(self.tops, y) - 1)].message.position

    def anchor(self, y: int) -> Anchor | None:
        """What to hold on to so that line `y` stays where it is; None when nothing is laid out."""
        if not self.blocks:
            return None
        index = max(0, bisect_right(self.tops, y) - 1)
        block = self.blocks[index]
        return Anchor(block.message.id, y - self.tops[index] - block.lead)

    def line_of(self, anchor: Anchor) -> int | None:
        """Where an anchor is now; None when its message is gone."""
        index = self.find(anchor.message_id)
        if index is None:
            return None
        return self.tops[index] + self.blocks[index].lead + anchor.row

    def last_above(self, line: int) -> Message | None:
        """The newest message that ends at or above a line."""
        index = bisect_right(self.tops, line - 1) - 1
        if index >= 0 and self.tops[index] + self.blocks[index].height > line:
            index -= 1
        return self.blocks[index].message if index >= 0 else None

    def text_lines(self, index: int) -> tuple[int, int]:
        """The first line of a message's own text, and the line after its last row."""
        top, block = self.tops[index], self.blocks[index]
        return top + block.lead, top + block.height


def _context(before: Message | None, message: Message, now: datetime, unread: int) -> Context:
    at = shown_at(message)
    moment = local(at)
    previous = shown_at(before) if before is not None else None
    new_day = previous is None or local(previous).date() != moment.date()
    follows = (
        before is not None
        and not new_day
        and not unread
        and before.sender == message.sender
        and before.kind is not MessageKind.NOTICE
        and previous is not None
        and previous // _MINUTE_NS == at // _MINUTE_NS
    )
    is_named = not follows and message.kind is not MessageKind.NOTICE  # a notice says who did it
    return Context(day(moment, now) if new_day else None, unread, is_named, before is None)
