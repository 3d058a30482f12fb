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
from xirtam_tui.hangup import has_hung_up

_USUAL = ("nano", "vi", "notepad")
_NAME = "message.txt"


class EditorFailed(XirtamError):
    """The editor cannot be started, or ended with a failure."""


def edited(app: App[object], written: str) -> str:
    """What an editor makes of `written`. The app is off the screen meanwhile; raises `EditorFailed`.

    Waits in the app's own loop: it could paint over the editor. What arrives meanwhile is kept by the engine, and shown then. Where
    the terminal is lost meanwhile, gives what the editor has saved, however it ended: nobody is there to be told of a failure.
    """
    command = _command()
    with tempfile.TemporaryDirectory(prefix="xirtam-", dir=_place()) as folder:
        path = Path(folder) / _NAME
        path.touch(mode=0o600)
        path.write_text(written, encoding="utf-8")
        status: int | None = None
        try:
            with app.suspend():
                status = subprocess.run([*command, str(path)], check=False).returncode  # noqa: S603 # the person's own choice
        except SuspendNotSupported:
            raise EditorFailed("this terminal cannot be lent to an editor") from None
        except Exception as error:
            if status is None and isinstance(error, OSError):
                raise EditorFailed(
                    f"{command[0]} cannot be started ({error.strerror}); set EDITOR to another"
                ) from None
            if not has_hung_up():
                raise  # else it is the screen that cannot be drawn anew
        if has_hung_up():
            return _read(_latest(path))
        app.refresh(layout=True)
        if status != 0:
            raise EditorFailed(f"{command[0]} ended with the status {status}")
        return _read(path)


def _read(path: Path) -> str:
    return text.body(path.read_text(encoding="utf-8", errors="replace").removesuffix("\n"))


def _latest(path: Path) -> Path:
    """The file itself, or what nano or Emacs have put beside it at the hangup, with what was not saved yet."""
    beside = (path.with_name(name) for name in (f"{_NAME}.save", f"#{_NAME}#"))
    return max(filter(Path.is_file, (path, *beside)), key=lambda each: each.stat().st_mtime_ns)


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
