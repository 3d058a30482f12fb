"""The message cursor: which message is chosen.

It follows its message, not a place: what is loaded, arrives or is taken away elsewhere leaves it where it is.
"""

from xirtam_core.chat import Message
from xirtam_tui.widgets.transcript.layout import Layout


class Cursor:
    """Which message of a layout is chosen, if any."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._id: str | None = None

    @property
    def is_set(self) -> bool:
        """Whether a message is chosen, though it may not be loaded just now."""
        return self._id is not None

    @property
    def index(self) -> int | None:
        """The index of its message's block; None where none is chosen, or what was is gone."""
        return None if self._id is None else self._layout.find(self._id)

    @property
    def message(self) -> Message | None:
        """The message under it."""
        at = self.index
        return None if at is None else self._layout.blocks[at].message

    def is_on(self, message: Message) -> bool:
        """Whether it is on this message."""
        return message.id == self._id

    def put(self, message: Message | None) -> bool:
        """Puts it on a message, or away; False where it was there already."""
        before, self._id = self._id, None if message is None else message.id
        return before != self._id
