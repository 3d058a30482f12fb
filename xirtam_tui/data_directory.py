"""Where state and the log live when nobody says otherwise. Light to import: the app's start uses it."""

import os
from pathlib import Path

ENVIRONMENT = "XIRTAM_DATA_DIR"


def data_directory(chosen: str | Path | None) -> Path:
    """The data directory: the one chosen, else that of the environment, else the platform's own place; absolute."""
    if chosen or (chosen := os.environ.get(ENVIRONMENT)):
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("xirtam", appauthor=False)


def log_directory(data_dir: Path) -> Path:
    """Where the log of the app on `data_dir` is: the platform's place for logs, or inside a data directory that somebody chose."""
    from platformdirs import user_data_path, user_log_path

    is_usual = data_dir == user_data_path("xirtam", appauthor=False)
    return user_log_path("xirtam", appauthor=False) if is_usual else data_dir / "logs"
