"""What the app says when it ends on a fault of its own: where, and nothing of what was written."""

import inspect
import secrets
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.tui.demo import demo_client, frozen_clock
from tests.tui.fake_client import FakeMachine
from xirtam_tui.app import XirtamApp
from xirtam_tui.logs import CRASH


class Faulty(XirtamApp):
    """Breaks when told to."""

    CSS_PATH = Path(inspect.getfile(XirtamApp)).with_name("app.tcss")
    said = ""

    def break_down(self) -> None:
        said = self.said
        raise RuntimeError(f"a fault after {len(said)} characters")


async def test_a_crash_report_says_where_and_shows_no_variable(tmp_path: Path) -> None:
    app = Faulty(tmp_path, engines=FakeMachine(demo_client()), clock=frozen_clock)
    app.said, report = secrets.token_hex(8), StringIO()
    app.error_console = Console(file=report, width=200)
    with pytest.raises(RuntimeError):
        async with app.run_test() as pilot:
            app.call_later(app.break_down)
            await pilot.pause()
    assert "a fault after 16 characters" in report.getvalue()
    assert "break_down" in report.getvalue()
    assert app.said not in report.getvalue()
    kept = tmp_path / "logs" / CRASH
    assert "break_down" in kept.read_text()
    assert app.said not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
