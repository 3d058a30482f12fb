"""Jumping to a chat by a few letters of its name; those one was in last come first. A name that no chat has can be looked up."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content, Span
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from xirtam_core.chat import Chat
from xirtam_core.errors import InvalidName
from xirtam_core.names import GroupName, Username
from xirtam_tui.emoji_names import shown_in
from xirtam_tui.fuzzy import Match, match, nearly
from xirtam_tui.screens.sheet.sheet import Sheet
from xirtam_tui.widgets.words import Words

_MOST = 10
_RECENT = 3.0  # what having been there last is worth: about as much as a letter in its place


class Switcher(Sheet[Chat | str]):
    """Gives the chat that was chosen, or a name of which there is none. `chats` come in the order in which they are offered first."""

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
        yield Words(id="answer")

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
        elif name := _name(self.query_one(Input).value.strip()):
            self.dismiss(name)

    def _find(self, letters: str) -> None:
        best = _ranked(list(self._chats.values()), letters.lstrip("@+"))
        hits = self.query_one(OptionList)
        hits.clear_options()
        hits.add_options(Option(_prompt(chat, places), id=chat.id) for chat, places in best[:_MOST])
        hits.highlighted = 0 if best else None
        hits.display = bool(best)
        answer = self.query_one("#answer", Words)
        answer.say("" if best or not letters else _nothing(letters))
        answer.display = not best


def _name(typed: str) -> str:
    """The person's or group's name that was typed, with its sign; nothing where it cannot be one."""
    try:
        return GroupName.parse(typed) if typed.startswith(GroupName.sigil) else Username.parse(typed)
    except InvalidName:
        return ""


def _nothing(typed: str) -> str:
    """What to say where no chat fits, and what Enter does then."""
    name = _name(typed)
    if not name:
        return "No chat matches. A whole name, 5 to 15 letters, can be looked up in the directory."
    what = f"ask to be let into {name}" if name.startswith(GroupName.sigil) else f"look up {name} in the directory"
    return f"No chat matches. Enter: {what}"


class _Ranked(NamedTuple):
    chat: Chat
    places: tuple[int, ...]


def _ranked(chats: Sequence[Chat], letters: str) -> list[_Ranked]:
    """The chats that fit, best first; where none does, those that fit but for one letter."""
    for sought in (letters, *nearly(letters)):
        fitting = [
            (found.score + _RECENT / (1 + at), chat, found.places)
            for at, chat in enumerate(chats)
            if (found := _fits(chat, sought)) is not None
        ]
        if fitting:
            best = sorted(fitting, key=lambda each: -each[0])
            return [_Ranked(chat, places) for _, chat, places in best]
    return []


def _fits(chat: Chat, sought: str) -> Match | None:
    """How well a chat fits by its title, or by what else it is called, which marks nothing."""
    if (found := match(sought, chat.title)) is not None:
        return found
    others = (chat.petname, chat.display_name, None if chat.group is None else chat.group.directory_name)
    fitting = (match(sought, str(other)) for other in others if other)
    best = max((each.score for each in fitting if each is not None), default=None)
    return None if best is None else Match(best, ())


def _prompt(chat: Chat, places: tuple[int, ...]) -> Content:
    name = Content(chat.title, [Span(at, at + 1, "bold underline") for at in places])
    called = chat.petname or (f"“{chat.display_name}”" if chat.display_name else "")
    beside = (f"  {called}", "$text-muted") if called else ""
    unread = (f"   {chat.unread} new", "$warning") if chat.unread else ""
    mentions = (f"  @{chat.mentions}", "$accent") if chat.mentions else ""
    return shown_in(Content.assemble(name, beside, unread, mentions))
