"""Groups that have stayed on the server that was left: those that the account administers can be moved after it."""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.chat import Chat
from xirtam_core.errors import Unreachable
from xirtam_core.home_move import HomeMove
from xirtam_core.names import Username
from xirtam_tui.bridge import Bridge
from xirtam_tui.emoji_names import shown
from xirtam_tui.failures import explain
from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_LOOK_S = 1.0
_MOST_NAMED = 5


class Fate(StrEnum):
    """What becomes of a group, in words."""

    NOT_OURS = "its admins decide"
    CHOSEN = "is to be moved"
    SPARED = "stays"
    BEGINNING = "moving…"
    ON_ITS_WAY = "on its way: its members follow by themselves"
    THERE = "has moved"
    FAILED = "was not moved"


_MARKS = {
    Fate.NOT_OURS: ("○", "$text-disabled"),
    Fate.CHOSEN: ("✓", "$accent"),
    Fate.SPARED: ("○", "$text-muted"),
    Fate.BEGINNING: ("●", "$accent"),
    Fate.ON_ITS_WAY: ("●", "$accent"),
    Fate.THERE: ("✓", "$success"),
    Fate.FAILED: ("✗", "$error"),
}
_MAY_CHANGE = (Fate.CHOSEN, Fate.SPARED, Fate.FAILED)


class GroupsLeft(Sheet[None]):
    """Lists the groups, moves those that are chosen, and says of each how that goes."""

    CSS_PATH = [STYLE, str(Path(__file__).with_name("home.tcss"))]  # noqa: RUF012 # Textual's own declaration says it is the class's
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "turn", "Choose or not", show=False)]

    def __init__(self, bridge: Bridge, chats: list[Chat], move: HomeMove) -> None:
        super().__init__()
        self.heading = f"Move your groups to {move.server} too"
        self.explanation = f"They lie on {move.old}. Members follow by themselves, and nothing is lost."
        self._bridge, self._chats, self._move = bridge, chats, move
        self._fates = {each.id: self._first(each) for each in chats}
        self._why: dict[str, str] = {}
        self._unsure: dict[str, tuple[Username, ...]] = {}
        self._unreachable: set[str] = set()

    def _first(self, chat: Chat) -> Fate:
        return Fate.CHOSEN if chat.group is not None and chat.group.is_admin else Fate.NOT_OURS

    def compose_body(self) -> ComposeResult:
        yield OptionList(*(self._row(each) for each in self._chats), id="hits", compact=True)
        yield Static("", id="meaning", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Move the chosen", "go", primary=True)
        yield self.button(f"Move without {self._move.old}", "force")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        self._refresh()
        self.query_one(OptionList).focus()
        self.run_worker(self._look_at_members(), group="members")
        self.set_interval(_LOOK_S, self._look)

    async def _look_at_members(self) -> None:
        """Whose clients may not know how to follow."""
        for each in self._chats:
            if self._fates[each.id] is Fate.NOT_OURS:
                continue
            try:
                self._unsure[each.id] = (await self._bridge.groups.details(each.id)).unsure
            except Exception as error:
                self._why[each.id] = explain(error).text
            self._refresh()

    async def _look(self) -> None:
        try:
            chats = {each.id: each for each in await self._bridge.chats()}
        except Exception as error:
            self.query_one("#meaning", Static).update(explain(error).text)
            return
        for each in self._chats:
            group = chats[each.id].group if each.id in chats else None
            if group is None:
                continue
            if group.server == self._move.server:
                self._fates[each.id] = Fate.THERE
            elif group.moves_to == self._move.server or group.is_moving:
                self._fates[each.id] = Fate.ON_ITS_WAY
        self._refresh()

    def _row(self, chat: Chat) -> Option:
        fate = self._fates[chat.id]
        mark, style = _MARKS[fate]
        faint = "$text-muted" if fate is Fate.NOT_OURS else "bold"
        return Option(
            Content.assemble((f"{mark} ", style), (shown(chat.title), faint), (f"  {fate}", "$text-muted")),
            id=chat.id,
            disabled=fate is Fate.NOT_OURS,
        )

    def _refresh(self) -> None:
        hits = self.query_one(OptionList)
        for each in self._chats:
            hits.replace_option_prompt(each.id, self._row(each).prompt)
        self._explain_highlighted()
        self.query_one("#force").display = any(self._fates[each] is Fate.FAILED for each in self._unreachable)

    def _explain_highlighted(self) -> None:
        option = self.query_one(OptionList).highlighted_option
        group = "" if option is None or option.id is None else option.id
        why, unsure = self._why.get(group, ""), self._unsure.get(group, ())
        words = why or "Space chooses a group, or leaves it where it is."
        if not why and unsure:
            more = f" and {len(unsure) - _MOST_NAMED} more" if len(unsure) > _MOST_NAMED else ""
            words = f"Whose clients may not know how stay behind: {', '.join(unsure[:_MOST_NAMED])}{more}."
        meaning = self.query_one("#meaning", Static)
        meaning.update(words)
        meaning.set_class(bool(why), "failed")

    # What a person does

    def on_option_list_option_highlighted(self) -> None:
        self._explain_highlighted()

    def on_option_list_option_selected(self) -> None:
        self.action_turn()

    def action_turn(self) -> None:
        """Chooses a group, or leaves it where it is."""
        option = self.query_one(OptionList).highlighted_option
        if option is not None and option.id is not None and self._fates[option.id] in _MAY_CHANGE:
            self._fates[option.id] = Fate.SPARED if self._fates[option.id] is Fate.CHOSEN else Fate.CHOSEN
            self._why.pop(option.id, None)
            self._refresh()

    def action_go(self) -> None:
        self.run_worker(self._move_all([each.id for each in self._chats if self._fates[each.id] is Fate.CHOSEN]))

    async def _move_all(self, groups: list[str], *, server_is_gone: bool = False) -> None:
        for group in groups:
            self._fates[group] = Fate.BEGINNING
        self._refresh()
        for group in groups:
            await self._move_one(group, server_is_gone)
            self._refresh()
        if (force := self.query_one("#force")).display:
            self.call_after_refresh(force.focus)

    async def _move_one(self, group: str, server_is_gone: bool) -> None:
        self._why.pop(group, None)
        self._unreachable.discard(group)
        try:
            await self._bridge.groups.move(group, server_is_gone=server_is_gone)
        except Exception as error:
            self._fates[group] = Fate.FAILED
            self._why[group] = explain(error).text
            if isinstance(error, Unreachable):
                self._unreachable.add(group)
        else:
            self._fates[group] = Fate.ON_ITS_WAY

    def action_force(self) -> None:
        self.run_worker(self._force())

    async def _force(self) -> None:
        from xirtam_tui.screens.confirm.confirm import Confirm

        words = (
            f"{self._move.old} does not answer. If it is only away for a while, wait. If it is gone for good, the groups can go on "
            "without it: members are told by direct messages."
        )
        question = Confirm(f"Is {self._move.old} gone for good?", words, yes="Move without it", no="Wait")
        if await running_app(self).push_screen_wait(question):
            await self._move_all(sorted(self._unreachable), server_is_gone=True)
