"""The transcript of one chat, as a virtual list of lines.

Only a window of the chat's messages is in memory. It is paged as one scrolls, and whatever happens (older messages loaded, one
arriving, a state changing, the terminal resized) the line at the top of the view stays where it is, or the last line stays at the
bottom when that was in view.
"""

from collections.abc import Iterable

from textual.geometry import Offset
from textual.scrollbar import ScrollTo

from xirtam_core.chat import Message
from xirtam_core.names import Username
from xirtam_tui.moments import Clock, system_clock
from xirtam_tui.running import running_app
from xirtam_tui.widgets.transcript import messages
from xirtam_tui.widgets.transcript.pager import History, Pager
from xirtam_tui.widgets.transcript.pointing import Pointing
from xirtam_tui.widgets.transcript.reading import Reading


class Transcript(Pointing):
    """Shows one chat: pages it, scrolls it, and holds the message cursor. What is to be done to a message, it only says."""

    Seen = messages.Seen
    Moved = messages.Moved
    Failed = messages.Failed

    def __init__(self, *, clock: Clock = system_clock, id: str | None = None) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(id=id)
        self._clock = clock
        self.me: Username | None = None
        """Whose account it is: what they did is said of "you". To be set before a chat is opened."""
        self._pager: Pager | None = None  # None while no chat is shown, or its first page is being loaded
        self._reading = Reading()
        self._following = True
        self.is_attended = True
        """Whether a person is there; nobody may be where a chat has opened by itself, and then nothing counts as read."""
        self._at_latest: bool | None = None
        self._opened = 0
        self._is_outdated = self._is_reading_again = False
        self._has_skipped = False  # whether it was dragged past what has not been seen
        self._sought: float | None = None  # the share of the chat that the slider is being dragged to

    def on_mount(self) -> None:  # that of `View` is called besides
        self.watch(self.vertical_scrollbar, "grabbed", self._let_go, init=False)

    # What is shown

    async def open(
        self, history: History, *, read_up_to: int = 0, unread: int = 0, beginning: str = "", empty: str = ""
    ) -> None:
        """Shows a chat: at its first unread message when there is one, else at the newest.

        `beginning` stands above the first message, `empty` in a chat without any. Raises what `history` raises.
        """
        self.close(empty="")
        opened, self._is_outdated = self._opened, False
        pager = Pager(history)
        await (pager.around(read_up_to) if unread else pager.newest())
        if opened != self._opened:
            return
        self._pager, self._drawing.beginning, self._drawing.empty = pager, beginning, empty
        self._reading = Reading(read_up_to, unread)
        self._following = not unread
        self._arrange(look=not unread)  # what is passed by on the way to the unread line has not been seen
        self.show_unread()
        self.run_worker(self._count(pager), group="counting", exclusive=True)
        if self._is_outdated:  # something came while the first page did, and may not be in it
            await self.read_again()

    async def _count(self, pager: Pager) -> None:
        """Has the scrollbar stand for the whole chat."""
        try:
            await pager.count()
        except Exception as error:
            self.post_message(self.Failed(error))
            return
        if pager is self._pager:
            self._measure()

    def close(self, *, empty: str) -> None:
        """Shows no chat, but `empty` in the middle."""
        self._opened += 1
        self._pager, self._drawing.window, self._drawing.empty, self._reading = None, None, empty, Reading()
        self._cursor.put(None)
        self._following, self._has_skipped, self._at_latest, self._sought = True, False, None, None
        self._layout.clear()
        self.screen.clear_selection()
        self._arrange()

    def put(self, changed: Iterable[Message]) -> None:
        """Shows messages that are new, or have changed."""
        if self._pager is None:
            return
        shown = [message for message in changed if self._pager.window.put(message)]
        self._reading.put(shown, self._layout, is_attended=self._is_seen)
        if self._following:
            self._pager.forget_oldest(self.size.height)
            if any(message.mine and self._layout.find(message.id) is None for message in shown):
                self._reading.line = None  # whoever answers has read
        elif (end := self._layout.position_at(self.top + self.size.height)) is not None:
            self._pager.forget_newest(end)
        if shown:
            self._arrange()
            if not self._is_seen:
                self._wait_at_unread()

    @property
    def _is_seen(self) -> bool:
        """Whether somebody is there to see what is in view."""
        return self.is_attended and running_app(self).app_focus and self.screen.is_current

    def _wait_at_unread(self) -> None:
        """Keeps the line above what came while nobody was there from leaving the view."""
        if self._following and self._reading.is_awaited:
            line = self._unread_line
            if line is not None and line < self.top:
                self.show_unread()

    async def read_again(self) -> None:
        """Shows what is there now where the view is: messages may have come to any place. Raises what `history` raises.

        However often it is asked for, it is done once at a time, and once more for all that came meanwhile.
        """
        self._is_outdated = True
        if self._is_reading_again:
            return
        self._is_reading_again = True
        try:
            while self._is_outdated and (pager := self._pager) is not None:
                self._is_outdated = False
                await pager.again(None if self._following else self._layout.position_at(self.top))
                if pager is self._pager:
                    self._arrange()
        finally:
            self._is_reading_again = False

    @property
    def shows_nothing(self) -> bool:
        """Whether a chat without any message is open."""
        return self._pager is not None and not self._pager.window.messages

    def take_away(self, message_id: str) -> None:
        """Takes a message away."""
        if self._pager is not None and self._pager.window.remove(message_id):
            if (message := self._cursor.message) is not None and message.id == message_id:
                self._set_cursor(None)
            self._arrange()

    # Where the view is

    async def show_latest(self) -> None:
        """Goes to the newest message."""
        pager = self._pager
        if pager is not None and pager.window.has_later:
            await pager.newest()
        if pager is self._pager:
            self._following = True
            self._arrange()
            self._carry_cursor(-1)

    async def show_oldest(self) -> None:
        """Goes to the beginning of the chat."""
        pager = self._pager
        if pager is not None and pager.window.has_earlier:
            await pager.around(0)
        if pager is self._pager:
            self._following = False
            self._arrange(look=False)
            self._go_to(-self._pad)
            self._carry_cursor(1)

    async def show_around(self, position: int, message_id: str | None) -> bool:
        """Goes to the message `message_id`, which lies at `position`, and puts the cursor on it; False where it is gone.

        With no id, to the message at `position` or the last one before it. Raises what `history` raises.
        """
        pager = self._pager
        if pager is None:
            return False
        if message_id is None or self._layout.find(message_id) is None:
            await pager.around(position)
        if pager is not self._pager:
            return False
        self._following = False
        self._arrange(look=False)
        at = self._layout.find(message_id) if message_id is not None else self._layout.at_position(position)
        if at is None:
            return False
        self._set_cursor(self._layout.blocks[at].message)
        self.focus(scroll_visible=False)
        first, end = self._layout.text_lines(at)
        above = max(2, (self.size.height - (end - first)) // 3)
        self._go_to(first - above)
        return True

    def show_unread(self) -> None:
        """Goes to the unread line, with a little of what was before it."""
        line = self._unread_line
        if line is not None:
            self._go_to(line - 2)

    @property
    def _unread_line(self) -> int | None:
        """Where what is new begins."""
        return next((self._layout.tops[at] for at, each in enumerate(self._layout.blocks) if each.context.unread), None)

    def page(self, direction: int) -> None:
        """Scrolls by a view less two lines: -1 to older messages, 1 to newer ones."""
        self._go_to(self.top + direction * max(1, self.size.height - 2))
        self._carry_cursor(direction)

    def look(self) -> None:
        """Takes note of what is in view: loads more at an edge, and tells what has been seen if somebody is there to see it."""
        pager = self._pager
        if pager is None or not self.size.height:
            return
        top = self.top
        bottom = top + self.size.height
        at_latest = not pager.window.has_later and bottom >= self._layout.height
        self._following = at_latest
        if at_latest != self._at_latest:
            self._at_latest = at_latest
            self.post_message(self.Moved(at_latest))
        hidden = self._layout.last_above(top)
        self._has_skipped = self._has_skipped and not at_latest and not self._reading.joins(hidden)
        if self._is_seen and not self._has_skipped and not self._slider.is_grabbed:
            read_up_to = self._reading.see(hidden, self._layout.last_above(bottom))
            if read_up_to is not None:
                self.post_message(self.Seen(read_up_to))
        near_top, near_end = top < self.size.height, self._layout.height - bottom < self.size.height
        if not pager.is_busy and self._layout.blocks:
            if pager.window.has_earlier and near_top:
                self.run_worker(self._load_more(pager, earlier=True))
            elif pager.window.has_later and near_end:
                self.run_worker(self._load_more(pager, earlier=False))

    async def _load_more(self, pager: Pager, *, earlier: bool) -> None:
        if pager.is_busy:
            return
        try:
            await pager.more(earlier=earlier)
        except Exception as error:
            self.post_message(self.Failed(error))
            return
        if pager is self._pager:
            self._arrange()

    # The scrollbar

    def _measure(self) -> None:
        """Tells the scrollbar how much there is outside the window, by how many rows a message takes in it."""
        window, blocks = None if self._pager is None else self._pager.window, len(self._layout.blocks)
        rows = self._layout.height / blocks if blocks else 0
        above, below = (0, 0) if window is None else (window.earlier, window.later)
        self._slider.outside(round(above * rows), round(below * rows))

    def on_scroll_to(self, event: ScrollTo) -> None:
        """The slider is dragged: in the lines that are there, or to where others have to be loaded.

        The row that Textual tells is one of the window's as that was when the mouse moved; where the mouse is tells more.
        """
        event.prevent_default()
        event.stop()
        if self._pager is None:
            return
        self._has_skipped = True
        share = self._slider.share(running_app(self).mouse_position.y)
        row = share * self._slider.rows - self._slider.above
        if self._sought is not None:
            self._sought = share  # once what is on its way is there
        elif 0 <= row <= self.max_scroll_y:
            self.scroll_to(y=row, animate=False, force=True)
        else:
            self._sought = share
            self.run_worker(self._seek(self._pager), group="seeking", exclusive=True)

    async def _seek(self, pager: Pager) -> None:
        """Goes to the sought share of the chat: one page is loaded at a time, and where the slider has been meanwhile is left out."""
        try:
            while (share := self._sought) is not None and pager is self._pager:
                await self._show_share(pager, share)
                if self._sought == share:
                    self._sought = None
        except Exception as error:
            if pager is self._pager:
                self._sought = None
                self.post_message(self.Failed(error))

    async def _show_share(self, pager: Pager, share: float) -> None:
        window = pager.window
        total = window.earlier + len(window) + window.later
        if share <= 0:
            await self.show_oldest()
            return
        is_at_end = share >= 1 - self.size.height / self._slider.rows
        position = None if is_at_end else await pager.around_number(int(share * total))
        if pager is not self._pager:
            return
        if position is None:
            await self.show_latest()
            return
        self._following = False
        self._arrange(look=False)
        if (at := self._layout.at_position(position)) is not None:
            self._go_to(self._layout.tops[at])

    def _let_go(self, grabbed: Offset | None) -> None:
        """What is in view when the slider is let go of has been seen, unless it was dragged past something that has not."""
        if grabbed is None:
            self.look()

    def on_resize(self) -> None:
        self._arrange()

    def _arrange(self, *, look: bool = True) -> None:
        """Lays out what is loaded, keeping the view where it was."""
        width, height = self.scrollable_content_region.size
        if not width:
            return
        anchor = None if self._following else self._layout.anchor(self.top)
        if self._pager is not None:
            self._drawing.window = self._pager.window
            self._layout.arrange(
                self._pager.window,
                width=width,
                lead=len(self._drawing.lead_rows(width, self._styles)),
                now=self._clock(),
                unread=self._reading.line,
                me=self.me,
            )
        self._settle(width, height, anchor)
        self._measure()
        if look:
            self.look()
