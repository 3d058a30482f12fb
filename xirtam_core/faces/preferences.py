"""The account's settings."""

from xirtam_core.faces.face import Face, repeatable
from xirtam_core.settings import Settings


class Preferences(Face):
    """What the owner of an account has chosen."""

    part = "preferences"

    @repeatable
    async def settings(self) -> Settings:
        """All settings as they are."""
        ...

    @repeatable
    async def change(self, settings: Settings) -> Settings:
        """Keeps and follows these settings from now on."""
        ...
