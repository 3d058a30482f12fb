"""Somebody's identity has changed: the safety code before and now, what it may mean, and whether to go on."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from xirtam_core.names import Username
from xirtam_core.people import SafetyCode
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.screens.person.digits import rows
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_WIDTH = 32
_WHAT_TO_DO = (
    "Ask them, by telephone or face to face and not in this chat, whether they made their account anew, and compare the code "
    "below with theirs. Until you go on nothing is sent to them; what you write waits."
)


class IdentityChanged(Sheet[bool]):
    """True once the alarm is put away. The choice that changes nothing has the focus."""

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("identity.tcss"))]
    AUTO_FOCUS = "#leave"

    def __init__(self, bridge: Bridge, name: Username, alarm: str) -> None:
        super().__init__()
        self.heading = f"Is {name} still the same person?"
        self._bridge, self._name, self._alarm = bridge, name, alarm

    def compose_body(self) -> ComposeResult:
        yield Static(f"⚠ {self._alarm}", id="alarm-words", markup=False)
        yield Static(_WHAT_TO_DO, id="what-to-do", markup=False)
        yield Static("asking the directory…", id="codes", markup=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Go on with the new one", "agree", primary=True)
        yield self.button("Not yet", "leave")

    def on_mount(self) -> None:
        self.run_worker(self._look())

    async def _look(self) -> None:
        try:
            code = await self._bridge.people.safety_code(self._name)
        except Exception as error:
            self.query_one("#codes", Static).update("The new safety code is not to be had just now.")
            self._say(explain(error).text)
        else:
            self.query_one("#codes", Static).update(_compared(code))

    def action_agree(self) -> None:
        self.run_worker(self._acknowledge(), exclusive=True)

    async def _acknowledge(self) -> None:
        try:
            await self._bridge.acknowledge_alarm(self._name)
        except Exception as error:
            self._say(explain(error).text)
        else:
            self.dismiss(True)

    def _say(self, words: str) -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.add_class("failed")


def _compared(code: SafetyCode) -> Content:
    """The former code and the present one side by side."""
    now = rows(code.digits)
    before = rows(code.former_digits) if code.former_digits is not None else ["not known here"] + [""] * (len(now) - 1)
    lines = [Content.assemble((f"{'Before':<{_WIDTH}}", "$text-muted"), ("Now", "$text-muted"))]
    lines += [
        Content.assemble((f"{old:<{_WIDTH}}", "$text-muted"), (new, "bold $warning"))
        for old, new in zip(before, now, strict=True)
    ]
    return Content("\n").join(lines)
