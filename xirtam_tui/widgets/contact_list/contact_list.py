"""The chats, in sections, by when they last changed. A line-API list: two rows a chat, whatever their number."""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message as UiMessage
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from xirtam_core.chat import Chat
from xirtam_core.people import Standing
from xirtam_tui.moments import Clock, system_clock
from xirtam_tui.widgets.contact_list.rows import Styles, chat_rows, section_row

_ROWS = 2
_DIRECT = "Direct"
_GROUPS = "Groups"


class Section(NamedTuple):
    """A titled part of the list. Titles show unless there are direct chats only."""

    title: str
    chats: list[Chat]


class _Entry(NamedTuple):
    top: int
    chat: Chat | None
    title: str = ""


class ContactList(ScrollView, can_focus=True):
    """Shows chats; says which one a person went to."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"contacts--{name}" for name in (*Styles._fields, "open", "cursor")}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Chat above", show=False),
        Binding("down", "move(1)", "Chat below", show=False),
        Binding("home", "move(-9999)", "First chat", show=False),
        Binding("end", "move(9999)", "Last chat", show=False),
        Binding("enter", "choose", "Open chat", show=False),
    ]

    open_chat: reactive[str | None] = reactive(None)
    filter_text: reactive[str] = reactive("")

    class Picked(UiMessage):
        """A person went to `chat`; `is_final` when they also want to write in it (Enter or a click, not just passing by)."""

        def __init__(self, chat: Chat, *, is_final: bool) -> None:
            super().__init__()
            self.chat, self.is_final = chat, is_final

    def __init__(self, *, clock: Clock = system_clock, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._clock = clock
        self._chats: dict[str, Chat] = {}
        self._entries: list[_Entry] = []
        self._styles: Styles | None = None

    # What is shown

    def show(self, chats: Iterable[Chat]) -> None:
        """Shows these chats and no others."""
        self._chats = {chat.id: chat for chat in chats}
        self._arrange()

    def put(self, chats: Iterable[Chat]) -> None:
        """Shows chats that are new, or have changed."""
        self._chats.update((chat.id, chat) for chat in chats)
        self._arrange()

    def take_away(self, gone: Iterable[str]) -> None:
        """Shows these chats no more."""
        for chat in gone:
            self._chats.pop(chat, None)
        self._arrange()

    def chat(self, chat_id: str) -> Chat | None:
        """A chat of the list by its id."""
        return self._chats.get(chat_id)

    @property
    def ordered(self) -> list[Chat]:
        """The chats as they stand, top to bottom, filter applied."""
        return [entry.chat for entry in self._entries if entry.chat is not None]

    @property
    def chats(self) -> list[Chat]:
        """Every chat, in no order, filter or not."""
        return list(self._chats.values())

    @property
    def is_empty(self) -> bool:
        """Whether there is no chat to show at all, filter or not."""
        return all(chat.standing is Standing.BLOCKED for chat in self._chats.values())

    @property
    def first_contact(self) -> Chat | None:
        """The topmost chat that is not a stranger's, filter applied."""
        return next((chat for chat in self.ordered if chat.standing is Standing.CONTACT), None)

    def neighbour(self, step: int) -> Chat | None:
        """The chat so many places below the open one."""
        chats = self.ordered
        if not chats:
            return None
        at = next((at for at, chat in enumerate(chats) if chat.id == self.open_chat), None)
        if at is None:
            return chats[0]
        return chats[min(max(at + step, 0), len(chats) - 1)]

    def next_unread(self) -> Chat | None:
        """The next chat with unread messages below the open one, round the end."""
        chats = self.ordered
        at = next((at for at, chat in enumerate(chats) if chat.id == self.open_chat), -1)
        return next(
            (chat for chat in chats[at + 1 :] + chats[: at + 1] if chat.unread and chat.id != self.open_chat), None
        )

    def _sections(self) -> list[Section]:
        needle = self.filter_text.casefold().lstrip("@")
        shown = [
            chat
            for chat in self._chats.values()
            if needle in chat.title.casefold() and chat.standing is not Standing.BLOCKED
        ]
        shown.sort(key=lambda chat: chat.title.casefold())
        shown.sort(key=lambda chat: chat.last.sent_at if chat.last else 0, reverse=True)
        direct = [chat for chat in shown if chat.standing is Standing.CONTACT and chat.group is None]
        groups = [chat for chat in shown if chat.standing is Standing.CONTACT and chat.group is not None]
        requests = [chat for chat in shown if chat.standing is Standing.REQUEST]
        sections = (
            Section(_DIRECT, direct),
            Section(_GROUPS, groups),
            Section(f"Requests ({len(requests)})", requests),
        )
        return [section for section in sections if section.chats]

    def _arrange(self) -> None:
        sections = self._sections()
        self._entries = []
        top = 0
        for section in sections:
            if len(sections) > 1 or section.title != _DIRECT:
                self._entries.append(_Entry(top, None, section.title))
                top += 1
            for chat in section.chats:
                self._entries.append(_Entry(top, chat))
                top += _ROWS
        self.virtual_size = Size(self.scrollable_content_region.width, top)
        self.refresh()

    def watch_filter_text(self) -> None:
        self._arrange()

    def watch_open_chat(self) -> None:
        self.refresh()
        entry = next((entry for entry in self._entries if entry.chat and entry.chat.id == self.open_chat), None)
        if entry is not None:
            self.scroll_to_region(Region(0, entry.top, 1, _ROWS), animate=False, force=True)

    def on_resize(self) -> None:
        self._arrange()

    # What a person does

    def action_move(self, step: int) -> None:
        if (chat := self.neighbour(step)) is not None:
            self.post_message(self.Picked(chat, is_final=False))

    def action_choose(self) -> None:
        if (chat := self.neighbour(0)) is not None:
            self.post_message(self.Picked(chat, is_final=True))

    def on_click(self, event: events.Click) -> None:
        line = self.scroll_offset.y + event.y
        for entry in self._entries:
            if entry.chat is not None and entry.top <= line < entry.top + _ROWS:
                self.post_message(self.Picked(entry.chat, is_final=True))

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = None

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self.scroll_offset.y + y
        base = self.rich_style
        entry = next((entry for entry in reversed(self._entries) if entry.top <= line), None)
        if entry is None or (entry.chat is not None and line >= entry.top + _ROWS):
            return Strip.blank(width, base)
        if self._styles is None:
            self._styles = Styles(
                *(self.get_component_rich_style(f"contacts--{name}", partial=True) for name in Styles._fields)
            )
        if entry.chat is None:
            return section_row(entry.title, width, self._styles).apply_style(base)
        is_open = entry.chat.id == self.open_chat
        if is_open:
            base += self.get_component_rich_style("contacts--cursor" if self.has_focus else "contacts--open")
        rows = chat_rows(entry.chat, width, self._clock(), self._styles, is_open=is_open)
        return rows[line - entry.top].apply_style(base).adjust_cell_length(width, base)
