"""A group's members, and what may be done about them."""

from collections.abc import Awaitable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.chat import Message
from xirtam_core.errors import InvalidName, Unreachable
from xirtam_core.group_entry import JoinRequest
from xirtam_core.groups import Group, GroupDetails, GroupMember, Status
from xirtam_core.names import ServerName, Username
from xirtam_tui import text
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain, sentence
from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.sheet import Sheet

_LOOK_S = 1.0
_ONCE_IT_IS_THERE = "as soon as the group's server has that."
"""What is said about a group is queued like a message, and shown in the roster when it has come back."""
_MOVES = "It is on its way: the members follow by themselves."
_MOST_NAMED = 5
_MOST_PINS = 3
_LONGEST_PIN = 200
_ASKING = "asking "
"""What the ids of rows begin with that are of people who ask; members' are their names."""


class GroupSheet(Sheet[None]):
    """Shows the roster and who asks to be let in; invites, bans, makes admins, and answers."""

    heading = "Members"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "ban", "Ban", show=False),
        Binding("a", "admin", "Admin", show=False),
        Binding("m", "move", "Move", show=False),
        Binding("y", "answer(True)", "Let in", show=False),
        Binding("n", "answer(False)", "Refuse", show=False),
    ]

    def __init__(self, bridge: Bridge, group: str, me: Username) -> None:
        super().__init__()
        self._bridge, self._group, self._me = bridge, group, me
        self._details: GroupDetails | None = None
        self._home: ServerName | None = None
        self._pins: list[Message] = []
        self._requests: list[JoinRequest] = []

    def compose_body(self) -> ComposeResult:
        yield Static("", id="pins", markup=False)
        yield OptionList(id="hits", compact=True)
        yield Static("", id="rights", markup=False)
        yield Input(placeholder="invite @somebody, then Enter", compact=True, id="name", max_length=17)
        yield Static("", id="answer", markup=False)

    async def on_mount(self) -> None:
        self.query_one("#pins").display = False
        self._home = (await self._bridge.status()).server
        await self._look()
        self.set_interval(_LOOK_S, self._look)
        self.query_one(Input).focus()

    async def _look(self) -> None:
        try:
            details, pins = await self._bridge.groups.details(self._group), await self._bridge.groups.pins(self._group)
            requests = await self._bridge.groups.requests(self._group) if details.group.asking else []
        except Exception as error:
            self._say(explain(error).text, "failed")
            return
        if pins != self._pins:
            self._pins = pins
            self.query_one("#pins", Static).update(_pinned(pins))
            self.query_one("#pins").display = bool(pins)
        if (details, requests) == (self._details, self._requests):
            return
        self._details, self._requests = details, requests
        self.query_one("#heading", Static).update(f"{details.group.title}: {_members(details.group.members)}")
        hits = self.query_one(OptionList)
        at = hits.highlighted
        hits.clear_options()
        hits.add_options(Option(_asking(each), id=f"{_ASKING}{each.user}") for each in requests)
        hits.add_options(Option(_row(member, self._me), id=member.name) for member in details.roster)
        hits.highlighted = min(at or 0, hits.option_count - 1)
        is_admin = details.group.is_admin
        self.query_one("#rights", Static).update(
            (
                f"\nOn a member: b ban or let in again · a admin or not\n{_where(details.group, self._home)}"
                if is_admin
                else ""
            )
            + ("\nOn somebody who asks: y let in · n refuse" if requests else "")
            + (f"\n{details.group.name_alarm}" if details.group.name_alarm else "")
        )
        self.query_one(Input).display = details.group.may_invite

    # What a person does

    def _chosen(self) -> GroupMember | None:
        option = self.query_one(OptionList).highlighted_option
        if option is None or self._details is None:
            return None
        return next((each for each in self._details.roster if each.name == option.id), None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            name = Username.parse(event.value.strip())
        except InvalidName as error:
            self._say(sentence(str(error)), "failed")
            return
        self._say(f"Inviting {name}…")
        self._do(self._bridge.groups.invite(self._group, name), f"{name} is invited.")
        event.input.clear()

    def action_ban(self) -> None:
        member = self._chosen()
        if member is None or self._details is None or not self._details.group.is_admin:
            return
        if member.status is Status.BANNED:
            self._do(
                self._bridge.groups.unban(self._group, member.name),
                f"{member.name} can be invited again {_ONCE_IT_IS_THERE}",
            )
        else:
            self.run_worker(self._ban(member.name))

    async def _ban(self, name: Username) -> None:
        from xirtam_tui.screens.confirm.confirm import Confirm

        words = (
            "The group is told, gets a new key without them, and what they are known to read and post with is taken away. "
            "What they have read already stays with them."
        )
        if await running_app(self).push_screen_wait(Confirm(f"Ban {name}?", words, yes="Ban", no="Do not")):
            self._do(self._bridge.groups.ban(self._group, name), f"{name} is banned {_ONCE_IT_IS_THERE}")

    def action_admin(self) -> None:
        member = self._chosen()
        if member is not None and self._details is not None and self._details.group.is_admin:
            done = f"{member.name} is {'an admin no more' if member.is_admin else 'an admin'} {_ONCE_IT_IS_THERE}"
            self._do(self._bridge.groups.set_admin(self._group, member.name, not member.is_admin), done)

    def action_move(self) -> None:
        if self._details is None or not self._details.group.is_admin:
            return
        group = self._details.group
        if group.is_moving or self._home in (group.moves_to, group.server if group.moves_to is None else None):
            self._say(_where(group, self._home))
        elif group.moves_to is not None:
            self.run_worker(self._fetch(group.moves_to), group="moving", exclusive=True)
        else:
            self.run_worker(self._move(self._details), group="moving", exclusive=True)

    async def _fetch(self, moves_to: ServerName) -> None:
        """Asks whether a group that has not come where it goes is to come here instead."""
        words = (
            f"The group is on its way to {moves_to}, and has not come there. If that is only away for a while, wait."
        )
        await self._move_without(moves_to, words)

    async def _move_without(self, server: ServerName, words: str) -> None:
        from xirtam_tui.screens.confirm.confirm import Confirm

        words += " If it is gone for good, the group can go on without it: members are told by direct messages."
        gone = Confirm(f"Is {server} gone for good?", words, yes="Move without it", no="Wait")
        if await running_app(self).push_screen_wait(gone):
            await self._try(self._bridge.groups.move(self._group, server_is_gone=True), _MOVES)

    async def _move(self, details: GroupDetails) -> None:
        """Asks, and once more where the group's server does not answer."""
        from xirtam_tui.screens.confirm.confirm import Confirm

        title, unsure = f"Move {details.group.title} to your server?", details.unsure
        words = "Its members follow by themselves, and nothing is lost. " + (
            f"Those whose clients may not know how stay behind: {', '.join(unsure[:_MOST_NAMED])}"
            + (f" and {len(unsure) - _MOST_NAMED} more." if len(unsure) > _MOST_NAMED else ".")
            if unsure
            else ""
        )
        if not await running_app(self).push_screen_wait(Confirm(title, words, yes="Move", no="Do not")):
            return
        self._say("Moving…")
        try:
            await self._bridge.groups.move(self._group)
        except Unreachable as reason:
            self._say(explain(reason).text, "failed")
            server = details.group.server
            await self._move_without(server, f"{server} does not answer. If it is only away for a while, wait.")
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._say(_MOVES)

    def action_answer(self, is_let_in: bool) -> None:
        option = self.query_one(OptionList).highlighted_option
        chosen = next((each for each in self._requests if option and option.id == f"{_ASKING}{each.user}"), None)
        if chosen is None:
            return
        if is_let_in:
            self._do(self._bridge.groups.approve(self._group, chosen.user), f"{chosen.user} is let in.")
        else:
            self._do(
                self._bridge.groups.refuse(self._group, chosen.user), f"{chosen.user} is told that they are not let in."
            )

    def _do(self, work: Awaitable[None], done: str) -> None:
        self.run_worker(self._try(work, done), group="doing")

    async def _try(self, work: Awaitable[None], done: str) -> None:
        try:
            await work
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._say(done)
            await self._look()

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(tone == "failed", "failed")


def _where(group: Group, home: ServerName | None) -> str:
    if group.moves_to not in (None, home):
        return f"It is at {group.server}, on its way to {group.moves_to}.\nm bring it to your server instead"
    if group.server == home:
        return f"It is at {group.server}, your server."
    if group.is_moving or group.moves_to is not None:
        return f"It is on its way from {group.server} to your server."
    return f"It is at {group.server} · m move it to your server"


def _members(count: int) -> str:
    return f"{count} member{'' if count == 1 else 's'}"


def _pinned(pins: list[Message]) -> Content:
    """The latest pins, a line each, and how many more there are."""
    rows = [Content.assemble((f"{each.sender.bare}: ", "bold"), _start_of(each)) for each in pins[:_MOST_PINS]]
    more = [Content.styled(f"and {len(pins) - _MOST_PINS} more", "$text-muted")] if len(pins) > _MOST_PINS else []
    return Content("\n").join([Content.styled("Pinned", "$text-muted"), *rows, *more]) if pins else Content("")


def _start_of(message: Message) -> str:
    words = text.line(message.text)
    return "withdrawn" if message.is_withdrawn else words if len(words) <= _LONGEST_PIN else words[:_LONGEST_PIN] + "…"


def _asking(request: JoinRequest) -> Content:
    note = f"  “{request.note}”" if request.note else ""
    return Content.assemble(request.user, ("  asks to be let in", "$accent"), (note, "$text-muted"))


def _row(member: GroupMember, me: Username) -> Content:
    marks = "admin" if member.is_admin else {Status.PENDING: "invited", Status.BANNED: "banned"}.get(member.status, "")
    you = "  you" if member.name == me else ""
    return Content.assemble(member.name, (you, "$text-muted"), (f"  {marks}" if marks else "", "$accent"))
