"""What differs from run to run and machine to machine, held still for pictures."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from xirtam_core.recovery_key import RecoveryKey
from xirtam_tui import logs
from xirtam_tui.screens.about import about
from xirtam_tui.screens.recovery_key import new_key

_KEY = 0x1F2E3D4C5B6A79880F1E2D3C4B5A69788796A5B4  # a number, as there is a test that counts the keys in memory


@contextmanager
def held_still(folder: Path) -> Iterator[Path]:
    """Gives a place in `folder` for an app's data, which shows as a folder of the same name everywhere."""
    with ExitStack() as held:
        held.enter_context(patch.object(new_key, "new_recovery_key", lambda: RecoveryKey(_KEY)))
        held.enter_context(patch.object(about, "version", lambda _name: "1.0.0"))
        held.enter_context(patch.object(logs, "beneath", lambda: "Python 3.12.4 · Textual 8.2.1 · Linux x86_64"))
        held.enter_context(patch.dict("os.environ", HOME=str(folder)))
        yield folder / ".local" / "share" / "xirtam"
