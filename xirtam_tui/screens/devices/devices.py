"""The devices of the account: which there are, and adding, naming, renewing and revoking them."""

from collections.abc import Awaitable, Callable
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
from xirtam_tui.screens.devices.revoking import Revoke, Revoked, why_not
from xirtam_tui.screens.devices.rows import facts, name, row
from xirtam_tui.screens.sheet.one_thing import OneThing
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.widgets.button_rows import ButtonRows
from xirtam_tui.widgets.facts import Facts

_LOOK_S = 3.0
_YEAR_S = 365 * 86_400
_LABEL = 13
_ON_DEVICE = (("Name n", "rename"), ("Renew e", "renew"), ("Revoke x", "revoke"), ("New key k", "rotate"))


class DevicesSheet(Sheet[None]):
    """Lists the account's devices and does what a person wants of the chosen one. What has begun goes on whatever is pressed."""

    heading = "Your devices"
    explanation = "Each reads and writes as you. Revoke one that is lost or unknown."
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("devices.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", show=False),
        Binding("n", "rename", "Name", show=False),
        Binding("e", "renew", "Renew", show=False),
        Binding("x", "revoke", "Revoke", show=False),
        Binding("k", "rotate", "Rotate key", show=False),
        Binding("h", "share", "Share history", show=False),
        Binding("o", "owners", "Who owns the name", show=False),
        Binding("b", "back_up", "Back up", show=False),
    ]

    def __init__(self, bridge: Bridge, clock: Clock) -> None:
        super().__init__()
        self._bridge, self._clock = bridge, clock
        self._devices: list[Device] = []
        self._begun = OneThing(self, self.heading, self._say)

    def compose_body(self) -> ComposeResult:
        yield OptionList(id="hits", compact=True)
        yield Facts(_LABEL, id="facts")
        with ButtonRows(id="on-device"):
            for label, action in _ON_DEVICE:
                yield self.button(label, action)
            yield self.button("Share history h", "share")
        yield Static("Looking…", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Add device a", "add", primary=True)
        yield self.button("Name's owners o", "owners")
        yield self.button("Back up b", "back_up")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._show_chosen()
        self.run_worker(self._first_look(), group="looking")
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
            self._begun.tell(explain(error).text, "failed")
            return False
        if self._begun.is_shown:
            self._show_devices()
        return True

    def _show_devices(self) -> None:
        hits = self.query_one(OptionList)
        chosen = self._chosen()
        hits.clear_options()
        hits.add_options(Option(row(each, self._clock()), id=each.id) for each in self._devices)
        if self._devices:
            ids = [each.id for each in self._devices]
            hits.highlighted = ids.index(chosen.id) if chosen is not None and chosen.id in ids else 0
        self._show_chosen()

    def on_option_list_option_highlighted(self) -> None:
        self._show_chosen()

    def _show_chosen(self) -> None:
        device, known = self._chosen(), {each.id: each for each in self._devices}
        self.query_one(Facts).show(() if device is None else facts(device, known, self._clock()))
        self.query_one("#on-device").display = device is not None

    def _chosen(self) -> Device | None:
        option = self.query_one(OptionList).highlighted_option
        return next((each for each in self._devices if option is not None and each.id == option.id), None)

    # What a person does

    def action_add(self) -> None:
        self._begun.begin(self._add)

    async def _add(self) -> None:
        from xirtam_tui.screens.devices.pair import Pair

        added = await running_app(self).push_screen_wait(Pair(self._bridge))
        if added is not None:
            await self._look()
            self._begun.tell(f"{name(added)} is one of your devices, once it hears of it.", "good")

    def action_rename(self) -> None:
        if (device := self._chosen()) is not None:
            self._begun.begin(lambda: self._rename(device))

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
        if (device := self._chosen()) is None:
            return
        if device.is_this and not device.is_root:
            self._say("A device cannot renew itself: do it on another device of yours.", "failed")
        elif device.expires_s is None:
            self._say("Its certificate never expires: there is nothing to renew.")
        else:
            until_s = int(self._clock().timestamp()) + _YEAR_S
            done = f"{name(device)} has a certificate for a year, which it takes when it hears of it."
            self._do("Renewing…", lambda: self._bridge.devices.renew(device.id, until_s), done)

    def action_rotate(self) -> None:
        self._do("Publishing a new key…", self._bridge.devices.rotate, "A new key of this device is published.")

    def action_share(self) -> None:
        self._begun.begin(self._share)

    async def _share(self) -> None:
        self._begun.tell("Giving your other devices the messages that this one has…")
        try:
            count = await self._bridge.devices.share_history()
        except Exception as error:
            self._begun.tell(explain(error).text, "failed")
        else:
            words = "1 message waits" if count == 1 else f"{count} messages wait"
            self._begun.tell(f"{words} for your other devices.", "good")

    def action_revoke(self) -> None:
        device = self._chosen()
        if device is None:
            return
        if obstacle := why_not(device):
            self._say(obstacle, "" if device.is_revoked else "failed")
        else:
            self._begun.begin(lambda: self._revoke(device))

    async def _revoke(self, device: Device) -> None:
        app = running_app(self)
        self._begun.tell("Looking at what that would do…")
        try:
            expected = await self._bridge.devices.explain_revocation(device.id)
            self._begun.tell("")
            if not self._begun.is_shown or not await app.push_screen_wait(Revoke(device, expected)):
                return
            self._begun.tell("Revoking…")
            outcome = await self._bridge.devices.revoke(device.id)
        except Exception as error:
            self._begun.tell(explain(error).text, "failed")
            return
        self._begun.tell("")
        await self._look()
        await app.push_screen_wait(Revoked(device, outcome))

    async def action_owners(self) -> None:
        from xirtam_tui.screens.owners.owners import OwnersSheet

        await running_app(self).push_screen(OwnersSheet(self._bridge))

    async def action_back_up(self) -> None:
        from xirtam_tui.screens.backup.backup import BackupSheet

        await running_app(self).push_screen(BackupSheet(self._bridge, self._clock))

    def _do(self, doing: str, work: Callable[[], Awaitable[None]], done: str) -> None:
        async def do() -> None:
            self._begun.tell(doing)
            await self._try(work(), done)

        self._begun.begin(do)

    async def _try(self, work: Awaitable[None], done: str) -> None:
        try:
            await work
        except Exception as error:
            self._begun.tell(explain(error).text, "failed")
        else:
            if await self._look():
                self._begun.tell(done, "good")

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        for each in ("good", "failed"):
            answer.set_class(tone == each, each)
