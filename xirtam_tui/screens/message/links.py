"""Choosing one of the links in a message."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from xirtam_tui.screens.sheet.sheet import Sheet


class Links(Sheet[str]):
    """Gives the address that was chosen."""

    heading = "Which link?"
    explanation = "Read the address before you open it: the one who wrote the message chose it."

    def __init__(self, addresses: Sequence[str]) -> None:
        super().__init__()
        self._addresses = list(dict.fromkeys(addresses))

    def compose_body(self) -> ComposeResult:
        yield OptionList(*(Option(Content(address)) for address in self._addresses), id="links", compact=True)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Open", "open_link", primary=True)
        yield self.button("Cancel", "leave")

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_selected(self) -> None:
        self.action_open_link()

    def action_open_link(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.dismiss(self._addresses[at])
