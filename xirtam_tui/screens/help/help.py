"""Every key and what it does, from the action registry."""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from xirtam_tui.actions import Scope, actions, key_label
from xirtam_tui.keymap import Keymap
from xirtam_tui.screens.sheet.sheet import Sheet

_KEYS = 18


class Help(Sheet[None]):
    """The list of actions by where they work."""

    heading = "What you can do, and with which keys"

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keys = keymap

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="actions"):
            yield Static(Content("\n").join(self._lines()))

    def _lines(self) -> Iterator[Content]:
        for scope in Scope:
            yield Content.styled(scope.value, "bold $accent")
            for action in actions(scope):
                keys = " ".join(key_label(key) for key in self._keys.keys[action.id][:2])
                yield Content.assemble((f"  {keys:<{_KEYS}}", "bold"), (action.help, "$text-muted"))
            yield Content("")
