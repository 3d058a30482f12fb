"""Making a link that lets people into a group, and ending those that were made."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.types import CSSPathType
from textual.widgets import Button, Input, Static

from xirtam_core.groups import Group
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.running import running_app
from xirtam_tui.screens.confirm.confirm import Confirm
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet


class LinkSheet(Sheet[None]):
    """Makes an invite link, shows it this once, and copies it."""

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("group.tcss"))]
    explanation = (
        "Whoever has it is let in without being asked about, while xirtam runs on a device of yours. "
        "Give it to nobody whom you would not invite. It can be seen only now."
    )

    def __init__(self, bridge: Bridge, group: Group) -> None:
        super().__init__()
        self._bridge, self._group = bridge, group
        self.heading = f"An invite link for {group.title}"
        self._link = ""

    def compose_body(self) -> ComposeResult:
        with Horizontal(classes="numbers"):
            yield Static("for", classes="beside")
            yield Input("1", type="integer", compact=True, id="uses", max_length=5)
            yield Static("people, within", classes="beside")
            yield Input("7", type="integer", compact=True, id="days", max_length=4)
            yield Static("days", classes="beside")
        yield Static("", id="link", markup=False)
        yield Static("", id="good", markup=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Make a link", "make", primary=True)
        yield self.button("Copy", "copy")
        yield self.button("End all", "end")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        for hidden in ("#link", "#copy", "#end"):
            self.query_one(hidden).display = False
        self.query_one("#make").focus()
        self.run_worker(self._count(), group="counting")

    async def _count(self) -> None:
        try:
            good = await self._bridge.groups.links(self._group.id)
        except Exception as error:
            self._say(explain(error).text, "failed")
            return
        count = "1 link" if len(good) == 1 else f"{len(good)} links"
        self.query_one("#good", Static).update(f"{count} of yours into this group can be used now." if good else "")
        self.query_one("#end").display = bool(good)

    def on_input_submitted(self) -> None:
        self.action_make()

    def action_make(self) -> None:
        self.run_worker(self._make(), group="making", exclusive=True)

    async def _make(self) -> None:
        uses, days = (self.query_one(field, Input).value for field in ("#uses", "#days"))
        if not uses.isdecimal() or not days.isdecimal():
            self._say("Say for how many people and how many days, in digits.", "failed")
            return
        try:
            self._link = await self._bridge.groups.link(self._group.id, uses=int(uses), days=int(days))
        except Exception as error:
            self._say(explain(error).text, "failed")
            return
        self.query_one("#link", Static).update(self._link)
        for shown in ("#link", "#copy"):
            self.query_one(shown).display = True
        self.query_one("#make", Button).label = "Make another"
        self.query_one("#copy").focus()
        self._say("")
        await self._count()

    def action_copy(self) -> None:
        if self._link:
            running_app(self).copy_to_clipboard(self._link)
            self._say("Copied, as far as your terminal allows it.", "good")

    def action_end(self) -> None:
        self.run_worker(self._end(), group="making", exclusive=True)

    async def _end(self) -> None:
        words = "Who has one and has not come in with it can only ask to be let in then."
        question = Confirm(f"End your links into {self._group.title}?", words, yes="End them", no="Keep them")
        if not await running_app(self).push_screen_wait(question):
            return
        try:
            await self._bridge.groups.end_links(self._group.id)
        except Exception as error:
            self._say(explain(error).text, "failed")
            return
        self._link = ""
        for hidden in ("#link", "#copy"):
            self.query_one(hidden).display = False
        self.query_one("#make").focus()
        self._say("They let nobody in any more.", "good")
        await self._count()

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        for name in ("good", "failed"):
            answer.set_class(tone == name, name)
