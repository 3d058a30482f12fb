"""The transcript of one chat, as a virtual list of lines.

Only a window of the chat's messages is in memory. It is paged from a `History` as one scrolls, and whatever happens (older messages
loaded, one arriving, a state changing, the terminal resized) the line at the top of the view stays where it is, or the last line
stays at the bottom when that was in view.
"""

from collections.abc import Callable
from typing import ClassVar, Protocol

from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message as UiMessage
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from xirtam_core.chat import Message, Page
from xirtam_tui.actions import bindings
from xirtam_tui.moments import Clock, system_clock
from xirtam_tui.widgets.transcript.block import Row, centred
from xirtam_tui.widgets.transcript.layout import Anchor, Layout, UnreadLine
from xirtam_tui.widgets.transcript.palette import COMPONENTS, Palette
from xirtam_tui.widgets.transcript.selecting import selected_text, show_selected
from xirtam_tui.widgets.transcript.window import Window

_PAGE = 60
_MOST = 480


class History(Protocol):
    """Where a chat's messages come from, by position (see the engine's `history`)."""

    async def __call__(self, *, before: int | None = None, after: int | None = None, limit: int = _PAGE) -> Page: ...


class Transcript(ScrollView, can_focus=True):
    """Shows one chat; tells what has been seen and asks for nothing but pages."""

    ALLOW_SELECT = True
    FOCUS_ON_CLICK = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{name}" for name in (*COMPONENTS, "cursor")}
    BINDINGS: ClassVar[list[BindingType]] = bindings("message")

    class Seen(UiMessage):
        """Everything up to `position` has been on the screen."""

        def __init__(self, position: int) -> None:
            super().__init__()
            self.position = position

    class Moved(UiMessage):
        """The view moved: `at_latest` when the newest message is in it, `below` how many peers' messages arrived under it."""

        def __init__(self, at_latest: bool, below: int) -> None:
            super().__init__()
            self.at_latest, self.below = at_latest, below

    class CursorMoved(UiMessage):
        """The message cursor is on `message` now; None when it is nowhere."""

        def __init__(self, message: Message | None) -> None:
            super().__init__()
            self.message = message

    class CursorLeft(UiMessage):
        """The message cursor went down past the newest message."""

    def __init__(self, *, clock: Clock = system_clock, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._clock = clock
        self._window = Window()
        self._layout = Layout()
        self._palette: Palette | None = None
        self._history: History | None = None
        self._welcome = ""
        self._unread: UnreadLine | None = None
        self._following = True
        self._settling = False
        self._paging = False
        self._seen = 0
        self._below = 0
        self._cursor: str | None = None
        self._told: tuple[bool, int] | None = None
