"""The account's settings: what `xirtam_core.faces.preferences` declares, as the engine does it."""

import msgspec

from xirtam_core.errors import Malformed
from xirtam_core.settings import Settings
from xirtam_core.storage import settings as stored
from xirtam_core.storage.database import Database


class Preferences:
    """What the owner of an account has chosen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def settings(self) -> Settings:
        """See the face."""
        return stored.load(self._database)

    def change(self, settings: Settings) -> Settings:
        """See the face; raises `Malformed` for a value of another type than the setting's."""
        try:
            checked = msgspec.convert(msgspec.structs.asdict(settings), Settings)
        except msgspec.ValidationError as fault:
            raise Malformed(f"that is no value for a setting: {fault}") from None
        with self._database.transaction():
            stored.store(self._database, checked)
        return checked
