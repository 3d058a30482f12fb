"""The devices of the account: which there are, and adding, naming, renewing and revoking them."""

from collections.abc import Awaitable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.types import CSSPathType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.devices import Device
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain
from xirtam_tui.moments import Clock
from xirtam_tui.running import running_app
from xirtam_tui.screens.devices.rows import name, row
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_LOOK_S = 3.0
_YEAR_S = 365 * 86_400


class DevicesSheet(Sheet[None]):
    """Lists the account's devices and does what a person wants of them."""

    heading = "Your devices"
    explanation = "Each reads and writes as you. Know them all; revoke one that you have lost or do not know."
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("devices.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", show=False),
        Binding("n", "rename", "Name", show=False),
        Binding("e", "renew", "Renew", show=False),
        Binding("x", "revoke", "Revoke", show=False),
        Binding("k", "rotate", "Rotate key", show=False),
        Binding("h", "share", "Share history", show=False),
    ]

    def __init__(self, bridge: Bridge, clock: Clock) -> None:
        super().__init__()
        self._bridge, self._clock = bridge, clock
        self._devices: list[Device] = []

    def compose_body(self) -> ComposeResult:
        yield OptionList(id="hits", compact=True)
        yield Static("n name · e renew for a year · x revoke · a add · k key · h share", id="rights", markup=False)
        yield Static("Looking…", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Add device", "add", primary=True)
        yield self.button("New key", "rotate")
        yield self.button("Share history", "share")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self.run_worker(self._first_look(), group="doing", exclusive=True)
        self.set_interval(_LOOK_S, self._look_for_joining)

    def _look_for_joining(self) -> None:
        """A device that was added joins by itself, and nobody tells of it."""
        if self.is_current and any(each.key_created_s is None and not each.is_revoked for each in self._devices):
            self.run_worker(self._look(), group="joining", exclusive=True)

    async def _first_look(self) -> None:
        if await self._look():
            self._say("")

    async def _look(self) -> bool:
        try:
            self._devices = await self._bridge.devices.devices()
        except Exception as error:
            self._say(explain(error).text, "failed")
            return False
        self._show_devices()
        return True

    def _show_devices(self) -> None:
        hits = self.query_one(OptionList)
        at = hits.highlighted
        hits.clear_options()
        hits.add_options(Option(row(each, self._clock()), id=each.id) for each in self._devices)
        if hits.option_count:
            hits.highlighted = min(at or 0, hits.option_count - 1)

    def _chosen(self) -> Device | None:
        option = self.query_one(OptionList).highlighted_option
        return next((each for each in self._devices if option is not None and each.id == option.id), None)

    # What a person does

    def action_add(self) -> None:
        self.run_worker(self._add(), group="doing", exclusive=True)

    async def _add(self) -> None:
        from xirtam_tui.screens.devices.pair import Pair

        added = await running_app(self).push_screen_wait(Pair(self._bridge))
        if added is not None:
            await self._look()
            self._say(f"{name(added)} is one of your devices, once it hears of it.", "good")

    def action_rename(self) -> None:
        if (device := self._chosen()) is not None:
            self.run_worker(self._rename(device), group="doing", exclusive=True)

    async def _rename(self, device: Device) -> None:
        from xirtam_tui.screens.ask.ask import Ask

        words = "Your devices see this name, and nobody else."
        question = Ask(
            "What do you call this device?", words, yes="Keep", value=device.label or "", placeholder="tablet"
        )
        chosen = await running_app(self).push_screen_wait(question)
        if chosen is not None:
            await self._try(self._bridge.devices.rename(device.id, chosen or None), "Kept.")

    def action_renew(self) -> None:
        if (device := self._chosen()) is not None:
            until_s = int(self._clock().timestamp()) + _YEAR_S
            self._say("Renewing…")
            work = self._bridge.devices.renew(device.id, until_s)
            self._do(work, f"{name(device)} has a certificate for a year, which it takes when it hears of it.")

    def action_rotate(self) -> None:
        self._say("Publishing a new key…")
        self._do(self._bridge.devices.rotate(), "A new key of this device is published.")

    def action_share(self) -> None:
        self._say("Giving your other devices the messages that this one has…")
        self.run_worker(self._share(), group="doing", exclusive=True)

    async def _share(self) -> None:
        try:
            count = await self._bridge.devices.share_history()
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            words = "1 message waits" if count == 1 else f"{count} messages wait"
            self._say(f"{words} for your other devices.", "good")

    def action_revoke(self) -> None:
        device = self._chosen()
        if device is not None and device.is_this:
            self._say("A device cannot revoke itself: do it on another one.", "failed")
        elif device is not None:
            self.run_worker(self._revoke(device), group="doing", exclusive=True)

    async def _revoke(self, device: Device) -> None:
        from xirtam_tui.screens.confirm.confirm import Confirm
        from xirtam_tui.screens.devices.revoked import Revoked

        words = f"It is for good. Its fingerprint is {device.fingerprint}. What it has read already, nobody can take from it."
        question = Confirm(f"Revoke {name(device)}?", words, yes="Revoke", no="Keep it")
        if not await running_app(self).push_screen_wait(question):
            return
        self._say("Revoking…")
        try:
            outcome = await self._bridge.devices.revoke(device.id)
        except Exception as error:
            self._say(explain(error).text, "failed")
            return
        self._say("")
        await self._look()
        await running_app(self).push_screen_wait(Revoked(name(device), outcome))

    def _do(self, work: Awaitable[None], done: str) -> None:
        self.run_worker(self._try(work, done), group="doing", exclusive=True)

    async def _try(self, work: Awaitable[None], done: str) -> None:
        try:
            await work
        except Exception as error:
            self._say(explain(error).text, "failed")
        else:
            if await self._look():
                self._say(done, "good")

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        for each in ("good", "failed"):
            answer.set_class(tone == each, each)
