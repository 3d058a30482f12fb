"""How far a chat has been read on this screen, and where the line above what is new stands."""

from collections.abc import Iterable

from xirtam_core.chat import Message
from xirtam_tui.widgets.transcript.layout import Layout, UnreadLine


class Reading:
    """What has been seen of one chat. `line` is the unread line, None where nothing was new."""

    def __init__(self, read_up_to: int = 0, unread: int = 0) -> None:
        self.line = UnreadLine(read_up_to, unread) if unread else None
        self._seen = read_up_to
        self._late: int | None = None  # the first of what is new and has its place among what was seen already

    @property
    def is_awaited(self) -> bool:
        """Whether nothing below the line has been seen."""
        return self.line is not None and self.line.after >= self._seen

    def put(self, shown: Iterable[Message], layout: Layout, *, is_attended: bool) -> None:
        """Takes note of messages that are about to be laid out: marks those that one would not notice where they stand.

        Those are what has its place among what was seen already, and what comes while nobody is there.
        """
        news = [message.position for message in shown if not message.mine and layout.find(message.id) is None]
        late = [position for position in news if position <= self._seen]
        if late:
            self._late = min(late) if self._late is None else min(*late, self._late)
            if self.line is None:
                self.line = UnreadLine(self._late - 1, len(late))
        if (number := len(news) - len(late)) and not is_attended:
            line = self.line if self.is_awaited else None
            self.line = UnreadLine(self._seen, number) if line is None else line._replace(number=line.number + number)

    def joins(self, hidden: Message | None) -> bool:
        """Whether nothing unseen lies up to `hidden`."""
        return hidden is None or hidden.position <= self._seen

    def see(self, hidden: Message | None, last: Message | None) -> int | None:
        """What is after `hidden` and up to `last` has been on the screen. Gives the position read up to where that is news."""
        if last is None:
            return None
        first_ns = 0 if hidden is None else hidden.position
        is_late_seen = self._late is not None and first_ns < self._late <= last.position
        if last.position <= self._seen and not is_late_seen:
            return None
        self._seen = max(self._seen, last.position)
        self._late = None if is_late_seen else self._late
        return last.position
