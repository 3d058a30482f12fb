"""What a group is called and is about, and who may do what in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Button, Input, Static

from xirtam_core.groups import GroupDetails
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.screens.group.words import named
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_RIGHTS = {"invites": "Only admins invite", "posts": "Only admins write"}
_LONGEST_NAME, _LONGEST_DESCRIPTION = 64, 1000


class GroupSettings(Sheet[str]):
    """Changes a group's name, description and rules; gives what was done, in words."""

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("group.tcss"))]
    explanation = "Members see what you change once the group's server has it."

    def __init__(self, bridge: Bridge, details: GroupDetails) -> None:
        super().__init__()
        self._bridge, self._details = bridge, details
        self.heading = f"Name and rights of {details.group.title}"
        self._description = details.group.description
        self._is_for_admins = {"invites": details.who_invites == "admins", "posts": details.who_posts == "admins"}

    def compose_body(self) -> ComposeResult:
        group = self._details.group
        yield Static("Name", classes="label")
        yield Input(group.name, compact=True, id="name", max_length=_LONGEST_NAME, select_on_focus=False)
        yield Static("What it is about", classes="label")
        yield Input(
            group.description, compact=True, id="description", max_length=_LONGEST_DESCRIPTION, select_on_focus=False
        )
        yield Static("Rights", classes="label")
        for right in _RIGHTS:
            yield Button(self._label(right), id=right, compact=True, action=f"screen.turn('{right}')")
        yield Static("", id="unsure", markup=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Save", "save", primary=True)
        yield self.button("Cancel", "leave")

    def on_mount(self) -> None:
        self.query_one("#unsure").display = False
        self.run_worker(self._fill(), group="filling")

    async def _fill(self) -> None:
        """Puts all of the description in: what was shown until now may be the beginning of it."""
        try:
            whole = await self._bridge.groups.description(self._details.group.id)
        except Exception as error:
            self._say(explain(error).text)
            return
        field = self.query_one("#description", Input)
        if field.value == self._description:
            field.value = whole
            self._description = whole

    def _label(self, right: str) -> Content:
        return Content(f"[{'✓' if self._is_for_admins[right] else ' '}] {_RIGHTS[right]}")  # a sign, not only a colour

    def action_turn(self, right: str) -> None:
        self._is_for_admins[right] = not self._is_for_admins[right]
        self.query_one(f"#{right}", Button).label = self._label(right)
        self._warn()

    def _warn(self) -> None:
        """Says whose clients may not know such rules: their rosters and views would differ from then on."""
        unsure = self._details.unsure if any(self._new_rules()) else ()
        words = f"The clients of {named(unsure)} may not know such rules: what they see would differ." if unsure else ""
        self.query_one("#unsure", Static).update(words)
        self.query_one("#unsure").display = bool(words)

    def _new_rules(self) -> Iterator[str | None]:
        """Who invites and who posts from now on, None for what stays."""
        before = (self._details.who_invites, self._details.who_posts)
        for is_for_admins, rule in zip(self._is_for_admins.values(), before, strict=True):
            now = "admins" if is_for_admins else "members"
            yield None if now == rule else now

    def on_input_submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        self.run_worker(self._save(), group="saving", exclusive=True)

    async def _save(self) -> None:
        group = self._details.group
        name, about = (self.query_one(field, Input).value.strip() for field in ("#name", "#description"))
        if not name and group.name:
            self._say("Give it a name.")
            return
        new_name, new_about = name if name != group.name else None, about if about != self._description else None
        who_invites, who_posts = self._new_rules()
        try:
            if new_name is not None or new_about is not None:
                await self._bridge.groups.set_info(group.id, name=new_name, description=new_about)
            if who_invites or who_posts:
                await self._bridge.groups.set_policy(group.id, who_invites=who_invites, who_posts=who_posts)
        except Exception as error:
            self._say(explain(error).text)
            return
        is_new = any(each is not None for each in (new_name, new_about, who_invites, who_posts))
        self.dismiss("It holds as soon as the group's server has it." if is_new else "")

    def _say(self, words: str) -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.add_class("failed")
