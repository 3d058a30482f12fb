"""How a person left the app's screen, to be found so again: which sections of an account's list are folded.

That is no setting, so not in their file but in `view.json` beside it. What is wrong there or cannot be written is no reason to
bother anybody.
"""

import contextlib
import os
from collections.abc import Collection
from pathlib import Path

import msgspec

FILE = "view.json"
_LONGEST = 1 << 16
_Views = dict[str, dict[str, list[str]]]


def folded(data_dir: Path, account: str) -> frozenset[str] | None:
    """The sections that `account` has folded; None where that was never kept."""
    sections = _read(data_dir).get(account, {}).get("folded")
    return None if sections is None else frozenset(sections)


def keep_folded(data_dir: Path, account: str, sections: Collection[str]) -> None:
    """Keeps which sections `account` has folded, beside what other accounts have."""
    views = _read(data_dir)
    views.setdefault(account, {})["folded"] = sorted(sections)
    unfinished = data_dir / f".{FILE}.{os.getpid()}"
    with contextlib.suppress(OSError):
        data_dir.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(msgspec.json.encode(views))
        unfinished.replace(data_dir / FILE)


def _read(data_dir: Path) -> _Views:
    try:
        with (data_dir / FILE).open("rb") as file:
            return msgspec.json.decode(file.read(_LONGEST), type=_Views)
    except (OSError, msgspec.DecodeError):
        return {}
