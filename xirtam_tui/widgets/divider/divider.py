"""The hairline between two panes, which can be drawn to the side with the mouse."""

from textual import events
from textual.content import Content
from textual.message import Message as UiMessage
from textual.widget import Widget

_LINE = "▏"


class Divider(Widget):
    """One column with a line in it. Says where it is drawn to; moving it is its owner's."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Divider { width: 1; }
    """

    class Dragged(UiMessage):
        """A person has drawn the line to `column` of the screen; `is_final` when they let go of it there."""

        def __init__(self, column: int, *, is_final: bool) -> None:
            super().__init__()
            self.column, self.is_final = column, is_final

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(id=id)
        self._is_held = False

    def render(self) -> Content:
        return Content("\n".join([_LINE] * self.size.height))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            self._is_held = True
            self.add_class("-held")
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._is_held:
            self.post_message(self.Dragged(int(event.screen_x), is_final=False))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._is_held:
            self.release_mouse()
            self.post_message(self.Dragged(int(event.screen_x), is_final=True))

    def on_mouse_release(self) -> None:
        self._is_held = False
        self.remove_class("-held")
