"""Which program this is, where it keeps things, and the end of its log."""

import asyncio
import platform
from importlib.metadata import version as version_of
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from xirtam_tui import logs
from xirtam_tui.cli.version import version
from xirtam_tui.data_directory import log_file
from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.text import line

_MOST_LINES = 200
_LOOK_S = 1.0
_QUIET = "Nothing has been logged: all is well. XIRTAM_LOG_LEVEL=debug in the environment has more written down."


class AboutSheet(Sheet[None]):
    """Shows versions and places, and the log as it grows."""

    CSS_PATH = [STYLE, str(Path(__file__).with_name("about.tcss"))]  # noqa: RUF012 # Textual's own declaration says it is the class's
    AUTO_FOCUS = "#leave"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", show=False),
        Binding("up", "scroll(-1)", "Up", show=False),
        Binding("down", "scroll(1)", "Down", show=False),
    ]
    heading = "About xirtam"

    def __init__(self, data_dir: Path) -> None:
        super().__init__()
        self._data_dir, self._log = data_dir, log_file(data_dir)
        self._lines: list[str] | None = None
        self._facts = Content("")

    def compose_body(self) -> ComposeResult:
        yield Static("\n" * 5, id="facts", markup=False)
        yield Static("Log", id="log-label", markup=False)
        with VerticalScroll(id="log", can_focus=False):
            yield Static("", id="lines", markup=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Copy all", "copy")
        yield self.button("Close", "leave", primary=True)

    def _find_facts(self) -> Content:
        rows = [
            ("version", f"xirtam {version()}, wire protocol v1"),
            ("runs on", f"Python {platform.python_version()}, Textual {version_of('textual')}, {platform.system()}"),
            ("accounts", str(self._data_dir)),
            ("log", str(self._log)),
            ("licence", "Apache-2.0"),
            ("help", "F1 for the keys; xirtam doctor looks for what is wrong"),
        ]
        return Content("\n").join(Content.assemble((f"{name:<10}", "$text-muted"), line(value)) for name, value in rows)

    def on_mount(self) -> None:
        self.set_interval(_LOOK_S, self._look)
        self.run_worker(self._show_facts(), group="facts")
        self._look()

    async def _show_facts(self) -> None:
        self._facts = await asyncio.to_thread(self._find_facts)  # what is installed is looked up on the disk
        self.query_one("#facts", Static).update(self._facts)

    def _look(self) -> None:
        self.run_worker(self._read(), group="log", exclusive=True)

    async def _read(self) -> None:
        try:
            found = await asyncio.to_thread(logs.tail, self._log, _MOST_LINES)
        except OSError as error:
            found = [f"the log cannot be read: {error.strerror}"]
        if found == self._lines:
            return
        self._lines = found
        self.query_one("#lines", Static).update("\n".join(map(line, found)) or _QUIET)
        self.query_one("#log", VerticalScroll).scroll_end(animate=False)

    def action_scroll(self, rows: int) -> None:
        self.query_one("#log", VerticalScroll).scroll_relative(y=rows, animate=False)

    def action_copy(self) -> None:
        running_app(self).copy_to_clipboard("\n".join([self._facts.plain, "", *(self._lines or [])]))
        self.query_one("#answer", Static).update("Copied, as far as your terminal allows it.")
