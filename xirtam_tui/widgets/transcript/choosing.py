"""Choosing a message with the keyboard: moving the message cursor, and the keys that do something to what it is on."""

from typing import ClassVar

from textual.binding import BindingType

from xirtam_core.chat import Message
from xirtam_tui.actions import ACTIONS, Scope, Situation, bindings
from xirtam_tui.widgets.transcript import messages
from xirtam_tui.widgets.transcript.view import View

_ENABLED = {action.method: action.is_enabled for action in ACTIONS if action.scope is Scope.MESSAGE}

_LINES = 3
"""By so many a message that is taller than the view is scrolled at a time."""


class Choosing(View, can_focus=True):
    """A view in which messages can be chosen. What is to be done to one, it only says."""

    FOCUS_ON_CLICK = False  # who draws over text to select it goes on writing
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.MESSAGE)

    CursorMoved = messages.CursorMoved
    Chosen = messages.Chosen
    Reacted = messages.Reacted

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.can_write = False
        """Whether one may write in the chat that is shown, and so reply, react and edit."""
        self.can_pin = False
        """Whether one may pin messages in it."""

    def start_cursor(self) -> bool:
        """Puts the cursor on the newest message in view; False where there is none."""
        message = self._layout.last_above(self.top + self.size.height)
        self._set_cursor(message)
        return message is not None

    @property
    def cursor_message(self) -> Message | None:
        """The message under the cursor."""
        return self._cursor.message

    def on_focus(self) -> None:
        if not self._cursor.is_set:
            self.start_cursor()

    def on_blur(self) -> None:
        self._set_cursor(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _ENABLED:
            return _ENABLED[action](self.situation)
        return super().check_action(action, parameters)

    @property
    def situation(self) -> Situation:
        """What the actions on a message depend on."""
        return Situation(message=self.cursor_message, can_write=self.can_write, can_pin=self.can_pin)

    def _choose(self, action: str) -> None:
        if (message := self.cursor_message) is not None:
            self.post_message(self.Chosen(action, message))

    def _move_cursor(self, step: int) -> None:
        at = self._cursor.index
        if at is None or self._drawing.window is None or not self._is_in_view(at):
            self._set_cursor(self._in_view(step))
        elif left := self._left_of(at, step):
            self._go_to(self.top + step * min(left, _LINES))
        elif at + step >= len(self._layout.blocks) and not self._drawing.window.has_later:
            self._set_cursor(None)
            self.post_message(self.CursorMoved(None, past_end=True))
        else:
            at = min(max(at + step, 0), len(self._layout.blocks) - 1)
            self._set_cursor(self._layout.blocks[at].message)
            self._show(at, step)

    def _carry_cursor(self, step: int) -> None:
        """Has the cursor come along with a view that went away from it, in the direction of `step`."""
        at = self._cursor.index
        if self._cursor.is_set and (at is None or not self._is_in_view(at)):
            self._set_cursor(self._in_view(step))

    def _is_in_view(self, at: int) -> bool:
        first, end = self._layout.text_lines(at)
        return first < self.top + self.size.height and end > self.top

    def _in_view(self, step: int) -> Message | None:
        """The first message that begins in view, for a cursor that goes down, or the last that ends in it; else what fills it."""
        top, bottom = self.top, self.top + self.size.height
        shown = [at for at in range(len(self._layout.blocks)) if self._is_in_view(at)]
        begins = [at for at in shown if self._layout.text_lines(at)[0] >= top]
        ends = [at for at in shown if self._layout.text_lines(at)[1] <= bottom]
        found = (begins[:1] if step > 0 else ends[-1:]) or shown[:1]
        return self._layout.blocks[found[0]].message if found else None

    def _left_of(self, at: int, step: int) -> int:
        """How many lines of a message that is taller than the view are still to be seen in the direction of `step`."""
        first, end = self._layout.text_lines(at)
        top, bottom = self.top, self.top + self.size.height
        if end - first < self.size.height or not (first < bottom and end > top):
            return 0
        return max(0, end - bottom if step > 0 else top - first)

    def _show(self, at: int, step: int) -> None:
        """Brings a message into view; of one that is taller than that, the end at which it was come to."""
        first, end = self._layout.text_lines(at)
        height = self.size.height
        if end - first >= height:
            self._go_to(first - 1 if step > 0 else end - height)
        else:
            self._go_to(first - 1 if first - 1 < self.top else max(self.top, end - height))

    def _set_cursor(self, message: Message | None) -> None:
        if self._cursor.put(message):
            self.post_message(self.CursorMoved(message))
            self.refresh()

    # Actions, in the registry's order

    def action_older(self) -> None:
        self._move_cursor(-1)

    def action_newer(self) -> None:
        self._move_cursor(1)

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

    def action_menu(self) -> None:
        self._choose("menu")

    def action_pin(self) -> None:
        self._choose("pin")

    def action_discard(self) -> None:
        self._choose("discard")
