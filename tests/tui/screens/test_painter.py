"""What is painted in steps is in the end what is there, whatever changed on the way."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from rich.cells import cell_len
from rich.console import RenderableType
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip

from tests.tui.demo import demo_client
from tests.tui.piloting import Driver, account_app, painted
from xirtam_tui.screens import painter
from xirtam_tui.widgets.status_bar import StatusBar

Display = Callable[[App[None], Screen[object], RenderableType | None], None]
Cell = tuple[str, Style | None]


class _Terminal:
    """Has what was written to it: in each cell what is there, and how it looks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._cells: dict[tuple[int, int], Cell] = {}
        self.updates = 0
        # The one place that all that is sent to the terminal goes through; what is made in a batch is not sent.
        display = cast("Display", App[None]._display)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]

        def taking(app: App[None], screen: Screen[object], update: RenderableType | None) -> None:
            if not app._batch_count:  # pyright: ignore[reportPrivateUsage] - see above
                self._take(update)
            display(app, screen, update)

        monkeypatch.setattr(App, "_display", taking)

    def _take(self, update: RenderableType | None) -> None:
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips):
                self._put(0, y, Strip.join(strips))
        elif isinstance(update, ChopsUpdate):
            for y, first, end in update.spans:
                for x, strip in update.chops[y].items():
                    if strip is not None and x < end and x + strip.cell_length > first:
                        self._put(x, y, strip)
        self.updates += update is not None

    def _put(self, x: int, y: int, strip: Strip) -> None:
        self._cells.update({(x + at, y): cell for at, cell in enumerate(_cells(strip))})

    def shows(self, driver: Driver) -> bool:
        """Whether there is what there is to show, all of it."""
        lines = painted(driver.app)
        return all(
            self._cells.get((x, y)) == cell for y, strip in enumerate(lines) for x, cell in enumerate(_cells(strip))
        )


def _cells(strip: Strip) -> list[Cell]:
    """In each cell a character with what is joined to it; nothing where another takes two."""
    cells: list[Cell] = []
    for text, style, _control in strip:
        looks = None if style is None else style.clear_meta_and_links()
        end = len(cells) + cell_len(text)
        for character in text:
            width = cell_len(character)
            if (not width or len(cells) >= end) and cells:
                cells[-1] = (cells[-1][0] + character, looks)
            else:
                cells += [(character, looks), *[("", looks)] * (width - 1)]
        cells += [("", looks)] * (end - len(cells))
    return cells


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine on which every widget, and every few lines, take as long as a step may."""
    monkeypatch.setattr(painter, "_STEP_S", 0.0)
    monkeypatch.setattr(painter, "_BAND", 300)
    monkeypatch.setattr(painter, "_SMALL", 1)


@pytest.mark.usefixtures("small_steps")
async def test_what_was_painted_in_steps_is_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal(monkeypatch)
    async with account_app(demo_client(), tmp_path) as driver:
        for key in ("down", "enter", "f1", "w", "escape", "ctrl+k", "down", "f1", "escape", "escape", "pageup", "x"):
            await driver.press(key)
            await driver.until(lambda: terminal.shows(driver), f"all there after {key}")
        for size in ((140, 40), (60, 20), (100, 30)):
            await driver.pilot.resize_terminal(*size)
            await driver.until(lambda: terminal.shows(driver), f"all there in {size}")


@pytest.mark.usefixtures("small_steps")
async def test_what_changes_between_two_steps_is_painted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, client = _Terminal(monkeypatch), demo_client()
    async with account_app(client, tmp_path, size=(120, 30)) as driver:
        await driver.until(lambda: terminal.shows(driver), "all there")
        for queued in range(1, 6):
            before = terminal.updates
            driver.app.screen.refresh()
            await driver.until(lambda before=before: terminal.updates > before, "some of it painted")
            client.set_status(queued=queued)
            driver.press_at_once(*"abc")
            await driver.pilot.resize_terminal(
                120, 30 - queued
            )  # some of what is still to be painted is not there any more
            await driver.sees(f"{queued} queued")
            await driver.until(lambda: terminal.shows(driver), "all there")


@pytest.mark.usefixtures("small_steps")
async def test_the_loop_does_other_things_between_two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, loop = _Terminal(monkeypatch), asyncio.get_running_loop()
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.until(lambda: terminal.shows(driver), "all there")
        seen: set[int] = set()
        first, bands = terminal.updates, 10

        def turn() -> None:
            seen.add(terminal.updates)
            if terminal.updates < first + bands:
                loop.call_soon(turn)

        turn()
        driver.app.screen.refresh()
        await driver.until(lambda: max(seen) >= first + bands, "bands painted")
        assert seen.issuperset(range(first, first + bands)), "two bands in one go"


async def test_what_is_painted_in_bands_is_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(painter, "_BAND", 300)
    terminal = _Terminal(monkeypatch)
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.until(lambda: terminal.shows(driver), "all there")
        before = terminal.updates
        monkeypatch.setattr(painter.terminal_frame, "_write", written.append)

        def write(app: App[None]) -> None:
            painter.terminal_frame.write("band ")

        monkeypatch.setattr(App, "post_display_hook", write)
        driver.app.screen.refresh()
        await driver.until(lambda: terminal.updates >= before + 10, "bands painted")
        await driver.until(lambda: written, "written")
        assert written[0].split() == ["band"] * 10


async def test_the_screen_below_a_dialog_paints_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    begin = painter.Painter.begin

    def noting(each: painter.Painter) -> None:
        begun.append(each)
        begin(each)

    client = demo_client()
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.press("ctrl+k")
        await driver.sees("Jump to a chat")
        below = driver.chats_screen
        monkeypatch.setattr(painter.Painter, "begin", noting)
        client.set_status(queued=7)
        below.refresh()
        await driver.sees("7 queued")
        assert below._painter not in begun  # pyright: ignore[reportPrivateUsage] - whose paint it was


@pytest.mark.usefixtures("small_steps")
async def test_what_changes_all_the_time_keeps_nothing_else_from_being_painted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, loop = _Terminal(monkeypatch), asyncio.get_running_loop()
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.until(lambda: terminal.shows(driver), "all there")
        is_going = True
        bar = driver.app.screen.query_one(StatusBar)

        def change() -> None:
            bar.refresh()
            if is_going:
                loop.call_later(0.001, change)

        change()
        for letter in "abc":
            driver.press_at_once(letter)
            await driver.until(lambda letter=letter: driver.composer.text.endswith(letter), "typed")
            driver.app.screen.refresh()
            await driver.until(lambda: terminal.shows(driver), "all there")
        is_going = False


@pytest.mark.usefixtures("small_steps")
async def test_what_is_written_does_not_wait_for_a_screen_that_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, written = _Terminal(monkeypatch), list[str]()
    frame = painter.terminal_frame
    frame.close_all()
    monkeypatch.setattr(frame, "_write", written.append)
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.until(lambda: terminal.shows(driver), "all there")
        before = terminal.updates
        driver.chats_screen.refresh()
        await driver.until(lambda: terminal.updates > before, "some of it painted")
        driver.chats_screen.hold()
        frame.write("the bell")
        await driver.until(lambda: written, "written")
        assert driver.chats_screen.is_held
        await driver.until(lambda: terminal.shows(driver), "all there")
