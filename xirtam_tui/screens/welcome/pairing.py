"""This machine's pairing code, to be typed or scanned on a device of the account, while the answer is waited for."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static

from xirtam_core.devices import PairingOffer
from xirtam_tui.running import running_app
from xirtam_tui.widgets.qr import Qr


class PairingPanel(Vertical):
    """Shows a `PairingOffer` once there is one."""

    _code = ""

    def compose(self) -> ComposeResult:
        yield Static("", classes="label", markup=False)
        yield Static("", classes="code", markup=False)
        yield Static("Both screens must show this fingerprint:", classes="same", markup=False)
        yield Static("", classes="fingerprint", markup=False)
        with Horizontal(classes="row"):
            yield Button("Cancel", classes="cancel", compact=True, action="screen.cancel")
            yield Button("Copy the code", classes="copy", compact=True)
        yield Qr()

    def begin(self, name: str) -> None:
        """Starts over, for `name`."""
        self._code = ""
        self.query_one(".label", Static).update(f"Asking the network about {name}…")
        for part in (".code", ".same", ".fingerprint", ".copy", "Qr"):
            self.query_one(part).display = False
        self.call_after_refresh(self.query_one(".cancel", Button).focus)

    def show(self, offer: PairingOffer) -> None:
        """Shows the code. It stays the same until the device is in, also after a restart."""
        self._code = offer.code
        words = f"On a device of {offer.account}: “Your devices”, “Add device”, then this code. Waiting for that…"
        self.query_one(".label", Static).update(words)
        self.query_one(".code", Static).update(offer.code)
        self.query_one(".fingerprint", Static).update(offer.fingerprint)
        self.query_one(Qr).show(offer.code)
        for part in (".code", ".same", ".fingerprint", ".copy", "Qr"):
            self.query_one(part).display = True

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.has_class("copy"):
            running_app(self).copy_to_clipboard(self._code)
            running_app(self).notify("The code is copied, as far as your terminal allows it.", markup=False)
