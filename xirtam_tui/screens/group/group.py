"""A group's members, and what may be done about them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.chat import Message
from xirtam_core.errors import InvalidName
from xirtam_core.group_entry import JoinRequest
from xirtam_core.groups import GroupDetails, GroupMember, Status
from xirtam_core.names import ServerName, Username
from xirtam_tui.actions import Scope, bindings
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain, sentence
from xirtam_tui.keymap import Keymap
from xirtam_tui.running import running_app
from xirtam_tui.screens.confirm.confirm import Confirm
from xirtam_tui.screens.group import words
from xirtam_tui.screens.group.moving import move
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.widgets.button_rows import ButtonRows
from xirtam_tui.widgets.words import Words

_LOOK_S = 1.0
_ONCE_IT_IS_THERE = "as soon as the group's server has that."
"""What is said about a group is queued like a message, and shown in the roster when it has come back."""
_ASKING = "asking "
"""What the ids of rows begin with that are of people who ask; members' are their names."""
_ON_GROUP = (
    ("settings", "Settings"), ("link", "Link"), ("publish", "Name"), ("move", "Move"), ("mute", "Mute"), ("part", "Leave")
)  # fmt: skip
_ON_PERSON = ("let_in", "refuse", "admin", "ban")


class _Seen(NamedTuple):
    """All that the sheet shows."""

    details: GroupDetails
    requests: list[JoinRequest]
    pins: list[Message]
    home: ServerName | None


