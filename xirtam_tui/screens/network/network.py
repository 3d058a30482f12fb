"""How the network is: connection, home server, directory, and the proof where the directory has lied."""

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from xirtam_core.chat import Evidence, Finding, Status
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.moments import span
from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.widgets.facts.facts import Fact, Facts

_LABEL = 15
_LATEST = datetime.max.replace(tzinfo=UTC).timestamp() - 86_400


class NetworkSheet(Sheet[None]):
    """Shows the account's standing at once, and how each part of the network answers as soon as it has."""

    heading = "How the network is"
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("network.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "check", "Check again", show=False),
        Binding("p", "copy", "Copy the proof", show=False),
        Binding("s", "seen", "I have seen this", show=False),
    ]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._evidence: list[Evidence] = []
        self._has_alarm = False

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="facts"):
            yield Static("", id="alarm-words", markup=False)
            yield Facts(_LABEL, id="status")
            yield Facts(_LABEL, id="findings")
            yield Static("", id="evidence", markup=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Check again", "check", primary=True)
        yield self.button("Copy the proof", "copy")
        yield self.button("I have seen this", "seen")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        for button in ("#copy", "#seen"):
            self.query_one(button).display = False
        self.action_check()

    def action_check(self) -> None:
        self.run_worker(self._check(), group="check", exclusive=True)

    async def _check(self) -> None:
        self.query_one("#findings", Facts).show([("asking", "each part in turn, which takes up to half a minute…")])
        try:
            await self._look()
            found = await self._bridge.trust.check_network()
            await self._look()
        except Exception as error:
            self.query_one("#findings", Facts).show([])
            self._say(explain(error).text, "failed")
        else:
            self._say("")
            self.query_one("#findings", Facts).show(_finding(each) for each in found)

    async def _look(self) -> None:
        status = await self._bridge.status()
        self._evidence = await self._bridge.trust.evidence()
        self._has_alarm = status.alarm is not None
        self.query_one("#status", Facts).show(_standing(status))
        alarm = self.query_one("#alarm-words", Static)
        alarm.update(f"⚠ {status.alarm}" if status.alarm else "")
        alarm.display = self._has_alarm
        evidence = self.query_one("#evidence", Static)
        evidence.update(_proof(self._evidence))
        evidence.display = self.query_one("#copy").display = bool(self._evidence)
        self.query_one("#seen").display = self._has_alarm

    def action_copy(self) -> None:
        if self._evidence:
            running_app(self).copy_to_clipboard("\n".join(each.proof for each in self._evidence))
            self._say(
                "The proof is copied, as far as your terminal allows it. Give it to whoever runs the network.", "good"
            )

    def action_seen(self) -> None:
        if self._has_alarm:
            self.run_worker(self._acknowledge(), group="seen", exclusive=True)

    async def _acknowledge(self) -> None:
        try:
            await self._bridge.acknowledge_alarm(None)
            await self._look()
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._say("The alarm is put away. The proof is kept.", "good")

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        for name in ("good", "failed"):
            answer.set_class(tone == name, name)


def _standing(status: Status) -> list[Fact]:
    anchor = "nothing seen yet"
    if status.anchor_height is not None:
        age = "" if status.anchor_age_s is None else f", seen {span(status.anchor_age_s)} ago"
        anchor = f"its log holds up to height {status.anchor_height}{age}"
    key = "none published" if status.medium_key_age_s is None else f"{span(status.medium_key_age_s)} old"
    facts: list[Fact] = [
        (
            "connection",
            f"{status.server} · {status.connection.value}" + (f" · {status.detail}" if status.detail else ""),
        ),
        ("directory", anchor),
        ("queues", f"{status.queued} to send · {status.waiting} not readable yet · {status.rejected} rejected"),
        ("this key", key),
    ]
    if status.certificate:
        facts.append(("certificate", status.certificate))
    if status.proxied:
        facts.append(("by proxy", ", ".join(status.proxied)))
    if status.storage:
        facts.append(("disk", status.storage))
    return facts


def _finding(finding: Finding) -> Fact:
    mark = ("✓ ", "$success") if finding.is_fine else ("✗ ", "$error")
    advice = (f"\n{finding.advice}", "$text-muted") if finding.advice else ""
    return Content.assemble(mark, (finding.what, "bold")), Content.assemble(finding.words, advice)


def _proof(evidence: list[Evidence]) -> Content:
    """What was found against the directory, the newest first."""
    rows = [
        Content.assemble(
            (f"{datetime.fromtimestamp(min(max(each.found_s, 0), _LATEST), UTC):%Y-%m-%d %H:%M}  ", "$text-muted"),
            (each.source, "bold"),
            f"\n  {each.summary}",
        )
        for each in reversed(evidence)
    ]
    return Content("\n").join([Content.styled("Proof that the directory lied", "bold $error"), *rows])
