"""Leaving the app: by a person, who is asked where something has not been sent, and where the terminal goes."""

from typing import Any

from xirtam_tui.bridge import Bridge
from xirtam_tui.colouring import Colouring
from xirtam_tui.failures import attempt
from xirtam_tui.hangup import has_hung_up, is_on_a_terminal, leave_in_peace, when_told_to_go
from xirtam_tui.screens.chat.chat import ChatScreen

_LOOK_S = 2.0
"""How often it is seen to that the terminal is still there."""


class Leaving(Colouring):
    """An app with an account open, or none: what is being written there is kept, and the account closed, however it is left."""

    def __init__(self) -> None:
        super().__init__()
        self._bridge: Bridge | None = None
        self._leaving = self._hung_up = False

    def run(self, **options: Any) -> None:
        """Runs it until it is left (Textual's `run`)."""
        super().run(**options)
        leave_in_peace()

    def _chats(self) -> ChatScreen | None:
        """The screen of the account that is open."""
        return next((screen for screen in self.screen_stack if isinstance(screen, ChatScreen)), None)

    async def action_quit(self) -> None:
        """Leaves, after keeping the draft; asks first when messages have not been sent."""
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._quit(), group="quit")

    async def _quit(self) -> None:
        await self._keep_draft()
        screen = self._chats()
        queued = screen.queued if screen is not None and self._bridge is not None else 0
        if queued and not await self._may_leave(queued):
            self._leaving = False
            return
        await self._close()
        self.exit()

    def _watch_terminal(self) -> None:
        """Leaves when the terminal goes, from now on."""
        if is_on_a_terminal() and not self.is_headless:
            self.set_interval(_LOOK_S, self._look_at_terminal)
            when_told_to_go(self.hang_up)

    def _look_at_terminal(self) -> None:
        """Textual would read a closed terminal for ever."""
        if has_hung_up():
            self.hang_up()

    def hang_up(self) -> None:
        """Leaves without a question, whatever has not been sent: there is nobody left to ask. What is being written is kept."""
        if not self._hung_up:
            self._leaving = self._hung_up = True
            self.run_worker(self._leave_alone(), group="quit", exclusive=True)

    async def _leave_alone(self) -> None:
        await self._keep_draft()
        await self._close()
        self.exit()

    async def _keep_draft(self) -> None:
        screen = self._chats()
        if screen is not None and self._bridge is not None:
            await screen.conversation.keep_draft()

    async def _may_leave(self, queued: int) -> bool:
        from xirtam_tui.screens.confirm.confirm import Confirm

        count = "1 message has" if queued == 1 else f"{queued} messages have"
        question = Confirm(
            f"{count} not been sent yet",
            "Nothing is lost: what is queued stays on this machine, and goes out when xirtam next runs and reaches your server.",
            yes="Quit",
            no="Stay",
            is_harmless=True,
        )
        return bool(await self.push_screen_wait(question))

    async def _close(self) -> None:
        if self._bridge is not None:
            await attempt(self._bridge.close(), self)
