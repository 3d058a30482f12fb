"""The chats, in sections, by when they last changed. A line-API list: two rows a chat, whatever their number."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
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
_PINNED = "Pinned"
_CHATS = "Chats"
_REQUESTS = "Requests"
_ARCHIVED = "Archived"


class Section(NamedTuple):
    """A titled part of the list. Titles show unless there are direct chats only."""

    title: str
    chats: list[Chat]

    @property
    def heading(self) -> str:
        """The title, with how many there are where that is not plain to see."""
        if self.title not in (_REQUESTS, _ARCHIVED):
            return self.title
        unread = sum(chat.unread for chat in self.chats) if self.title == _ARCHIVED else 0
        return f"{self.title} ({len(self.chats)})" + (f" · {unread} new" if unread else "")


class _Entry(NamedTuple):
    top: int
    chat: Chat | None
    title: str = ""
    section: str = ""

    def is_in_place_of(self, other: "_Entry") -> bool:
        """Whether it takes the very lines of another, for the same chat or heading."""
        same = (self.chat and self.chat.id, self.title) == (other.chat and other.chat.id, other.title)
        return same and self.top == other.top


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
    by_recency: reactive[bool] = reactive(False)

    class Picked(UiMessage):
        """A person went to `chat`; `is_final` when they also want to write in it (Enter or a click, not just passing by)."""

        def __init__(self, chat: Chat, *, is_final: bool) -> None:
            super().__init__()
            self.chat, self.is_final = chat, is_final

    class Folded(UiMessage):
        """A person folded or unfolded sections; those of these titles are folded now."""

        def __init__(self, sections: frozenset[str]) -> None:
            super().__init__()
            self.sections = sections

    def __init__(self, *, clock: Clock = system_clock, id: str | None = None) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(id=id)
        self._clock = clock
        self._chats: dict[str, Chat] = {}
        self._entries: list[_Entry] = []
        self._ordered: list[Chat] = []
        self._folded = frozenset({_ARCHIVED})
        self._styles: Styles | None = None
        self._today: date | None = None

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
        """The chats top to bottom, filter applied, those of folded sections in their places."""
        return self._ordered

    @property
    def _unfolded(self) -> list[Chat]:
        """The chats that show."""
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
        """The topmost chat that is neither a stranger's nor archived, filter applied."""
        return next((chat for chat in self.ordered if chat.standing is Standing.CONTACT and not chat.is_archived), None)

    def neighbour(self, step: int) -> Chat | None:
        """The chat so many places below the open one."""
        chats = self._unfolded
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
        sections: dict[str, list[Chat]] = {
            title: [] for title in (_PINNED, _CHATS, _DIRECT, _GROUPS, _REQUESTS, _ARCHIVED)
        }
        for chat in shown:
            sections[self._section_of(chat)].append(chat)
        return [Section(title, chats) for title, chats in sections.items() if chats]

    def _section_of(self, chat: Chat) -> str:
        if chat.is_archived:
            return _ARCHIVED
        if chat.standing is Standing.REQUEST:
            return _REQUESTS
        if chat.is_pinned:
            return _PINNED
        if self.by_recency:
            return _CHATS
        return _DIRECT if chat.group is None else _GROUPS

    def _arrange(self) -> None:
        sections = self._sections()
        before, self._entries = self._entries, []
        self._ordered = [chat for section in sections for chat in section.chats]
        top = 0
        for section in sections:
            # Who looks for a name finds it wherever it is.
            is_folded = section.title in self._folded and not self.filter_text
            if len(sections) > 1 or section.title not in (_DIRECT, _CHATS) or is_folded:
                heading = section.heading + (" ▸" if is_folded else "")
                self._entries.append(_Entry(top, None, heading, section.title))
                top += 1
            for chat in () if is_folded else section.chats:
                self._entries.append(_Entry(top, chat))
                top += _ROWS
        self.virtual_size = Size(self.scrollable_content_region.width, top)
        self._refresh_from(before)

    def _refresh_from(self, before: list[_Entry]) -> None:
        """Draws anew what has changed: where messages flood in, that is mostly one chat's two lines."""
        today, self._today = self._today, self._clock().date()
        stands = len(before) == len(self._entries) and today == self._today
        if not stands or not all(map(_Entry.is_in_place_of, before, self._entries)):
            self.refresh()
            return
        changed = [now for then, now in zip(before, self._entries, strict=True) if then.chat is not now.chat]
        if changed:
            top, width = self.scroll_offset.y, self.size.width
            self.refresh(*(Region(0, entry.top - top, width, _ROWS) for entry in changed))

    def watch_filter_text(self) -> None:
        self._arrange()

    def watch_by_recency(self) -> None:
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

    def fold(self) -> None:
        """Folds the section that the open chat is in."""
        if (chat := self._chats.get(self.open_chat or "")) is not None:
            self._fold(self._folded | {self._section_of(chat)})

    def unfold(self) -> None:
        """Shows the chats of every section."""
        self._fold(frozenset())

    def _fold(self, sections: frozenset[str]) -> None:
        if sections != self._folded:
            self.show_folded(sections)
            self.post_message(self.Folded(sections))

    def show_folded(self, sections: frozenset[str]) -> None:
        """Folds these sections and no others."""
        self._folded = sections
        self._arrange()

    def on_click(self, event: events.Click) -> None:
        line = self.scroll_offset.y + event.y
        for entry in self._entries:
            if entry.chat is None and entry.top == line:
                self._fold(self._folded ^ {entry.section})
                return
            if entry.chat is not None and entry.top <= line < entry.top + _ROWS:
                self.post_message(self.Picked(entry.chat, is_final=True))

    # Drawing

    def _is_next(self, chat: Chat) -> bool:
        """Whether it is the one that Enter opens while no chat is open."""
        return self.open_chat is None and self.neighbour(0) is chat

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = None

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self.scroll_offset.y + y
        base = self.rich_style
        at = bisect_right(self._entries, line, key=lambda entry: entry.top) - 1
        entry = self._entries[at] if at >= 0 else None
        if entry is None or line >= entry.top + (1 if entry.chat is None else _ROWS):
            return Strip.blank(width, base)
        if self._styles is None:
            self._styles = Styles(
                *(self.get_component_rich_style(f"contacts--{name}", partial=True) for name in Styles._fields)
            )
        if entry.chat is None:
            return section_row(entry.title, width, self._styles).apply_style(base)
        is_open = entry.chat.id == self.open_chat
        is_under_cursor = self.has_focus and (is_open or self._is_next(entry.chat))
        if is_open or is_under_cursor:
            base += self.get_component_rich_style("contacts--cursor" if is_under_cursor else "contacts--open")
        rows = chat_rows(
            entry.chat, width, self._clock(), self._styles, is_open=is_open, is_under_cursor=is_under_cursor
        )
        return rows[line - entry.top].apply_style(base).adjust_cell_length(width, base)
