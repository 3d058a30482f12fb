"""What a person does about the chat that is open: each action opens a dialog or asks the engine."""

from xirtam_core.chat import Chat
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import attempt
from xirtam_tui.screens.chat import arranging, details, parting
from xirtam_tui.screens.chat.account_sheets import AccountSheets
from xirtam_tui.screens.chat.arranging import Change


class OnChat(AccountSheets):
    """The actions on the open chat, in the registry's order."""

    async def action_group(self) -> None:
        chat = self.conversation.chat
        if self._bridge is not None and chat is not None and chat.group is not None:
            await details.show_details(self, self._bridge, chat, self._clock, self._keys)

    async def action_acknowledge(self) -> None:
        if self._bridge is not None:
            await details.show_alarm(self, self._bridge, self.conversation.chat)

    async def action_accept(self) -> None:
        bridge, chat = self._bridge, self.conversation.chat
        if bridge is not None and chat is not None:
            accepted = bridge.groups.accept(chat.id) if chat.peer is None else bridge.people.accept(chat.peer)
            await attempt(accepted, self)

    def action_block(self) -> None:
        bridge, chat = self._bridge, self.conversation.chat
        if bridge is not None and chat is not None and chat.peer is not None:
            self.run_worker(parting.block(self, bridge, chat.peer), group="people")

    def action_forget(self) -> None:
        bridge, chat = self._bridge, self.conversation.chat
        if bridge is None or chat is None:
            return
        if chat.group is not None:
            self.run_worker(parting.part_with(self, bridge, chat.group), group="people")
        elif chat.peer is not None:
            self.run_worker(parting.forget(self, bridge, chat.peer), group="people")

    def action_pin(self) -> None:
        self._arrange(arranging.toggle_pin)

    def action_mute(self) -> None:
        self._arrange(arranging.toggle_mute)

    def action_archive(self) -> None:
        self._arrange(arranging.toggle_archive)

    def _arrange(self, change: Change) -> None:
        if self._bridge is not None and self.conversation.chat is not None:
            self.run_worker(self._arranged(self._bridge, self.conversation.chat, change), group="arranging")

    async def _arranged(self, bridge: Bridge, chat: Chat, change: Change) -> None:
        if said := await change(bridge, chat, self):
            self.notify(said, timeout=3, markup=False)

    async def action_details(self) -> None:
        chat = self.conversation.chat
        if self._bridge is not None and chat is not None:
            await details.show_details(self, self._bridge, chat, self._clock, self._keys)
