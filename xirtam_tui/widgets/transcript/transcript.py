"""The transcript of one chat, as a virtual list of lines.

Only a window of the chat's messages is in memory. It is paged as one scrolls, and whatever happens (older messages loaded, one
arriving, a state changing, the terminal resized) the line at the top of the view stays where it is, or the last line stays at the
bottom when that was in view.
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from xirtam_core.chat import Message
from xirtam_core.names import Username
from xirtam_tui.actions import ACTIONS, Scope, Situation, bindings
from xirtam_tui.moments import Clock, system_clock
from xirtam_tui.running import running_app
from xirtam_tui.widgets.transcript import messages
from xirtam_tui.widgets.transcript.block import BLANK, Row, centred_rows
from xirtam_tui.widgets.transcript.layout import Layout, UnreadLine
from xirtam_tui.widgets.transcript.pager import History, Pager
from xirtam_tui.widgets.transcript.palette import COMPONENTS, Palette
from xirtam_tui.widgets.transcript.selecting import selected_text, show_selected

_ENABLED = {action.method: action.is_enabled for action in ACTIONS if action.scope is Scope.MESSAGE}


class Transcript(ScrollView, can_focus=True):
    """Shows one chat: pages it, scrolls it, and holds the message cursor. What is to be done to a message, it only says."""

    ALLOW_SELECT = True
    FOCUS_ON_CLICK = False  # a click selects text; the keyboard stays with the composer
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"transcript--{name}" for name in (*COMPONENTS, "cursor")}
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.MESSAGE)

    Seen = messages.Seen
    Moved = messages.Moved
    CursorMoved = messages.CursorMoved
    Chosen = messages.Chosen
    Failed = messages.Failed

    def __init__(self, *, clock: Clock = system_clock, id: str | None = None) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(id=id)
        self._clock = clock
        self.me: Username | None = None
        """Whose account it is: what they did is said of "you". To be set before a chat is opened."""
        self.can_write = False
        """Whether one may write in the chat that is shown, and so reply, react and edit."""
        self._layout = Layout()
        self._palette: Palette | None = None
        self._pager: Pager | None = None  # None while no chat is shown, or its first page is being loaded
        self._beginning = self._empty = ""
        self._unread: UnreadLine | None = None
        self._pad = 0  # blank lines above a chat that is shorter than the view
        self._following = True
        self._settling = False
        self._seen = 0
        self._late: int | None = None
        self._at_latest: bool | None = None
        self._cursor: str | None = None
        self._opened = 0

    # What is shown

    async def open(
        self, history: History, *, read_up_to: int = 0, unread: int = 0, beginning: str = "", empty: str = ""
    ) -> None:
        """Shows a chat: at its first unread message when there is one, else at the newest.

        `beginning` stands above the first message, `empty` in a chat without any. Raises what `history` raises.
        """
        self.close(empty="")
        opened = self._opened
        pager = Pager(history)
        await (pager.around(read_up_to) if unread else pager.newest())
        if opened != self._opened:
            return
        self._pager, self._beginning, self._empty = pager, beginning, empty
        self._unread = UnreadLine(read_up_to, unread) if unread else None
        self._seen = read_up_to
        self._following = not unread
        self._arrange(look=not unread)  # what is passed by on the way to the unread line has not been seen
        self.show_unread()

    def close(self, *, empty: str) -> None:
        """Shows no chat, but `empty` in the middle."""
        self._opened += 1
        self._pager, self._empty, self._unread, self._late, self._cursor = None, empty, None, None, None
        self._following, self._at_latest = True, None
        self._layout.clear()
        self.screen.clear_selection()
        self._arrange()

    def put(self, changed: Iterable[Message]) -> None:
        """Shows messages that are new, or have changed."""
        if self._pager is None:
            return
        shown = [message for message in changed if self._pager.window.put(message)]
        self._note_late(shown)
        if self._following:
            self._pager.forget_oldest()
            if any(message.mine and self._layout.find(message.id) is None for message in shown):
                self._unread = None  # whoever answers has read
        if shown:
            self._arrange()

    def _note_late(self, shown: list[Message]) -> None:
        """Marks what is new and has its place among what was seen already, which one would not notice."""
        late = [
            message.position
            for message in shown
            if not message.mine and message.position <= self._seen and self._layout.find(message.id) is None
        ]
        if late:
            self._late = min(late) if self._late is None else min(*late, self._late)
            if self._unread is None:
                self._unread = UnreadLine(self._late - 1, len(late))

    @property
    def shows_nothing(self) -> bool:
        """Whether a chat without any message is open."""
        return self._pager is not None and not self._pager.window.messages

    def take_away(self, message_id: str) -> None:
        """Takes a message away."""
        if self._pager is not None and self._pager.window.remove(message_id):
            if self._cursor == message_id:
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

    async def show_oldest(self) -> None:
        """Goes to the beginning of the chat."""
        pager = self._pager
        if pager is not None and pager.window.has_earlier:
            await pager.around(0)
        if pager is self._pager:
            self._following = False
            self._arrange(look=False)
            self._go_to(0)

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
        self._go_to(first + self._pad - above)
        return True

    def show_unread(self) -> None:
        """Goes to the unread line, with a little of what was before it."""
        at = next((at for at, block in enumerate(self._layout.blocks) if block.context.unread), None)
        if at is not None:
            self._go_to(self._layout.tops[at] + self._pad - 2)

    def page(self, direction: int) -> None:
        """Scrolls by a view less two lines: -1 to older messages, 1 to newer ones."""
        self._go_to(round(self.scroll_y) + direction * max(1, self.size.height - 2))

    def look(self) -> None:
        """Takes note of what is in view: loads more at an edge, and tells what has been seen if somebody is there to see it."""
        pager = self._pager
        if pager is None or not self.size.height:
            return
        top = round(self.scroll_y) - self._pad
        bottom = top + self.size.height
        at_latest = not pager.window.has_later and bottom >= self._layout.height
        self._following = at_latest
        if at_latest != self._at_latest:
            self._at_latest = at_latest
            self.post_message(self.Moved(at_latest))
        if running_app(self).app_focus and self.screen.is_current:
            self._note_seen(top, bottom)
        near_top, near_end = top < self.size.height, self._layout.height - bottom < self.size.height
        if not pager.is_busy and self._layout.blocks:
            if pager.window.has_earlier and near_top:
                self.run_worker(self._load_more(pager, earlier=True))
            elif pager.window.has_later and near_end:
                self.run_worker(self._load_more(pager, earlier=False))

    def _note_seen(self, top: int, bottom: int) -> None:
        last, hidden = self._layout.last_above(bottom), self._layout.last_above(top)
        if last is None:
            return
        first_ns = 0 if hidden is None else hidden.position
        is_late_seen = self._late is not None and first_ns < self._late <= last.position
        if last.position > self._seen or is_late_seen:
            self._seen = max(self._seen, last.position)
            self._late = None if is_late_seen else self._late
            self.post_message(self.Seen(last.position))

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

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._settling:
            self.look()

    def on_resize(self) -> None:
        self._arrange()

    def _go_to(self, y: int) -> None:
        self.scroll_to(y=y, animate=False, force=True)
        self.look()

    def _arrange(self, *, look: bool = True) -> None:
        """Lays out what is loaded, keeping the view where it was."""
        width, height = self.scrollable_content_region.size
        if not width:
            return
        top = round(self.scroll_y) - self._pad
        anchor = None if self._following else self._layout.anchor(top)
        if self._pager is not None:
            self._layout.arrange(
                self._pager.window,
                width=width,
                lead=len(self._lead_rows()),
                now=self._clock(),
                unread=self._unread,
                me=self.me,
            )
        self._pad = max(0, height - self._layout.height)
        self._settling = True
        self.virtual_size = Size(width, self._layout.height + self._pad)
        line = None if anchor is None else self._layout.line_of(anchor)
        self.scroll_to(y=self.max_scroll_y if line is None else line + self._pad, animate=False, force=True)
        self._settling = False
        self.refresh()
        if look:
            self.look()

    # The message cursor

    def start_cursor(self) -> bool:
        """Puts the cursor on the newest message in view; False where there is none."""
        message = self._layout.last_above(round(self.scroll_y) - self._pad + self.size.height)
        self._set_cursor(message)
        return message is not None

    @property
    def cursor_message(self) -> Message | None:
        """The message under the cursor."""
        at = None if self._cursor is None else self._layout.find(self._cursor)
        return None if at is None else self._layout.blocks[at].message

    def on_focus(self) -> None:
        if self._cursor is None:
            self.start_cursor()

    def on_blur(self) -> None:
        self._set_cursor(None)

    def action_older(self) -> None:
        self._move_cursor(-1)

    def action_newer(self) -> None:
        self._move_cursor(1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _ENABLED:
            return _ENABLED[action](self.situation)
        return super().check_action(action, parameters)

    @property
    def situation(self) -> Situation:
        """What the actions on a message depend on."""
        return Situation(message=self.cursor_message, can_write=self.can_write)

    def action_jump(self) -> None:
        message = self.cursor_message
        self._choose("details" if message is None or message.reply_to is None else "jump")

    def action_reply(self) -> None:
        self._choose("reply")

    def action_react(self) -> None:
        self._choose("react")

    def action_edit(self) -> None:
        self._choose("edit")

    def action_delete(self) -> None:
        self._choose("delete")

    def action_forward(self) -> None:
        self._choose("forward")

    def action_open(self) -> None:
        self._choose("open")

    def action_details(self) -> None:
        self._choose("details")

    def action_copy(self) -> None:
        self._choose("copy")

    def action_retry(self) -> None:
        self._choose("retry")

    def action_discard(self) -> None:
        self._choose("discard")

    def _choose(self, action: str) -> None:
        if (message := self.cursor_message) is not None:
            self.post_message(self.Chosen(action, message))

    def _move_cursor(self, step: int) -> None:
        at = None if self._cursor is None else self._layout.find(self._cursor)
        if at is None or self._pager is None:
            self.start_cursor()
        elif at + step >= len(self._layout.blocks) and not self._pager.window.has_later:
            self._set_cursor(None)
            self.post_message(self.CursorMoved(None, past_end=True))
        else:
            at = min(max(at + step, 0), len(self._layout.blocks) - 1)
            self._set_cursor(self._layout.blocks[at].message)
            first, end = (line + self._pad for line in self._layout.text_lines(at))
            y, height = round(self.scroll_y), self.size.height
            self._go_to(first - 1 if first - 1 < y else max(y, end - height))

    def _set_cursor(self, message: Message | None) -> None:
        cursor = None if message is None else message.id
        if cursor != self._cursor:
            self._cursor = cursor
            self.post_message(self.CursorMoved(message))
            self.refresh()

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        for block in self._layout.blocks:
            block.forget_strips()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self.scroll_offset.y + y - self._pad
        row, is_chosen = self._row(line, y)
        base = self.rich_style
        if is_chosen:
            base += self.get_component_rich_style("transcript--cursor")
        strip, mark = row.strip, line + self._layout.origin
        if (selection := self.text_selection) is not None and row.text is not None:
            strip = show_selected(strip, selection, mark, self.screen.get_component_rich_style("screen--selection"))
        return strip.extend_cell_length(width).apply_style(base).apply_offsets(0, mark).crop(0, width)

    def _row(self, line: int, y: int) -> tuple[Row, bool]:
        """What stands on a line of the layout, and whether it belongs to the message under the cursor."""
        if not self._layout.blocks:
            rows = centred_rows(self._empty, self.size.width, self._styles.lead)
            at = y - (self.size.height - len(rows)) // 2
            return (rows[at] if 0 <= at < len(rows) else BLANK), False
        found = self._layout.at(line)
        if found is None:
            lead = self._lead_rows()
            return (lead[line] if 0 <= line < len(lead) else BLANK), False
        index, row = found
        block = self._layout.blocks[index]
        return block.rows(self._styles)[row], block.message.id == self._cursor and row >= block.lead

    @property
    def _styles(self) -> Palette:
        if self._palette is None:
            self._palette = Palette.resolve(lambda name: self.get_component_rich_style(name, partial=True))
        return self._palette

    def _lead_rows(self) -> list[Row]:
        """What stands above the first message that is loaded."""
        if self._pager is None or not self._pager.window.messages:
            return []
        width = self.scrollable_content_region.width
        if self._pager.window.has_earlier:
            return centred_rows("· · ·", width, self._styles.lead)
        return [BLANK, *centred_rows(self._beginning, width, self._styles.lead), BLANK]

    # Selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selected_text(self._marked_rows(), selection), "\n"

    def _marked_rows(self) -> Iterator[tuple[int, Row]]:
        for top, block in zip(self._layout.tops, self._layout.blocks, strict=True):
            for at, row in enumerate(block.rows(self._styles)):
                yield top + at + self._layout.origin, row

    def on_click(self, event: events.Click) -> None:
        """Opens the link that was clicked; on a quotation, goes to what is quoted."""
        link = event.style.link
        if link and link.startswith(("http://", "https://")):
            running_app(self).open_url(link)
            return
        found = self._layout.at(self.scroll_offset.y + event.y - self._pad)
        block = None if found is None else self._layout.blocks[found[0]]
        if found is not None and block is not None and block.quote is not None and found[1] == block.lead:
            self.post_message(self.Chosen("jump", block.message))
