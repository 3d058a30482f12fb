"""Choosing with the mouse: a message by a click, what to do about it by another one, and what stands in it by a click on that."""

from textual import events

from xirtam_core.chat import Message
from xirtam_tui.running import running_app
from xirtam_tui.widgets.transcript.block import REACTION, Block
from xirtam_tui.widgets.transcript.choosing import Choosing

_RIGHT = 3


class Pointing(Choosing):
    """A view whose messages can be chosen by mouse and keyboard. Drawing over text selects that, and chooses nothing."""

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # else a second click selects all that was said
        found = self._layout.at(self.scroll_offset.y + event.y - self._pad)
        block = None if found is None else self._layout.blocks[found[0]]
        if self.text_selection is not None or self._open_link(event) or found is None or block is None:
            return
        row = found[1]
        if row >= block.lead and not self._do(event, block, row):
            self._point_at(block.message, is_again=event.button == _RIGHT or self._cursor.is_on(block.message))

    def _open_link(self, event: events.Click) -> bool:
        link = event.style.link
        if not link or not link.startswith(("http://", "https://")) or event.button == _RIGHT:
            return False
        running_app(self).open_url(link)
        return True

    def _do(self, event: events.Click, block: Block, row: int) -> bool:
        """Does what was clicked stands for, where it is a quotation or a reaction; gives whether it is one."""
        emoji = event.style.meta.get(REACTION)
        if event.button == _RIGHT:
            return False
        if isinstance(emoji, str) and self.can_write:
            self.post_message(self.Reacted(emoji, block.message))
            return True
        if block.quote is not None and row == block.lead:
            self.post_message(self.Chosen("jump", block.message))
            return True
        return False

    def _point_at(self, message: Message, *, is_again: bool) -> None:
        self._set_cursor(message)
        self.focus(scroll_visible=False)
        if is_again:
            self.post_message(self.Chosen("menu", message))
