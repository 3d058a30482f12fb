"""The chat screen's actions on the account itself, each of which opens a sheet."""

from xirtam_tui.screens.chat import details
from xirtam_tui.screens.chat.panes import Panes
from xirtam_tui.screens.home.status import show_home


class AccountSheets(Panes):
    """What is done about the account; nothing before it is open."""

    async def action_devices(self) -> None:
        if self._bridge is not None:
            await details.show_devices(self, self._bridge, self._clock)

    async def action_owners(self) -> None:
        if self._bridge is not None:
            await details.show_owners(self, self._bridge)

    async def action_recovery_key(self) -> None:
        if self._bridge is not None:
            await details.show_recovery_key(self, self._bridge)

    async def action_back_up(self) -> None:
        if self._bridge is not None:
            await details.show_backup(self, self._bridge, self._clock)

    async def action_network(self) -> None:
        if self._bridge is not None:
            await details.show_network(self, self._bridge)

    async def action_move(self, server: str = "") -> None:
        if self._bridge is not None:
            await show_home(self, self._bridge, self._clock, server)

    async def action_profile(self) -> None:
        if self._bridge is not None:
            await details.show_profile(self, self._bridge)
