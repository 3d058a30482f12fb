"""Moving to another home server: choose one, see what it offers, and how far the move has come. It goes on without the dialog."""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, ProgressBar, Static
from textual.worker import Worker

from xirtam_core.chat import Chat
from xirtam_core.groups import GroupState
from xirtam_core.home_move import HomeMove, HomeOffer, HomeStep
from xirtam_core.names import ServerName
from xirtam_tui import text
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain, sentence
from xirtam_tui.moments import Clock
from xirtam_tui.running import running_app
from xirtam_tui.screens.home import words
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_LOOK_S = 2.0
_REMEMBERED_S = 7 * 86_400
_LONGEST = 4096
_EXPLANATION = (
    "Your name, your contacts and what was said come along, and nobody has to be told. The server that you name is first asked "
    "what it offers; nothing changes before you say so."
)
_HINT = "Its name such as ~island, a join link, or its address."
_SHOWN_TARGET = 48


class View(StrEnum):
    """What the dialog shows."""

    CHOOSE = "choosing"
    CHECK = "checking"
    OFFER = "offered"
    MOVE = "moving"
    DONE = "done"
    FAILED = "failed"


_BUTTONS = {
    View.CHOOSE: ("check", "leave"),
    View.CHECK: ("stop",),
    View.OFFER: ("move", "elsewhere"),
    View.MOVE: ("leave", "undo"),
    View.DONE: ("groups", "elsewhere", "leave"),
    View.FAILED: ("again", "elsewhere", "leave"),
}


