"""Choosing one of several accounts of this machine."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from xirtam_core.names import Username
from xirtam_tui.screens.sheet.sheet import Sheet


class Accounts(Sheet[Username]):
    """Gives the account to open; None to make a new one."""

    heading = "Open an account"

    def __init__(self, accounts: Sequence[Username]) -> None:
        super().__init__()
        self._accounts = accounts

    def compose_body(self) -> ComposeResult:
        yield OptionList(*(Option(str(account)) for account in self._accounts), id="hits", compact=True)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Open", "open_account", primary=True)
        yield self.button("New account", "leave")

    def on_option_list_option_selected(self) -> None:
        self.action_open_account()

    def action_open_account(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.dismiss(self._accounts[at])
