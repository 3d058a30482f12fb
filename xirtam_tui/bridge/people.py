"""What is asked of the engine about people."""

from xirtam_core.names import Username
from xirtam_tui.bridge.engine import Engine


class People:
    """Who may write to the account."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def accept(self, name: Username) -> None:
        """Makes somebody who asked to write, or was blocked, a contact."""
        await self._engine.people.accept(name)

    async def block(self, name: Username) -> None:
        """Keeps nothing that somebody writes from now on."""
        await self._engine.people.block(name)

    async def forget(self, name: Username) -> None:
        """Deletes the chat with somebody, and what is known of them, here only."""
        await self._engine.people.forget(name)
