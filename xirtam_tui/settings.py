"""What the app remembers about itself between starts, in one small JSON file. Losing it loses only the choice of theme."""

from pathlib import Path

import msgspec

_FILE = "app.json"


class Settings(msgspec.Struct, kw_only=True):
    """The app's own choices."""

    theme: str = "xirtam-dark"


def load(data_dir: Path) -> Settings:
    """The settings in `data_dir`; the defaults where there are none, or none that can be read."""
    try:
        return msgspec.json.decode((data_dir / _FILE).read_bytes(), type=Settings)
    except (OSError, msgspec.MsgspecError):
        return Settings()


def save(data_dir: Path, settings: Settings) -> None:
    """Writes the settings; a place that cannot be written to is no reason to bother anybody."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        (data_dir / _FILE).write_bytes(msgspec.json.encode(settings))
    except OSError:
        return
