"""Jumping to a chat by a few letters of its name."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.fuzzy import Matcher
from textual.style import Style
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from xirtam_core.chat import Chat
from xirtam_tui.screens.sheet.sheet import Sheet

_MOST = 10
_MATCH = Style(bold=True, underline=True)


class Switcher(Sheet[Chat]):
    """Gives the chat that was chosen."""

    heading = "Jump to a chat"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor(1)", "Below", show=False, priority=True),
        Binding("up", "cursor(-1)", "Above", show=False, priority=True),
    ]

    def __init__(self, chats: Sequence[Chat]) -> None:
        super().__init__()
        self._chats = {chat.id: chat for chat in chats}

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="a few letters of the name", compact=True, id="letters")
        yield OptionList(id="hits", compact=True)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Open", "open_chat", primary=True)
        yield self.button("Cancel", "leave")

    def on_mount(self) -> None:
        self._find("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._find(event.value.strip())

    def on_input_submitted(self) -> None:
        self.action_open_chat()

    def on_option_list_option_selected(self) -> None:
        self.action_open_chat()

    def action_cursor(self, step: int) -> None:
        hits = self.query_one(OptionList)
        if step > 0:
            hits.action_cursor_down()
        else:
            hits.action_cursor_up()

    def action_open_chat(self) -> None:
        option = self.query_one(OptionList).highlighted_option
        if option is not None and option.id is not None:
            self.dismiss(self._chats[option.id])

    def _find(self, letters: str) -> None:
        matcher = Matcher(letters, match_style=_MATCH) if letters else None
        scored = [(matcher.match(chat.title) if matcher else 1.0, chat) for chat in self._chats.values()]
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])[:_MOST]
        hits = self.query_one(OptionList)
        hits.clear_options()
        hits.add_options(Option(_prompt(chat, matcher), id=chat.id) for _, chat in best)
        hits.highlighted = 0 if best else None


def _prompt(chat: Chat, matcher: Matcher | None) -> Content:
    name = matcher.highlight(chat.title) if matcher else Content(chat.title)
    unread = (f"   {chat.unread} new", "$warning") if chat.unread else ""
    mentions = (f"  @{chat.mentions}", "$accent") if chat.mentions else ""
    return Content.assemble(name, unread, mentions)
