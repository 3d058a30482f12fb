"""Fills a window from a chat's history: anew, or a page at either end. One at a time, whatever is asked meanwhile."""

from typing import Protocol

from xirtam_core.chat import Page
from xirtam_tui.widgets.transcript.window import Window

_PAGE = 60
_MORE = 30
"""While one scrolls: what comes in is laid out in one stretch, which must not hold up the next line."""
_MOST = 480  # messages in memory: several times what the tallest screen shows
_MOST_FOLLOWED = 240  # while one only looks at the newest: all of them are gone through whenever one comes


class History(Protocol):
    """One chat's messages, by position, as the engine has them."""

    async def page(self, *, before: int | None = None, after: int | None = None, limit: int) -> Page:
        """The newest messages (before a position), or the oldest after one (the engine's `history`)."""
        ...

    async def count(self, *, before: int | None = None) -> int:
        """How many there are, or are before a position (its `count_messages`)."""
        ...

    async def position_of(self, number: int) -> int | None:
        """Where the one lies that so many come before."""
        ...


class Pager:
    """A chat's history and the window on it."""

    def __init__(self, history: History) -> None:
        self.window = Window()
        self.is_busy = False
        self._history = history

    # Messages are counted before a page of them is read, so that none that comes while they are is missing from what shows.

    async def newest(self) -> None:
        """Shows the newest page."""
        total = await self._total()
        page = await self._history.page(limit=_PAGE)
        self.window.show(page)
        self.window.place(total - len(page.messages), total)

    async def around(self, position: int) -> None:
        """Shows what lies on both sides of `position`."""
        total = await self._total()
        before = await self._history.count(before=position + 1) if total else 0
        page, until = await self._both_sides(position, _PAGE // 2, _PAGE)
        self.window.show(page)
        self.window.place(before - until, total)

    async def around_number(self, number: int) -> int | None:
        """Shows what lies around the message that so many come before; gives its position, None where it is gone."""
        position = await self._history.position_of(number)
        if position is not None:
            await self.around(position)
        return position

    async def count(self) -> None:
        """Finds out how many messages there are outside the window."""
        window, counted = self.window, None
        while window.messages and window.messages[0] is not counted:  # else it has moved meanwhile
            counted = window.messages[0]
            if window.has_earlier or window.has_later:
                earlier = await self._history.count(before=counted.position)
                window.place(earlier, await self._history.count())

    async def _total(self) -> int:
        """How many messages there are; not asked for before the first page shows."""
        return await self._history.count() if self.window.messages else 0

    async def _both_sides(self, position: int, earlier: int, later: int) -> tuple[Page, int]:
        """So many messages up to `position`, and so many after it; and how many there are up to it."""
        until = await self._history.page(before=position + 1, limit=earlier)
        after = await self._history.page(after=position, limit=later)
        messages = until.messages + after.messages
        page = Page(messages=messages, has_earlier=until.has_earlier, has_later=after.has_later)
        return page, len(until.messages)

    async def again(self, at: int | None) -> None:
        """Reads anew what is shown, as something may have come to any place in it: around the position `at`, None for the newest."""
        held = self.window.messages
        before = {message.id: message for message in held}
        total = await self._total()
        if at is None:
            page = await self._history.page(limit=max(_PAGE, len(held)))
            first = total - len(page.messages)
        else:
            first = await self._history.count(before=at + 1)
            page, until = await self._both_sides(at, _MOST // 2, _MOST // 2)
            first -= until
        if self.window.messages is not held:  # it shows another part by now, which has been read since
            return
        arrived = [message for message in held if before.get(message.id) is not message]
        # What has not changed stays the same object, and need not be laid out anew.
        kept = (known if (known := before.get(each.id)) == each and known else each for each in page.messages)
        self.window.show(Page(messages=tuple(kept), has_earlier=page.has_earlier, has_later=page.has_later))
        self.window.place(first, total)
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
            page = await (
                self._history.page(before=edge, limit=_MORE) if earlier else self._history.page(after=edge, limit=_MORE)
            )
        finally:
            self.is_busy = False
        if window.messages and window.messages[end].position == edge:  # else the window has moved elsewhere meanwhile
            (window.prepend if earlier else window.append)(page, _MOST)
