"""Fills a window from a chat's history: anew, or a page at either end. One at a time, whatever is asked meanwhile."""

from typing import Protocol

from xirtam_core.chat import Page
from xirtam_tui.widgets.transcript.window import Window

_PAGE = 60
_MOST = 480  # messages in memory: several times what the tallest screen shows
_MOST_FOLLOWED = 240  # while one only looks at the newest: all of them are gone through whenever one comes


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
        self.window.show(await self._both_sides(position, _PAGE // 2, _PAGE))

    async def _both_sides(self, position: int, earlier: int, later: int) -> Page:
        """So many messages up to `position`, and so many after it."""
        until = await self._history(before=position + 1, limit=earlier)
        after = await self._history(after=position, limit=later)
        return Page(messages=until.messages + after.messages, has_earlier=until.has_earlier, has_later=after.has_later)

    async def again(self, at: int | None) -> None:
        """Reads anew what is shown, as something may have come to any place in it: around the position `at`, None for the newest."""
        held = self.window.messages
        before = {message.id: message for message in held}
        if at is None:
            page = await self._history(limit=max(_PAGE, len(held)))
        else:
            page = await self._both_sides(at, _MOST // 2, _MOST // 2)
        if self.window.messages is not held:  # it shows another part by now, which has been read since
            return
        arrived = [message for message in held if before.get(message.id) is not message]
        # What has not changed stays the same object, and need not be laid out anew.
        kept = (known if (known := before.get(each.id)) == each and known else each for each in page.messages)
        self.window.show(Page(messages=tuple(kept), has_earlier=page.has_earlier, has_later=page.has_later))
        for message in arrived:  # while the page was on its way, so that may not be in it
            self.window.put(message)

    def forget_oldest(self, rows: int) -> None:
        """Lets go of what is too much at the older end of a view of so many rows, while new messages arrive at the other."""
        self.window.forget_oldest(max(_MOST_FOLLOWED, 3 * rows))

    def forget_newest(self, position: int) -> None:
        """Lets go of what is too much at the newer end, of a view that ends at `position`: nobody may come back for days."""
        self.window.forget_newest(position, _MOST, _PAGE)

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
