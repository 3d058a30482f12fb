"""Adding a device: its code, the fingerprint to compare, then the pairing itself, which can be cancelled."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Button, Input, Static

from xirtam_core.devices import Device, PairingRequest
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_LONGEST_CODE = 4096
_LONGEST_LABEL = 64


class Pair(Sheet[Device]):
    """Gives the device that was added. Nothing is done before a person has said that the fingerprints are the same."""

    heading = "Add a device"
    explanation = (
        "On the new device, start xirtam and choose “Add this device”. Type or paste here the code that it shows. "
        "It becomes you: add no device that you do not hold in your hands."
    )
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("devices.tcss"))]

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._request: PairingRequest | None = None
        self._is_pairing = False

    def compose_body(self) -> ComposeResult:
        yield Input(
            placeholder="xirtam:pair:…", compact=True, id="code", max_length=_LONGEST_CODE, select_on_focus=False
        )
        yield Static("", id="fingerprint", markup=False)
        yield Input(placeholder="what to call it, such as tablet", compact=True, id="label", max_length=_LONGEST_LABEL)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Go on", "pair", primary=True)
        yield self.button("Add without history", "pair_bare")
        yield self.button("Cancel", "leave")

    def on_mount(self) -> None:
        self.query_one("#pair").refresh(layout=True)
        self.query_one("#pair_bare").display = False

    @on(Input.Changed, "#code")
    def _code_changed(self, event: Input.Changed) -> None:
        self._request = None
        self._show_request()
        if event.value.strip():
            self.run_worker(self._read(event.value.strip()), group="read", exclusive=True)

    async def _read(self, code: str) -> None:
        try:
            self._request = await self._bridge.devices.read_pairing(code)
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            self._show_request()

    def _show_request(self) -> None:
        request = self._request
        self._say("")
        words = Content("")
        if request is not None:
            ask = f"A device wants to be one of {request.account}. Its screen must show this fingerprint:"
            words = Content.assemble((ask, "$text-muted"), "\n\n  ", (request.fingerprint, "bold $accent"))
        self.query_one("#fingerprint", Static).update(words)
        for field in ("#fingerprint", "#label"):
            self.query_one(field).set_class(request is not None, "found")
        button = self.query_one("#pair", Button)
        button.label = "Same: add it" if request is not None else "Go on"
        button.refresh(layout=True)
        self.query_one("#pair_bare").display = request is not None

    @on(Input.Submitted, "#code")
    def _code_done(self) -> None:
        if self._request is not None:
            self.query_one("#label").focus()

    @on(Input.Submitted, "#label")
    def _label_done(self) -> None:
        self.query_one("#pair").focus()

    def action_pair(self) -> None:
        self._begin(with_history=True)

    def action_pair_bare(self) -> None:
        self._begin(with_history=False)

    def _begin(self, *, with_history: bool) -> None:
        if self._request is None:
            self._say("Type or paste the code that the new device shows.", "failed")
            self.query_one("#code").focus()
        elif not self._is_pairing:
            self._is_pairing = True
            self._say("Adding it, and giving it the older messages…" if with_history else "Adding it…")
            self.run_worker(self._pair(with_history), group="pair", exclusive=True)

    async def _pair(self, with_history: bool) -> None:
        code, label = self.query_one("#code", Input).value.strip(), self.query_one("#label", Input).value.strip()
        try:
            device = await self._bridge.devices.pair(code, label=label or None, with_history=with_history)
        except Exception as error:
            self._say(f"{explain(error).text} The same code can be tried again.", "failed")
        else:
            self.dismiss(device)
        finally:
            self._is_pairing = False

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(tone == "failed", "failed")
