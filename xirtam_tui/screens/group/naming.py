"""A group's name in the directory: giving it one, following that until it is logged, and taking the listing back."""

from collections.abc import Awaitable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.types import CSSPathType
from textual.widgets import Button, Input, Static

from xirtam_core.errors import InvalidName
from xirtam_core.group_entry import Publication
from xirtam_core.groups import Group
from xirtam_core.names import GroupName
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain, sentence
from xirtam_tui.moments import span
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_LOOK_S = 1.0
_LONGEST = 17  # the sign and sixteen letters


class NamingSheet(Sheet[None]):
    """Publishes a group under a name, or takes that back. What has been begun goes on when this is closed."""

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("group.tcss"))]
    explanation = (
        "People find the group by it and ask you to be let in. Everybody can read the name, what the group is called, and that you "
        "may be asked; what the directory has logged stays readable, also after it is taken back."
    )

    def __init__(self, bridge: Bridge, group: Group) -> None:
        super().__init__()
        self.heading = f"A name in the directory for {group.title}"
        self._bridge, self._group = bridge, group
        self._seen: Publication | None = None

    def compose_body(self) -> ComposeResult:
        yield Static("", id="listing", markup=False)
        yield Input(
            placeholder="+name, then Enter", compact=True, id="name", max_length=_LONGEST, select_on_focus=False
        )
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Publish", "publish", primary=True)
        yield self.button("Take it back", "unpublish")
        yield self.button("Close", "leave")

    async def on_mount(self) -> None:
        self.query_one("#unpublish").display = False
        await self._look()
        self.set_interval(_LOOK_S, self._look)

    async def _look(self) -> None:
        try:
            seen = await self._bridge.names.publication(self._group.id)
        except Exception as error:
            self._say(explain(error).text, failed=True)
            return
        if seen != self._seen:
            self._seen = seen
            self._show(seen)

    def _show(self, seen: Publication) -> None:
        self.query_one("#listing", Static).update(_words(seen))
        is_named = bool(seen.name)
        self.query_one(Input).display = self.query_one("#publish", Button).display = not is_named
        self.query_one("#unpublish", Button).display = is_named and not seen.is_pending
        if seen.trouble is not None:
            self._say(sentence(seen.trouble), failed=True)

    def on_input_submitted(self) -> None:
        self.action_publish()

    def action_publish(self) -> None:
        try:
            name = GroupName.parse(self.query_one(Input).value.strip())
        except InvalidName as error:
            self._say(sentence(str(error)), failed=True)
            return
        self._do(self._bridge.names.publish(self._group.id, name), "It is being put into the directory.")

    def action_unpublish(self) -> None:
        done = "It is being taken out of the directory. The name stays yours."
        self._do(self._bridge.names.unpublish(self._group.id), done)

    def _do(self, work: Awaitable[None], done: str) -> None:
        self.run_worker(self._try(work, done), group="doing", exclusive=True)

    async def _try(self, work: Awaitable[None], done: str) -> None:
        try:
            await work
        except Exception as error:
            self._say(explain(error).text, failed=True)
            return
        self._say(f"{done} You can close this: it goes on.")
        await self._look()

    def _say(self, words: str, *, failed: bool = False) -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(failed, "failed")


def _words(seen: Publication) -> str:
    """How the name stands."""
    if not seen.name:
        return "It has no name there: only those who are invited, or have a link, come in."
    if seen.is_pending:
        share = "" if seen.share is None else f" {seen.share:.0%}"
        left = "" if seen.seconds_left is None else f", about {span(seen.seconds_left)} left"
        return f"{seen.name}: {seen.step or 'it waits for its turn'}{share}{left}"
    owners = f", owned by {', '.join(seen.owners)}" if seen.owners else ""
    alarm = f"\n⚠ {seen.alarm}" if seen.alarm is not None else ""
    return f"It is {seen.name} in the directory{owners}.{alarm}"
