"""Finding what was said, in one chat or in all, as one types; what is chosen is gone to."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Protocol

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.chat import Chat, Message, Received
from xirtam_core.sought import Sought, sought
from xirtam_tui.emoji_names import shown_in
from xirtam_tui.failures import explain
from xirtam_tui.moments import Clock, clock_time, local, stamp
from xirtam_tui.screens.search.snippet import snippet
from xirtam_tui.screens.sheet.sheet import Sheet

_PAUSE_S = 0.12  # how long a pause in typing is before it is looked for
_PAGE = 40
_HINT = 'Messages that hold all the words; of the last one, the beginning will do. Words in "quotation marks" must follow each other.'
_NO_WORD = "Words are looked for, and numbers; signs and emoji are not."


class Find(Protocol):
    """The engine's search."""

    async def __call__(
        self, words: str, *, chat: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[Received]: ...


class Search(Sheet[Message]):
    """Gives the message that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor(1)", "Below", show=False, priority=True),
        Binding("up", "cursor(-1)", "Above", show=False, priority=True),
        Binding("pagedown", "cursor(5)", "Further below", show=False, priority=True),
        Binding("pageup", "cursor(-5)", "Further above", show=False, priority=True),
        Binding("ctrl+r,alt+r", "where", "Here or everywhere", show=False, priority=True),
    ]

    def __init__(
        self,
        find: Find,
        titles: Mapping[str, str],
        *,
        here: Chat | None,
        is_everywhere: bool,
        words: str,
        clock: Clock,
    ) -> None:
        super().__init__()
        self._find, self._titles, self._here, self._clock = find, titles, here, clock
        self._is_everywhere = is_everywhere or here is None
        self._words = words
        self._found: list[Received] = []
        self._has_more = self._is_loading = False
        self.heading = self._title()

    def compose_body(self) -> ComposeResult:
        yield Input(self._words, placeholder="words", compact=True, id="words", select_on_focus=False)
        yield OptionList(id="hits", compact=True)
        yield Static(_HINT, id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Go there", "go", primary=True)
        if self._here is not None:
            yield self.button(self._other_place(), "where")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        self.query_one("#hits").display = False
        self._look()

    def _title(self) -> str:
        if self._is_everywhere or self._here is None:
            return "Search all chats"
        return f"Search the chat with {self._here.title}" if self._here.group is None else f"Search {self._here.title}"

    def _other_place(self) -> str:
        return "Only this chat" if self._is_everywhere else "All chats"

    # What a person does

    def on_input_changed(self) -> None:
        self._look()

    def on_input_submitted(self) -> None:
        self.action_go()

    def on_option_list_option_selected(self) -> None:
        self.action_go()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if self._has_more and not self._is_loading and event.option_index >= len(self._found) - 3:
            self.run_worker(self._more(), group="more", exclusive=True)

    def action_cursor(self, step: int) -> None:
        hits = self.query_one(OptionList)
        if hits.option_count:
            hits.highlighted = min(max((hits.highlighted or 0) + step, 0), hits.option_count - 1)

    def action_where(self) -> None:
        if self._here is not None:
            self._is_everywhere = not self._is_everywhere
            self.query_one("#heading", Static).update(self._title())
            self.query_one("#where", Button).label = self._other_place()
            self._look()

    def action_go(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._found):
            self.dismiss(self._found[at].message)

    # Looking

    @property
    def _sought(self) -> str:
        return self.query_one("#words", Input).value.strip()

    def _look(self) -> None:
        # Made as it starts: of letters that come at once, all but the last are never looked for.
        self.run_worker(partial(self._first, self._sought), group="look", exclusive=True)

    async def _first(self, words: str) -> None:
        if not sought(words):
            self._show([], _NO_WORD if words else _HINT)
            return
        await asyncio.sleep(_PAUSE_S)
        try:
            found = await self._page(words, None)
        except Exception as error:
            self._show([], explain(error).text, is_failure=True)
            return
        self._show(found, "" if found else self._nothing(sought(words)))

    @property
    def _is_left(self) -> bool:
        """Whether it is being closed: what is in a dialog goes before what the dialog waits for is broken off."""
        return not self.query(OptionList)

    def _nothing(self, parts: list[Sought]) -> str:
        """What to say where nothing was found, and what to do about it."""
        if not self._is_everywhere:
            return "Nothing in this chat has that in it.\nCtrl+R looks in all chats."
        if len(parts) > 1:
            return "No message has all of that in it. Fewer words may find more."
        if " " in parts[0].words:
            return "Nowhere do these words follow each other.\nWithout the quotation marks more may be found."
        how = "begins with" if parts[0].is_begun else "is"
        return f"No message has a word that {how} “{parts[0].words}”.\nFewer letters may find more."

    async def _more(self) -> None:
        words, last = self._sought, self._found[-1]
        self._is_loading = True
        try:
            found = await self._page(words, last.cursor)
        except Exception as error:
            self._say(explain(error).text, is_failure=True)
            self._has_more = False
            return
        finally:
            self._is_loading = False
        if (
            not self._is_left and self._found and self._found[-1] is last
        ):  # else something else is being looked for by now
            self._found += found
            self.query_one(OptionList).add_options(self._options(found))
            self._count()

    async def _page(self, words: str, before: int | None) -> list[Received]:
        within = None if self._is_everywhere or self._here is None else self._here.id
        found = await self._find(words, chat=within, before=before, limit=_PAGE)
        self._has_more = len(found) == _PAGE
        return found

    # What shows

    def _show(self, found: list[Received], words: str, *, is_failure: bool = False) -> None:
        if self._is_left:
            return
        self._found = found
        hits = self.query_one(OptionList)
        hits.clear_options()
        hits.display = bool(found)
        self.call_after_refresh(self._fill)
        self._say(words, is_failure=is_failure)

    def _fill(self) -> None:
        """Shows what was found, once it is known how wide it may be."""
        if self._is_left:
            return
        hits = self.query_one(OptionList)
        if self._found and not hits.option_count:
            hits.add_options(self._options(self._found))
            hits.highlighted = 0
            self._count()

    def _count(self) -> None:
        count = len(self._found)
        self._say(f"{count}{' or more' if self._has_more else ''} found" if count > 1 else "1 found")

    def _say(self, words: str, *, is_failure: bool = False) -> None:
        if self._is_left:
            return
        answer = self.query_one("#answer", Static)
        answer.set_class(is_failure, "failed")
        answer.update(words)

    async def on_resize(self, event: events.Resize) -> None:  # the sheet's own is called besides
        self._show(self._found, str(self.query_one("#answer", Static).content))

    def _options(self, found: list[Received]) -> list[Option]:
        width = max(20, self.query_one("#hits").size.width - 6)
        return [Option(self._prompt(each.message, width)) for each in found]

    def _prompt(self, message: Message, width: int) -> Content:
        title = self._titles.get(message.chat, message.chat)
        who = "you" if message.mine else str(message.sender)
        name = Content.styled(title if self._is_everywhere else who, "bold")
        if self._is_everywhere and who != title:
            name += Content.styled(f"  {who}", "$text-muted")
        name = shown_in(name)
        when = Content.styled(self._when(message.sent_at), "$text-muted")
        name = name.truncate(max(1, width - when.cell_length - 2), ellipsis=True)
        gap = " " * max(2, width - name.cell_length - when.cell_length)
        said = shown_in(snippet(message.text, sought(self._sought), width))
        return Content.assemble(name, gap, when, "\n", said.truncate(width, ellipsis=True))

    def _when(self, nanoseconds: int) -> str:
        now = self._clock()
        day = stamp(nanoseconds, now)
        is_today = local(nanoseconds).date() == now.date()
        return day if is_today else f"{day} {clock_time(nanoseconds)}"
