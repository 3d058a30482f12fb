"""Looking at a file in a person's own pager or editor."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from textual.app import App, SuspendNotSupported

from xirtam_core.errors import XirtamError

_USUAL = ("less", "more", "nano", "vi")


class PagerFailed(XirtamError):
    """There is no pager, or it cannot be started."""


def look_at(app: App[object], files: list[Path]) -> None:
    """Shows files in the program that PAGER, VISUAL or EDITOR names; the app is off the screen meanwhile. Raises `PagerFailed`."""
    named = (os.environ.get(name) for name in ("PAGER", "VISUAL", "EDITOR"))
    chosen = next(filter(None, named), None) or next(filter(shutil.which, _USUAL), "")
    try:
        command = shlex.split(chosen)
    except ValueError:
        command = []
    if not command:
        raise PagerFailed("no program to read it with is known here; set PAGER, such as to less")
    try:
        with app.suspend():
            subprocess.run([*command, *map(str, files)], check=False)  # noqa: S603 # the person's own choice
    except SuspendNotSupported:
        raise PagerFailed("this terminal cannot be lent to another program") from None
    except OSError as error:
        raise PagerFailed(f"{command[0]} cannot be started ({error.strerror}); set PAGER to another") from None
    app.refresh(layout=True)
