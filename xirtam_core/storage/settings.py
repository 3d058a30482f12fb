"""An account's settings: each as JSON under its name, so that a version passes over what another one added."""

from typing import Any

import msgspec

from xirtam_core.settings import Settings
from xirtam_core.storage.database import Database


def load(database: Database) -> Settings:
    """All settings; what was never chosen, or makes no sense to this version, is as by default."""
    stored: dict[str, str] = dict(database.rows("SELECT name, value FROM settings"))
    chosen: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        if field.name in stored:
            try:
                chosen[field.name] = msgspec.json.decode(stored[field.name], type=field.type)
            except msgspec.MsgspecError:
                continue
    return Settings(**chosen)


def store(database: Database, settings: Settings) -> None:
    """Keeps all settings."""
    values = {name: msgspec.json.encode(value).decode() for name, value in msgspec.structs.asdict(settings).items()}
    database.execute_many("INSERT OR REPLACE INTO settings VALUES (?, ?)", values.items())
