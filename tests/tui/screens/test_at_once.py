"""A dialog shows itself as a whole, and what goes on below it shows through, but does not hold it up."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from rich.console import RenderableType
from textual._styles_cache import StylesCache
from textual.app import App
from textual.geometry import Size
from textual.screen import Screen

from tests.tui.demo import demo_client
from tests.tui.piloting import Driver, account_app
from xirtam_tui.screens.chat.chat import ChatScreen
from xirtam_tui.screens.palette.palette import Palette
from xirtam_tui.screens.sheet import at_once
from xirtam_tui.screens.sheet.at_once import AtOnce
from xirtam_tui.screens.sheet.below import Below
from xirtam_tui.widgets.status_bar import StatusBar

Display = Callable[[App[None], Screen[object], RenderableType | None], None]


class _Watch:
    """Notes what is painted of dialogs, and how often what lies below one is made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paints: list[str] = []
        self.pictures = 0
        # The one place that all that is sent to the terminal goes through; what is made in a batch is not sent.
        display = cast("Display", App[None]._display)  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
        make = Below.__init__

        def noting(app: App[None], screen: Screen[object], renderable: RenderableType | None) -> None:
            is_sent = renderable is not None and not app._batch_count  # pyright: ignore[reportPrivateUsage] - see above
            if isinstance(screen, AtOnce) and is_sent:
                self.paints.append(type(renderable).__name__)
            display(app, screen, renderable)

        def making(below: Below, screen: Screen[object], size: Size) -> None:
            self.pictures += 1
            make(below, screen, size)

        monkeypatch.setattr(App, "_display", noting)
        monkeypatch.setattr(Below, "__init__", making)


def _chats(driver: Driver) -> bool:
    return isinstance(driver.app.screen, ChatScreen)


@pytest.mark.parametrize("key", ["f1", "ctrl+k", "ctrl+r", "ctrl+s", "f10", "ctrl+p"])
async def test_a_dialog_is_painted_once_and_what_lies_below_it_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.press("down", "enter")
        await driver.until(lambda: driver.conversation.chat is not None)
        await driver.press(key)  # the first time, its styles have to be read
        await driver.until(lambda: not _chats(driver) and driver.app.screen.focused)
        await driver.press("escape")
        await driver.until(lambda: _chats(driver))
        # The composer that is left looks otherwise from then on, which is to be seen later.
        monkeypatch.setattr(at_once, "_BELOW_S", 60.0)
        watch = _Watch(monkeypatch)
        await driver.press(key)
        await driver.until(lambda: "LayoutUpdate" in watch.paints, "painted")
        for _ in range(10):  # whatever would follow is under way by then
            await driver.pilot.pause()
        assert watch.paints.count("LayoutUpdate") == 1, "the whole terminal was painted again"
        assert watch.pictures == 1


async def test_a_dialog_is_painted_again_for_who_comes_back_while_it_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_once, "_OPENING_S", 60.0)
    async with account_app(demo_client(), tmp_path) as driver:
        watch = _Watch(monkeypatch)
        await driver.press("ctrl+k")
        await driver.until(lambda: "LayoutUpdate" in watch.paints, "painted")
        watch.paints.clear()
        driver.app.refresh()  # as the driver asks for it when the terminal has been given back
        await driver.until(lambda: "LayoutUpdate" in watch.paints, "painted again")


async def test_what_happens_below_a_dialog_shows_through(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.press("ctrl+k")
        await driver.sees("Jump to a chat")
        client.set_status(queued=7)
        await driver.sees("7 queued", "Jump to a chat")


async def test_a_dialog_keeps_what_lies_below_it_in_a_terminal_that_grows(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path, size=(60, 20)) as driver:
        await driver.press("f1")
        await driver.until(lambda: not _chats(driver) and driver.app.screen.focused)
        assert driver.app.screen.has_class("-narrow", "-short", "-small")
        await driver.pilot.resize_terminal(140, 40)
        await driver.sees("Ctrl+K jump")
        assert not any(map(driver.app.screen.has_class, ("-narrow", "-short", "-small")))
        assert driver.app.screen_stack[-2].has_class("-wide")
        await driver.press("escape")
        await driver.until(lambda: _chats(driver))
        await driver.sees("Ctrl+K jump")


async def test_nothing_is_left_of_a_dialog_that_was_closed(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        for _ in range(3):
            await driver.press("f1")
            await driver.until(lambda: not _chats(driver) and driver.app.screen.focused)
            await driver.press("escape")
            await driver.until(lambda: _chats(driver))
        await driver.until(lambda: not _alive(AtOnce), "dialogs gone")
        drawn = len([*driver.app.screen.walk_children(with_self=True)])
        await driver.until(lambda: _alive(StylesCache) < drawn + 50, "what they showed gone")


async def test_a_dialog_may_be_closed_when_what_lies_below_it_is_due(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.press("ctrl+k")
        await driver.until(lambda: not _chats(driver) and driver.app.screen.focused)
        dialog = driver.app.screen
        assert isinstance(dialog, AtOnce)
        driver.app.pop_screen()
        dialog.show_below()
        assert dialog.render_line(0).cell_length == dialog.size.width
        await driver.until(lambda: _chats(driver))


async def test_a_dialog_shows_what_went_on_below_while_another_was_over_it(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.press("ctrl+k")
        await driver.sees("Jump to a chat")
        await driver.press("f1")
        await driver.sees("What you can do")
        client.set_status(queued=7)
        bar = driver.app.screen_stack[1].query_one(StatusBar)
        await driver.until(lambda: bar.status is not None and bar.status.queued == 7)
        await driver.press("escape")
        await driver.sees("7 queued", "Jump to a chat")


async def test_the_palette_is_open_only_once(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        for key in ("ctrl+p", "ctrl+s", "ctrl+p"):
            await driver.press(key)
            await driver.until(lambda: driver.app.screen.focused)
        assert [isinstance(screen, Palette) for screen in driver.app.screen_stack].count(True) == 1


def _alive(kind: type[object]) -> int:
    gc.collect()
    return sum(isinstance(each, kind) for each in gc.get_objects())
