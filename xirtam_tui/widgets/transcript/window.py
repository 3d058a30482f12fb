"""The part of a chat that is in memory: a contiguous run of messages that grows at either end and is trimmed at the other.

Invariants: positions increase strictly; `has_later` is false only when the newest message is in the run, so a message that arrives
is appended only then, and is otherwise found by paging.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from xirtam_core.chat import Message, Page


def _position(message: Message) -> int:
    return message.position


class Window:
    """A chat's messages between two positions."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._positions: dict[str, int] = {}
        self._first = self._last = 0  # it holds all there is between these, though a message may have left an end since
        self._newest = 0  # of all that it has heard of
        self.has_earlier = False
        self.has_later = False
        self.earlier = self.later = 0
        """How many messages of the chat lie before it and after it, as far as that has been counted; about, as some move."""

    def __len__(self) -> int:
        return len(self.messages)

    def show(self, page: Page) -> None:
        """Holds `page` and nothing else."""
        self.messages = list(page.messages)
        self._positions = {message.id: message.position for message in page.messages}
        self.has_earlier, self.has_later = page.has_earlier, page.has_later
        self.earlier = self.later = 0
        self._begins_here()
        self._ends_here()

    def place(self, earlier: int, total: int) -> None:
        """Says how many messages lie before it, and how many there are in all."""
        self.earlier = max(0, earlier) if self.has_earlier else 0
        self.later = max(0, total - self.earlier - len(self.messages)) if self.has_later else 0

    def prepend(self, page: Page, most: int) -> None:
        """Adds the messages before the first, and drops the newest beyond `most`."""
        first = self.messages[0].position if self.messages else None
        added = self._noted(message for message in page.messages if first is None or message.position < first)
        self.messages[:0] = added
        self.has_earlier = page.has_earlier
        self.earlier = max(0, self.earlier - len(added)) if self.has_earlier else 0
        self._begins_here()
        if len(self.messages) > most:
            self.later += self._drop(slice(most, None))
            self.has_later = True
            self._ends_here()

    def append(self, page: Page, most: int) -> None:
        """Adds the messages after the last, and drops the oldest beyond `most`."""
        last = self.messages[-1].position if self.messages else None
        added = self._noted(message for message in page.messages if last is None or message.position > last)
        self.messages += added
        self.has_later = page.has_later
        self.later = max(0, self.later - len(added)) if self.has_later else 0
        self._ends_here()
        self.forget_oldest(most)

    def forget_oldest(self, most: int) -> None:
        """Keeps the newest `most` messages."""
        if len(self.messages) > most:
            self.earlier += self._drop(slice(None, -most))
            self.has_earlier = True
            self._begins_here()

    def forget_newest(self, position: int, most: int, more: int) -> None:
        """Of more than `most` messages, keeps those up to `position`, and so many `more`."""
        end = max(most, bisect_right(self.messages, position, key=_position) + more)
        if len(self.messages) > end:
            self.later += self._drop(slice(end, None))
            self.has_later = True
            self._ends_here()

    def put(self, message: Message) -> bool:
        """Adds `message`, or replaces the one of its id, wherever its position belongs. False when it lies outside the run."""
        known = self.index(message.id)
        if known is not None and self.messages[known].position == message.position:
            self.messages[known] = message
            return True
        if known is not None:
            self._drop(slice(known, known + 1))
        is_later, is_earlier = message.position > self._last, message.position < self._first
        is_new, self._newest = message.position > self._newest, max(self._newest, message.position)
        if (is_later and self.has_later) or (is_earlier and self.has_earlier):
            self.later += is_new
            return known is not None
        at = bisect_right(self.messages, message.position, key=_position)
        self.messages[at:at] = self._noted([message])
        self._first, self._last = min(self._first, message.position), max(self._last, message.position)
        return True

    def remove(self, message_id: str) -> bool:
        """Drops a message; False when it is not here."""
        at = self.index(message_id)
        if at is None:
            return False
        self._drop(slice(at, at + 1))
        return True

    def index(self, message_id: str) -> int | None:
        """Where a message is in the run."""
        position = self._positions.get(message_id)
        if position is None:
            return None
        at = bisect_left(self.messages, position, key=_position)
        while self.messages[at].id != message_id:  # of two at one place, one is about to be told another
            at += 1
        return at

    def _begins_here(self) -> None:
        if self.messages:
            self._first = self.messages[0].position

    def _ends_here(self) -> None:
        if self.messages:
            self._last = self.messages[-1].position
            self._newest = max(self._newest, self._last)

    def _noted(self, added: Iterable[Message]) -> list[Message]:
        """What is being added, after it has been noted where it is to be found."""
        messages = list(added)
        self._positions.update((message.id, message.position) for message in messages)
        return messages

    def _drop(self, part: slice) -> int:
        """Lets go of messages; says of how many."""
        dropped = self.messages[part]
        for message in dropped:
            if self._positions.get(message.id) == message.position:
                del self._positions[message.id]
        del self.messages[part]
        return len(dropped)
