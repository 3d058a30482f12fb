"""What revoking a device would do, before anything is done, and what it has done: an honest account of both."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.types import CSSPathType

from xirtam_core.devices import Device, Revocation
from xirtam_tui.screens.devices.rows import name
from xirtam_tui.screens.sheet.sentences import listed
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_STYLE = [STYLE, str(Path(__file__).with_name("devices.tcss"))]
_SCROLLING: list[BindingType] = [
    Binding("up", "scroll(-1)", "Up", show=False),
    Binding("down", "scroll(1)", "Down", show=False),
    Binding("pageup", "scroll(-8)", "Page up", show=False),
    Binding("pagedown", "scroll(8)", "Page down", show=False),
]
_NEW_ROOT = (
    "If somebody else may open it, only a new root helps: on another machine, choose “Recover with a recovery key” on the first "
    "screen."
)


def why_not(device: Device) -> str:
    """Why a device cannot be revoked at all, and what helps instead; nothing where it can be."""
    if device.is_revoked:
        return "It is revoked already. Whether its key owns your name, the name's owners say (o)."
    if device.is_this and device.is_root:
        return f"You are on this device, which is the first: none can revoke it. {_NEW_ROOT}"
    if device.is_this:
        return "You are on this device, and none can revoke itself. Revoke it on another device of yours."
    if device.is_root:
        return f"The first device certifies all others, and none can revoke it. {_NEW_ROOT}"
    return ""


class Revoke(Sheet[bool]):
    """Asks whether a device is to be revoked, and says before what that would do. True where it is."""

    CSS_PATH: ClassVar[CSSPathType | None] = _STYLE  # pyright: ignore[reportAssignmentType] - a list of strings is one
    BINDINGS: ClassVar[list[BindingType]] = [
        *_SCROLLING,
        Binding("y", "agree", "Yes", show=False),
        Binding("n", "leave", "No", show=False),
    ]

    def __init__(self, device: Device, outcome: Revocation) -> None:
        super().__init__()
        self.heading = f"Revoke {name(device)}? It is for good."
        self.explanation = device.fingerprint
        self._outcome = outcome

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="account", can_focus=False):
            yield from listed("What would be done", self._outcome.done, "✓", "$success")
            yield from listed("What nobody can do", self._outcome.not_done, "✗", "$error")
            yield from listed("What you would have to do", self._outcome.next_steps, "→", "$warning")

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Keep it", "leave", primary=True)
        yield self.button("Revoke", "agree")

    def action_agree(self) -> None:
        self.dismiss(True)

    def action_scroll(self, rows: int) -> None:
        self.query_one("#account").scroll_relative(y=rows, animate=False)


class Revoked(Sheet[None]):
    """What was done, what nobody can do, and what is left."""

    CSS_PATH: ClassVar[CSSPathType | None] = _STYLE  # pyright: ignore[reportAssignmentType] - a list of strings is one
    BINDINGS: ClassVar[list[BindingType]] = [*_SCROLLING, Binding("enter", "leave", "Close", show=False)]

    def __init__(self, device: Device, outcome: Revocation) -> None:
        super().__init__()
        self.heading = f"Revoked: {name(device)}"
        self._outcome = outcome

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="account", can_focus=False):
            yield from listed("What is left to do", self._outcome.next_steps, "→", "$warning")
            yield from listed("What was done", self._outcome.done, "✓", "$success")
            yield from listed("What nobody can do", self._outcome.not_done, "✗", "$error")

    def action_scroll(self, rows: int) -> None:
        self.query_one("#account").scroll_relative(y=rows, animate=False)