class GroupSheet(Sheet[None]):
    """Shows the roster and who asks to be let in; invites, bans, makes admins, and answers.

    Keys and buttons act on whom the list has chosen. That follows the person where the roster changes, and is nobody once they are
    gone: nothing is ever done to one who has moved under the cursor.
    """

    heading = "Members"
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("group.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(Scope.GROUP),
        Binding("up,down", "to_list", "To the list", show=False),
    ]

    def __init__(self, bridge: Bridge, group: str, me: Username, keymap: Keymap) -> None:
        super().__init__()
        self._bridge, self._group, self._me, self._keys = bridge, group, me, keymap
        self._seen: _Seen | None = None
        self._has_failed = False

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="body", can_focus=False):
            yield Words(id="about")
            yield Words(id="pins")
            yield OptionList(id="hits", compact=True)
            with ButtonRows(id="on-person"):
                for name in _ON_PERSON:
                    yield self.button("", name)
            yield Input(placeholder="invite @somebody, then Enter", compact=True, id="name", max_length=17)
            yield Static("", id="rules", markup=False)
            yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        for name, label in _ON_GROUP:
            yield self.button(self._with_key(label, name), name)
        yield self.button("Close", "leave")

    def _with_key(self, label: str, name: str) -> str:
        return f"{label} {self._keys.label(f'group.{name}')}".rstrip()

    async def on_mount(self) -> None:
        for hidden in ("#about", "#pins", "#on-person", "#settings", "#link", "#publish", "#move"):
            self.query_one(hidden).display = False
        self.query_one(OptionList).focus()
        await self._look()
        self.set_interval(_LOOK_S, self._look)

    # What is shown

    async def _look(self) -> None:
        groups = self._bridge.groups
        try:
            details = await groups.details(self._group)
            requests = await groups.requests(self._group) if details.group.asking else []
            pins, home = await groups.pins(self._group), (await self._bridge.status()).server
        except Exception as error:
            self._has_failed = True
            self._say(explain(error).text, "failed")
            return
        if self._has_failed:
            self._has_failed = False
            self._say("")
        seen = _Seen(details, requests, pins, home)
        if seen != self._seen:
            is_first, self._seen = self._seen is None, seen
            self._show(seen)
            self._list(seen, is_first=is_first)

    def _show(self, seen: _Seen) -> None:
        group = seen.details.group
        self.query_one("#heading", Static).update(f"{group.title}: {words.members(group.members)}")
        for place, content in (("#about", group.description), ("#pins", words.pinned(seen.pins))):
            self.query_one(place, Static).update(content)
            self.query_one(place).display = bool(content)
        self.query_one("#rules", Static).update(words.rules(seen.details, seen.home))
        self.query_one(Input).display = group.may_invite
        mute = self.query_one("#mute", Button)
        mute.label = Content(self._with_key("Unmute" if group.is_muted else "Mute", "mute"))
        mute.refresh(layout=True)
        for name in ("#on-person", "#settings", "#link", "#publish"):
            self.query_one(name).display = group.is_admin
        self.query_one("#move").display = group.is_admin and not words.is_here(group, seen.home)

    def _list(self, seen: _Seen, *, is_first: bool) -> None:
        hits = self.query_one(OptionList)
        before = hits.highlighted_option
        rows = [Option(words.asking_row(each), id=f"{_ASKING}{each.user}") for each in seen.requests]
        rows += [Option(words.member_row(each, self._me), id=each.name) for each in seen.details.roster]
        hits.clear_options()
        hits.add_options(rows)
        ids = [row.id for row in rows]
        wanted = None if before is None or before.id is None else before.id
        if wanted not in ids and wanted is not None:
            wanted = wanted.removeprefix(_ASKING)  # they have been let in
        hits.highlighted = 0 if is_first else ids.index(wanted) if wanted in ids else None
        self._show_possible()

    def on_option_list_option_highlighted(self) -> None:
        self._show_possible()

    def _show_possible(self) -> None:
        may = self._possible()
        for name in _ON_PERSON:
            button = self.query_one(f"#{name}", Button)
            button.display = name in may
            button.label = Content(self._with_key(may.get(name, ""), name))
            button.refresh(layout=True)

    def _possible(self) -> dict[str, str]:
        return {} if self._seen is None else words.possible(self._chosen(), self._seen.details.group, self._me)

    def _chosen(self) -> GroupMember | JoinRequest | None:
        option = self.query_one(OptionList).highlighted_option
        if option is None or self._seen is None:
            return None
        asking = {f"{_ASKING}{each.user}": each for each in self._seen.requests}
        return {**asking, **{str(each.name): each for each in self._seen.details.roster}}.get(option.id or "")

    # Going about

    def action_to_list(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self) -> None:
        buttons = (self.query_one(f"#{name}", Button) for name in _ON_PERSON)
        first = next((button for button in buttons if button.display), None)
        if first is not None:
            first.focus()

    def action_invite(self) -> None:
        field = self.query_one(Input)
        if field.display:
            field.focus()
        else:
            self._say("Only admins invite here.")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        typed = event.value
        try:
            name = Username.parse(typed.strip())
        except InvalidName as error:
            self._say(sentence(str(error)), "failed")
            return
        self._say(f"Inviting {name}…")
        self.run_worker(self._invite(name, typed), group="doing")

    async def _invite(self, name: Username, typed: str) -> None:
        field = self.query_one(Input)
        if (
            await self._try(self._bridge.groups.invite(self._group, name), f"{name} is invited.")
            and field.value == typed
        ):
            field.clear()

    # On whom the list has chosen

    def _member(self, action: str) -> GroupMember | None:
        chosen = self._chosen()
        return chosen if self._may(action) and isinstance(chosen, GroupMember) else None

    def _may(self, action: str) -> bool:
        """Whether something can be done about whom the list has chosen; says so if not."""
        if action in self._possible():
            return True
        if self._seen is not None and not self._seen.details.group.is_admin:
            self._say("Only admins can do that.")
        else:
            self._say("Choose somebody first." if self._chosen() is None else "That cannot be done about them.")
        return False

    def action_let_in(self) -> None:
        chosen = self._chosen()
        if self._may("let_in") and isinstance(chosen, JoinRequest):
            self._do(self._bridge.groups.approve(self._group, chosen.user), f"{chosen.user} is let in.")

    def action_refuse(self) -> None:
        chosen = self._chosen()
        if self._may("refuse") and isinstance(chosen, JoinRequest):
            done = f"{chosen.user} is told that they are not let in."
            self._do(self._bridge.groups.refuse(self._group, chosen.user), done)

    def action_ban(self) -> None:
        member = self._member("ban")
        if member is None:
            return
        if member.status is Status.BANNED:
            done = f"{member.name} can be invited again {_ONCE_IT_IS_THERE}"
            self._do(self._bridge.groups.unban(self._group, member.name), done)
            return
        question = Confirm(
            f"Ban {member.name}?",
            "The group is told, gets a new key without them, and what they are known to read and post with is taken away. "
            "What they have read already stays with them.",
            yes="Ban",
            no="Keep them in",
        )
        done = f"{member.name} is banned {_ONCE_IT_IS_THERE}"
        self._ask(question, lambda: self._bridge.groups.ban(self._group, member.name), done)

    def action_admin(self) -> None:
        member = self._member("admin")
        if member is None:
            return
        name, is_admin = member.name, not member.is_admin
        if is_admin:
            may = "Admins let people in and ban them, change the group's name and rules, and make admins or take that away."
            question = Confirm(f"Make {name} an admin?", may, yes="Make admin", no="Leave it as it is")
        else:
            stay = "They stay in the group, as a member like others."
            question = Confirm(f"Is {name} to be an admin no more?", stay, yes="Not admin", no="Leave it as it is")
        done = f"{name} is {'an admin' if is_admin else 'an admin no more'} {_ONCE_IT_IS_THERE}"
        self._ask(question, lambda: self._bridge.groups.set_admin(self._group, name, is_admin), done)

    # On the group

    async def action_settings(self) -> None:
        from xirtam_tui.screens.group.settings import GroupSettings

        if self._seen is not None and self._is_admin():
            await running_app(self).push_screen(GroupSettings(self._bridge, self._seen.details), self._settled)

    def _settled(self, done: str | None) -> None:
        if done:
            self._say(done)

    async def action_link(self) -> None:
        from xirtam_tui.screens.group.link import LinkSheet

        if self._seen is not None and self._is_admin():
            await running_app(self).push_screen(LinkSheet(self._bridge, self._seen.details.group))

    async def action_publish(self) -> None:
        from xirtam_tui.screens.group.naming import NamingSheet

        if self._seen is not None and self._is_admin():
            await running_app(self).push_screen(NamingSheet(self._bridge, self._seen.details.group))

    def action_mute(self) -> None:
        if self._seen is not None:
            is_muted = self._seen.details.group.is_muted
            self._do(
                self._bridge.preferences.arrange(self._group, muted=not is_muted),
                "What is said here notifies you again." if is_muted else "Nothing that is said here notifies you.",
            )

    def action_move(self) -> None:
        if self._seen is None or not self._is_admin():
            return
        group = self._seen.details.group
        if words.is_here(group, self._seen.home):
            self._say(words.where(group, self._seen.home))
        else:
            self.run_worker(self._move(self._seen.details), group="moving", exclusive=True)

    async def _move(self, details: GroupDetails) -> None:
        try:
            is_moving = await move(self, self._bridge, details)
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._say("It is on its way: the members follow by themselves." if is_moving else "")

    def action_part(self) -> None:
        if self._seen is not None:
            self.run_worker(self._part(self._seen.details.group.title), group="doing")

    async def _part(self, title: str) -> None:
        told = "The members are told. What was said stays here; to come back, you need a new invitation."
        question = Confirm(f"Leave {title}?", told, yes="Leave", no="Stay")
        agrees = await running_app(self).push_screen_wait(question)
        if agrees and await self._try(self._bridge.groups.leave(self._group), ""):
            self.dismiss(None)

    # Helpers

    def _is_admin(self) -> bool:
        is_admin = self._seen is not None and self._seen.details.group.is_admin
        if not is_admin:
            self._say("Only admins can do that.")
        return is_admin

    def _ask(self, question: Confirm, work: Callable[[], Awaitable[None]], done: str) -> None:
        self.run_worker(self._asked(question, work, done), group="doing")

    async def _asked(self, question: Confirm, work: Callable[[], Awaitable[None]], done: str) -> None:
        if await running_app(self).push_screen_wait(question):
            await self._try(work(), done)

    def _do(self, work: Awaitable[object], done: str) -> None:
        self.run_worker(self._try(work, done), group="doing")

    async def _try(self, work: Awaitable[object], done: str) -> bool:
        try:
            await work
        except Exception as error:
            self._say(explain(error).text, "failed")
            return False
        self._say(done)
        await self._look()
        return True

    def _say(self, said: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(said)
        answer.set_class(tone == "failed", "failed")
