"""What this program is, where its things are on the disk, and the end of its log, which grows while one looks."""

import asyncio
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Static

from xirtam_tui import logs
from xirtam_tui.data_directory import log_directory
from xirtam_tui.failures import explain
from xirtam_tui.keymap import Keymap
from xirtam_tui.log_tail import LogTail, level_of
from xirtam_tui.running import running_app
from xirtam_tui.screens.about.pager import PagerFailed, look_at
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet
from xirtam_tui.settings import SCHEMA, LogLevel
from xirtam_tui.widgets.facts.facts import Fact, Facts

_LABEL = 9
_LOOK_S = 0.5
_SHOWN = (("debug", "all"), ("info", "info and worse"), ("warning", "warnings and worse"), ("error", "errors"))
_WRITTEN = {value: words for setting in SCHEMA if setting.name == "log_level" for value, words in setting.choices}
_TONES = {
    "DEBUG": "$text-disabled",
    "INFO": "$text-muted",
    "WARNING": "$warning",
    "ERROR": "$error",
    "CRITICAL": "$error",
}
_AS_FAR = "as far as your terminal allows it"


class About(Sheet[None]):
    """Shows the facts and the log; gives both away as text for a report."""

    heading = "About xirtam"
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("about.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy all", show=False),
        Binding("p", "places", "Copy the places", show=False),
        Binding("o", "open", "Open the log", show=False),
        Binding("l", "levels", "Other levels", show=False),
    ]

    def __init__(self, data_dir: Path, written: LogLevel, keymap: Keymap, trouble: Callable[[], str]) -> None:
        super().__init__()
        self._data_dir, self._folder = data_dir, log_directory(data_dir)
        self._written, self._keys, self._trouble = written, keymap, trouble
        self._reading = asyncio.Lock()
        self._tail = LogTail(self._folder / logs.FILE)
        self._shown = 0
        self._rows: list[tuple[str, str]] = []

    def compose_body(self) -> ComposeResult:
        yield Facts(_LABEL, id="facts")
        yield Static("", id="of-log", markup=False)
        with VerticalScroll(id="log"):
            yield Static("", id="lines", markup=False)
        yield Static("c copy all · p copy the places · o open the log · l levels", id="keys", markup=False)
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Copy all", "copy", primary=True)
        yield self.button("Open the log", "open")
        yield self.button("Levels", "levels")
        yield self.button("Close", "leave")

    def on_mount(self) -> None:
        self.run_worker(self._show_facts(), group="facts")
        self._look(again=True)
        self.set_interval(_LOOK_S, self._look)
        self.query_one("#log").focus()

    # The facts

    async def _show_facts(self) -> None:
        self._rows = await asyncio.to_thread(self._find)  # what is installed is looked up on the disk
        self.query_one(Facts).show(self._facts())

    def _facts(self) -> Iterator[Fact]:
        for label, words in self._rows:
            yield label, _tilde(words)
        if (moment := logs.crash_moment(self._folder)) is not None:
            words = f"⚠ xirtam broke on {moment:%Y-%m-%d} at {moment:%H:%M}; o shows where"
            yield "crash", Content.styled(words, "$error")

    def _find(self) -> list[tuple[str, str]]:
        return [
            ("version", f"{version('xirtam')} · protocol 1 · {logs.beneath()}"),
            ("data", str(self._data_dir)),
            ("log", str(self._folder / logs.FILE)),
            ("licence", "Apache-2.0"),
            ("help", f"{self._keys.label('app.help')} for the keys · the command xirtam doctor"),
        ]

    # The log

    def _look(self, *, again: bool = False) -> None:
        self.run_worker(self._read(again=again), group="log")

    async def _read(self, *, again: bool) -> None:
        try:
            async with self._reading:
                is_news = await asyncio.to_thread(self._tail.look)
        except OSError as error:
            self._say(f"The log cannot be read: {error.strerror}.", "failed")
            return
        if trouble := self._trouble():
            self._say(f"The log cannot be written: {trouble}.", "failed")
        if not is_news and not again:
            return
        page = self.query_one("#log", VerticalScroll)
        was_at_end = again or page.is_vertical_scroll_end
        level, words = _SHOWN[self._shown]
        lines = self._tail.at_least(level)
        self.query_one("#of-log", Static).update(f"The log: {words}")
        nothing = Content.styled(
            f"Nothing yet. Written is {_WRITTEN[self._written]}; the settings can have more.", "$text-muted"
        )
        self.query_one("#lines", Static).update(Content("\n").join(map(_line, lines)) if lines else nothing)
        if was_at_end:
            page.scroll_end(animate=False)

    def action_levels(self) -> None:
        self._shown = (self._shown + 1) % len(_SHOWN)
        self._look(again=True)

    # Giving it away

    def action_copy(self) -> None:
        facts = "\n".join(f"{label}: {words}" for label, words in self._rows)
        lines = self._tail.at_least(_SHOWN[self._shown][0])
        running_app(self).copy_to_clipboard("\n".join([facts, "", *lines]))
        count = f"{len(lines)} line{'' if len(lines) == 1 else 's'}"
        self._say(f"The above and {count} of the log are copied, {_AS_FAR}.", "good")

    def action_places(self) -> None:
        running_app(self).copy_to_clipboard(f"{self._data_dir}\n{self._folder / logs.FILE}")
        self._say(f"The places of the data and of the log are copied, {_AS_FAR}.", "good")

    def action_open(self) -> None:
        files = [path for name in (logs.CRASH, logs.FILE) if (path := self._folder / name).exists()]
        if not files:
            self._say("Nothing was written to the log yet.")
            return
        try:
            look_at(running_app(self), files)
        except PagerFailed as error:
            self._say(explain(error).text, "failed")

    def _say(self, words: str, tone: str = "") -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        for name in ("good", "failed"):
            answer.set_class(tone == name, name)


def _line(said: str) -> Content:
    level = level_of(said)
    if level is None:
        return Content.styled(said, "$text-muted")
    day, time, _, rest = said.split(None, 3)
    return Content.assemble((f"{day[5:]} {time[:8]} ", "$text-muted"), (f"{level:<8} ", _TONES[level]), rest)


def _tilde(path: str) -> str:
    """A path in the home directory as people write it."""
    home = str(Path.home())
    return "~" + path.removeprefix(home) if path == home or path.startswith(home + "/") else path
