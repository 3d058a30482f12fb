"""The line above a chat, which leads to all that is known of it."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as UiMessage

from xirtam_core.chat import Chat
from xirtam_tui.screens.chat import standing
from xirtam_tui.widgets.words import Words

_BACK = 3  # columns that the arrow back takes in a narrow terminal, with the margin


class ChatTitle(Words, can_focus=True):
    """Says whose the chat is. Enter or a click leads to its details; in a narrow terminal, a click on the arrow leads to the list."""

    FOCUS_ON_CLICK = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "follow", "Details", show=False)]

    class Followed(UiMessage):
        """A person wants to see the details, or `is_back` to the list."""

        def __init__(self, *, is_back: bool) -> None:
            super().__init__()
            self.is_back = is_back

    def __init__(self) -> None:
        super().__init__(id="title")
        self._chat: Chat | None = None

    def show(self, chat: Chat) -> None:
        """Says whose chat it is."""
        self._chat = chat
        self.fit()

    def fit(self) -> None:
        """Has the arrow back where the list is not beside the chat."""
        if self._chat is not None:
            self.say(standing.title(self._chat, is_narrow=self.screen.has_class("-narrow")))

    def action_follow(self) -> None:
        self.post_message(self.Followed(is_back=False))

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Followed(is_back=self.screen.has_class("-narrow") and event.x < _BACK))
