"""Writing in one's own editor. For as long, the text is in a file that only its owner can read, in memory where it can be."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from xirtam_core.errors import XirtamError
from xirtam_tui import text

_USUAL = ("nano", "vi", "notepad")


class EditorFailed(XirtamError):
    """The editor cannot be started, or ended with a failure."""


def edited(app: App[object], written: str) -> str:
    """What an editor makes of `written`. The app is off the screen meanwhile; raises `EditorFailed`.

    Waits in the app's own loop: it could paint over the editor. What arrives meanwhile is kept by the engine, and shown then.
    """
    command = _command()
    with tempfile.TemporaryDirectory(prefix="xirtam-", dir=_place()) as folder:
        path = Path(folder) / "message.txt"
        path.write_text(written, encoding="utf-8")
        try:
            with app.suspend():
                ended = subprocess.run([*command, str(path)], check=False)  # noqa: S603 # the person's own choice
        except SuspendNotSupported:
            raise EditorFailed("this terminal cannot be lent to an editor") from None
        except OSError as error:
            raise EditorFailed(f"{command[0]} cannot be started ({error.strerror}); set EDITOR to another") from None
        app.refresh(layout=True)
        if ended.returncode != 0:
            raise EditorFailed(f"{command[0]} ended with the status {ended.returncode}")
        return text.body(path.read_text(encoding="utf-8", errors="replace").removesuffix("\n"))


def _command() -> list[str]:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or next(filter(shutil.which, _USUAL), "")
    try:
        command = shlex.split(chosen)
    except ValueError:
        raise EditorFailed(f"EDITOR is no command: {chosen}") from None
    if not command:
        raise EditorFailed("no editor is known here; set EDITOR, such as to nano")
    return command


def _place() -> str | None:
    place = os.environ.get("XDG_RUNTIME_DIR", "")
    return place if place and os.access(place, os.W_OK) else None
