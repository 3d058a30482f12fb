"""An account's settings in its database: each that was ever changed, as JSON under its name."""

import contextlib
from typing import Any

import msgspec

from xirtam_core.settings import Settings
from xirtam_core.storage.database import Database

_FIELDS = {field.name: field for field in msgspec.structs.fields(Settings)}


def load(database: Database) -> Settings:
    """The settings as they are; one that was never changed, or that this version cannot read, has its default."""
    found: dict[str, Any] = {}
    for name, value in database.rows("SELECT name, value FROM settings"):
        field = _FIELDS.get(name)
        if field is not None:
            with contextlib.suppress(msgspec.MsgspecError):
                found[name] = msgspec.json.decode(value, type=field.type)
    return Settings(**found)