class HomeSheet(Sheet[None]):
    """Takes a person through a move, or shows how the one that is under way stands; may be closed at any time."""

    CSS_PATH = [STYLE, str(Path(__file__).with_name("home.tcss"))]  # noqa: RUF012 # Textual's own declaration says it is the class's
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(-1)", "Up", show=False),
        Binding("down", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-8)", "Page up", show=False),
        Binding("pagedown", "scroll(8)", "Page down", show=False),
    ]
    explanation = _EXPLANATION

    def __init__(self, bridge: Bridge, clock: Clock, target: str = "") -> None:
        super().__init__()
        self.heading = f"Move {bridge.account} to another server"
        self._bridge, self._clock, self._target = bridge, clock, target
        self._view = View.CHOOSE
        self._checking: Worker[None] | None = None
        self._move: HomeMove | None = None
        self._refused = ""
        """Why the move could not be undone."""
        self._left: list[Chat] = []
        """Groups on the server that was left."""
        self._home: ServerName | None = None

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="facts", can_focus=False):
            yield Static("", id="said", markup=False)
        yield Input(self._target, placeholder="~island", compact=True, id="target", max_length=_LONGEST)
        with Horizontal(id="meter"):
            yield ProgressBar(total=1.0, show_eta=False, show_percentage=True)
            yield Static("", id="left", markup=False)
        yield Static("", id="way-back", markup=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Check", "check", primary=True)
        yield self.button("Cancel", "stop")
        yield self.button("Move", "move", primary=True)
        yield self.button("Move groups", "groups", primary=True)
        yield self.button("Try again", "again", primary=True)
        yield self.button("Choose another", "elsewhere")
        yield self.button("Close", "leave")
        yield self.button("Undo", "undo")

    def on_mount(self) -> None:
        self._stop_hearing = self._bridge.home.listen(self._hear)
        self._show(View.CHOOSE, said="")
        self._say(_HINT)
        self.run_worker(self._open(), group="home", exclusive=True)
        self.set_interval(_LOOK_S, self._look)

    def on_unmount(self) -> None:
        self._stop_hearing()

    async def _open(self) -> None:
        """Shows the move that there is, else asks where to go."""
        try:
            move = await self._bridge.home.state()
        except Exception as error:
            self._say(explain(error).text, "failed")
            return
        if move is not None and self._is_of_interest(move):
            self._follow(move)
            await self._look()
        elif self._target:
            self.action_check()

    def _is_of_interest(self, move: HomeMove) -> bool:
        """Whether there is more to say about a move than that it was made once."""
        if move.step is HomeStep.FAILED:
            return self._clock().timestamp() - (move.ended_s or 0) < _REMEMBERED_S and not self._target
        return move.is_under_way or ((move.is_old_read or move.files_left > 0) and not self._target)

    # What shows

    def _show(self, view: View, *, said: Content | str, heading: str = "") -> None:
        is_new, self._view = view is not self._view or not self.has_class(view), view
        self.query_one("#heading", Static).update(heading or self.heading)
        self.query_one("#said", Static).update(said)
        for each in View:
            self.set_class(each is view, each)
        is_asking = view in (View.CHOOSE, View.CHECK)
        field = self.query_one(Input)
        field.disabled = view is View.CHECK
        for part in ("#explanation", "#target"):
            self.query_one(part).display = is_asking
        self.query_one("#facts").display = not is_asking
        for part in ("#meter", "#way-back"):
            self.query_one(part).display = view is View.MOVE
        self.query_one("#answer").display = is_asking or view in (View.MOVE, View.OFFER, View.FAILED)
        self.query_one("#elsewhere", Button).label = "Move again" if view is View.DONE else "Choose another"
        self._show_buttons(_BUTTONS[view])
        if is_new:
            self._say("")
            self.query_one("#facts").scroll_home(animate=False)
            self.call_after_refresh(self._focus_first)

    def _show_buttons(self, wanted: tuple[str, ...]) -> None:
        had = self.focused
        for each in self.query(Button):
            each.display = each.id in wanted
        if had is not None and not had.display:
            self.call_after_refresh(self._focus_first)

    def _focus_first(self) -> None:
        buttons: list[Widget] = [each for each in self.query(Button) if each.display]
        if self._view is View.DONE:  # nothing is left that must be decided: moving on again is not what comes next
            buttons.sort(key=lambda each: each.id == "elsewhere")
        first = self.query_one(Input) if self._view is View.CHOOSE else next(iter(buttons), None)
        if first is not None:
            first.focus()

    def _say(self, said: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(said)
        for each in ("good", "alert", "failed"):
            answer.set_class(tone == each, each)

    def action_scroll(self, rows: int) -> None:
        self.query_one("#facts").scroll_relative(y=rows, animate=False)

    # Choosing

    def on_input_submitted(self) -> None:
        self.action_check()

    def action_check(self) -> None:
        self._target = self.query_one(Input).value.strip()
        if not self._target:
            self._say(f"Say first where to. {_HINT}", "failed")
            return
        self._show(View.CHECK, said="")
        self._say(f"Asking {text.brief(self._target, _SHOWN_TARGET)} what it offers… this takes up to half a minute.")
        self._checking = self.run_worker(self._check(self._target), group="home", exclusive=True)

    async def _check(self, target: str) -> None:
        try:
            offer = await self._bridge.home.offer(target)
        except Exception as error:
            self._choose(explain(error).text, "failed")
        else:
            self._offer(offer)

    def action_stop(self) -> None:
        """Asks no longer."""
        if self._checking is not None:
            self._checking.cancel()
        self._choose(_HINT)

    def action_elsewhere(self) -> None:
        self._choose(_HINT)

    def _choose(self, said: str, tone: str = "") -> None:
        self._show(View.CHOOSE, said="")
        self._say(said, tone)

    def action_leave(self) -> None:
        if self._view is View.CHECK:
            self.action_stop()
        else:
            self.dismiss(None)

    # The offer

    def _offer(self, offer: HomeOffer) -> None:
        self._show(View.OFFER, said=words.offered(offer))
        self.query_one("#move", Button).label = f"Move to {offer.server}"
        self.query_one("#answer").display = offer.obstacle is not None
        if offer.obstacle is not None:
            self._say(f"✗ {sentence(offer.obstacle)}", "failed")
            self._show_buttons(("elsewhere", "leave"))

    def action_move(self) -> None:
        self.run_worker(self._begin(self._target), group="home", exclusive=True)

    def action_again(self) -> None:
        target = self._target or ("" if self._move is None else str(self._move.server))
        self._say("Beginning again…")
        self.run_worker(self._begin(target), group="home", exclusive=True)

    async def _begin(self, target: str) -> None:
        try:
            move = await self._bridge.home.move(target)
        except Exception as error:
            self.query_one("#answer").display = True
            self._say(explain(error).text, "failed")
        else:
            self._refused = ""
            self._follow(move)

    # The move

    def _hear(self, move: HomeMove | None) -> None:
        """It has come further, in whichever window it was begun."""
        if move is None:
            if self._view is View.MOVE:
                self._undone()
        elif move.is_under_way or self._view in (View.MOVE, View.DONE, View.FAILED):
            self._follow(move)

    def _follow(self, move: HomeMove) -> None:
        self._move = move
        if move.step is HomeStep.DONE:
            self._show_done(move)
        elif move.step is HomeStep.FAILED:
            said = words.failed(move, self._bridge.account, self._home or move.old)
            self._show(View.FAILED, said=said, heading=f"The move to {move.server} came to nothing")
        else:
            self._show_progress(move)

    def _show_progress(self, move: HomeMove) -> None:
        self._show(View.MOVE, said=words.steps(move), heading=f"Moving {self._bridge.account} to {move.server}")
        self._show_buttons(("leave", "undo") if move.can_undo else ("leave",))
        self.set_class(move.step is HomeStep.PROVE and move.share is not None, "measured")
        self.query_one(ProgressBar).update(progress=min(max(move.share or 0.0, 0.0), 1.0))
        self.query_one("#left", Static).update(words.left(move))
        self.query_one("#way-back", Static).update(words.way_back(move))
        if self._refused:
            self._say(self._refused, "failed")
        else:
            self._say(words.trouble(move), "alert")

    def _show_done(self, move: HomeMove) -> None:
        groups = [(each.title, each.group is not None and each.group.is_admin) for each in self._left]
        said = words.done(move, self._bridge.account, groups)
        self._show(View.DONE, said=said, heading=f"{self._bridge.account} has moved to {move.server}")
        if not any(is_admin for _, is_admin in groups):
            self._show_buttons(("elsewhere", "leave"))

    async def _look(self) -> None:
        """How it stands now; what is copied afterwards is not told."""
        if self._view not in (View.MOVE, View.DONE, View.FAILED):
            return
        try:
            move = await self._bridge.home.state()
            self._home = (await self._bridge.status()).server
            chats = [] if move is None else await self._bridge.chats()
        except Exception as error:
            self._say(explain(error).text, "failed")
            return
        self._left = [] if move is None else left_on(move.old, chats)
        if self._view in (View.MOVE, View.DONE, View.FAILED):
            self._hear(move)

    def action_undo(self) -> None:
        if self._view is View.MOVE:
            self.run_worker(self._undo(), group="home", exclusive=True)

    async def _undo(self) -> None:
        try:
            await self._bridge.home.undo()
        except Exception as error:
            self._refused = explain(error).text
            await self._look()
        else:
            self._undone()

    def _undone(self) -> None:
        if self._view is not View.MOVE:  # it was told of already, before the answer came
            return
        move, self._move, self._refused = self._move, None, ""
        home = "" if move is None else f": {self._bridge.account} lives on {move.old}, as before"
        self._choose(f"Undone{home}.", "good")

    def action_groups(self) -> None:
        from xirtam_tui.screens.home.groups import GroupsLeft

        if self._move is not None and self._left:
            running_app(self).push_screen(GroupsLeft(self._bridge, self._left, self._move))


def left_on(server: ServerName, chats: list[Chat]) -> list[Chat]:
    """The chats of groups that the account is in and that lie on a server, those that it administers first."""
    found = [
        (chat, chat.group)
        for chat in chats
        if chat.group is not None and chat.group.state is GroupState.MEMBER and chat.group.server == server
    ]
    return [chat for chat, _ in sorted(found, key=lambda each: (not each[1].is_admin, each[0].title.casefold()))]
