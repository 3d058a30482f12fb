"""Where state lives when nobody says otherwise. Light to import: the app's start uses it."""

import os
from pathlib import Path

ENVIRONMENT = "XIRTAM_DATA_DIR"


def data_directory(chosen: str | Path | None) -> Path:
    """The data directory: the one chosen, else that of the environment, else the platform's own place; absolute."""
    if chosen or (chosen := os.environ.get(ENVIRONMENT)):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("xirtam", appauthor=False)
