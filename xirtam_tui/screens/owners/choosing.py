"""Choosing the device that is to own the name too."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from xirtam_core.devices import Device
from xirtam_tui.screens.devices.rows import name
from xirtam_tui.screens.sheet.sheet import Sheet


class ChooseDevice(Sheet[Device]):
    """Gives one of `devices`."""

    heading = "Which device is to own your name too?"
    explanation = "It can do all that this one can: move the account, and take the name from you. Choose none that leaves the house."

    def __init__(self, devices: Sequence[Device]) -> None:
        super().__init__()
        self._devices = devices

    def compose_body(self) -> ComposeResult:
        rows = (
            Content.assemble((name(each), "bold"), (f"  {each.fingerprint}", "$text-muted")) for each in self._devices
        )
        yield OptionList(*(Option(each) for each in rows), id="hits", compact=True)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Make it an owner", "choose", primary=True)
        yield self.button("Cancel", "leave")

    def on_option_list_option_selected(self) -> None:
        self.action_choose()

    def action_choose(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.dismiss(self._devices[at])
