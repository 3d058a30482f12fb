"""Fills a window from a chat's history: anew, or a page at either end. One at a time, whatever is asked meanwhile."""

from typing import Protocol

from xirtam_core.chat import Page
from xirtam_tui.widgets.transcript.window import Window

_PAGE = 60
_MOST = 480  # messages in memory: several times what the tallest screen shows


class History(Protocol):
    """Where a chat's messages come from, by position (the engine's `history`, for one chat)."""

    async def __call__(self, *, before: int | None = None, after: int | None = None, limit: int = _PAGE) -> Page: ...


class Pager:
    """A chat's history and the window on it."""

    def __init__(self, history: History) -> None:
        self.window = Window()
        self.is_busy = False
        self._history = history

    async def newest(self) -> None:
        """Shows the newest page."""
        self.window.show(await self._history(limit=_PAGE))

    async def around(self, position: int) -> None:
        """Shows what lies on both sides of `position`."""
        earlier = await self._history(before=position + 1, limit=_PAGE // 2)
        later = await self._history(after=position, limit=_PAGE)
        self.window.show(
            Page(
                messages=earlier.messages + later.messages,
                has_earlier=earlier.has_earlier,
                has_later=later.has_later,
            )
        )

    def forget_oldest(self) -> None:
        """Lets go of what is too much at the older end, while new messages arrive at the other."""
        self.window.forget_oldest(_MOST)

    async def more(self, *, earlier: bool) -> None:
        """Adds a page at one end, and forgets what is too much at the other."""
        window, end = self.window, 0 if earlier else -1
        edge = window.messages[end].position
        self.is_busy = True
        try:
            page = await (self._history(before=edge) if earlier else self._history(after=edge))
        finally:
            self.is_busy = False
        if window.messages and window.messages[end].position == edge:  # else the window has moved elsewhere meanwhile
            (window.prepend if earlier else window.append)(page, _MOST)
