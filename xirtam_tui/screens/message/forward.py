"""Choosing the chat to send a message's text to as well."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from xirtam_core.chat import Chat
from xirtam_tui.emoji_names import shown
from xirtam_tui.screens.sheet.sheet import Sheet

_MOST = 8
_EXCERPT = 60


class Forward(Sheet[Chat]):
    """Gives the chat that was chosen."""

    heading = "Forward this message"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor(1)", "Below", show=False, priority=True),
        Binding("up", "cursor(-1)", "Above", show=False, priority=True),
    ]

    def __init__(self, chats: Sequence[Chat], words: str) -> None:
        super().__init__()
        self._chats = {chat.id: chat for chat in chats}
        line = " ".join(words.split())
        excerpt = line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"
        self.explanation = f"“{excerpt}” is sent as a message of yours; who wrote it is not said."

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="a few letters of the name", compact=True, id="letters")
        yield OptionList(id="hits", compact=True)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Forward", "forward", primary=True)
        yield self.button("Cancel", "leave")

    def on_mount(self) -> None:
        self._find("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._find(event.value.strip())

    def on_input_submitted(self) -> None:
        self.action_forward()

    def on_option_list_option_selected(self) -> None:
        self.action_forward()

    def action_cursor(self, step: int) -> None:
        hits = self.query_one(OptionList)
        (hits.action_cursor_down if step > 0 else hits.action_cursor_up)()

    def action_forward(self) -> None:
        option = self.query_one(OptionList).highlighted_option
        if option is not None and option.id is not None:
            self.dismiss(self._chats[option.id])

    def _find(self, letters: str) -> None:
        matcher = Matcher(letters) if letters else None
        scored = [(matcher.match(chat.title) if matcher else 1.0, chat) for chat in self._chats.values()]
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])[:_MOST]
        hits = self.query_one(OptionList)
        hits.clear_options()
        hits.add_options(Option(Content(shown(chat.title)), id=chat.id) for _, chat in best)
        hits.highlighted = 0 if best else None
