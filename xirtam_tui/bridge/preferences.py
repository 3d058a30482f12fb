"""What is asked of the engine about the account's settings, and about where its chats stand in the list."""

from xirtam_core.chat import Chat
from xirtam_core.settings import Settings
from xirtam_tui.bridge.engine import Engine
from xirtam_tui.bridge.safe import safe_chat


class Preferences:
    """What the account's owner has chosen; kept with the account, not with the app."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def settings(self) -> Settings:
        """All settings of the account."""
        return await self._engine.preferences.settings()

    async def change(self, settings: Settings) -> Settings:
        """Keeps and follows these from now on."""
        return await self._engine.preferences.change(settings)

    async def arrange(
        self, chat: str, *, pinned: bool | None = None, muted: bool | None = None, archived: bool | None = None
    ) -> Chat:
        """Pins, mutes or archives a chat, or not, and gives it as it is then; the change comes with the next batch too."""
        return safe_chat(await self._engine.arrange(chat, pinned=pinned, muted=muted, archived=archived))
