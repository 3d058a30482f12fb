"""How a person left the app's screen, to be found so again: folded sections of an account's list, its width, hidden details.

That is no setting, so not in their file but in `view.json` beside it. What is wrong there or cannot be written is no reason to
bother anybody.
"""

import contextlib
import os
from pathlib import Path

import msgspec

FILE = "view.json"
_LONGEST = 1 << 16


class View(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one account's screen was left; `folded` and `list_width` are None where nobody has touched them."""

    folded: tuple[str, ...] | None = None
    list_width: int | None = None
    hides_details: bool = False


def view(data_dir: Path, account: str) -> View:
    """How `account`'s screen was left."""
    return _read(data_dir).get(account, View())


def change(data_dir: Path, account: str, **changes: object) -> None:
    """Keeps what has changed of `account`'s view, beside the rest of it and what other accounts have."""
    views = _read(data_dir)
    views[account] = msgspec.structs.replace(views.get(account, View()), **changes)
    unfinished = data_dir / f".{FILE}.{os.getpid()}"
    with contextlib.suppress(OSError):
        data_dir.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(msgspec.json.encode(views))
        unfinished.replace(data_dir / FILE)


def _read(data_dir: Path) -> dict[str, View]:
    try:
        with (data_dir / FILE).open("rb") as file:
            return msgspec.json.decode(file.read(_LONGEST), type=dict[str, View])
    except (OSError, msgspec.DecodeError):
        return {}
