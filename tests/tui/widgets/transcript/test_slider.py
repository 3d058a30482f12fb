"""The transcript's scrollbar: it is painted faster than Textual paints it, and looks and works the same."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.geometry import Offset, Region
from textual.scrollbar import ScrollBar

from tests.tui.fake_client import FakeClient
from tests.tui.piloting import Driver, account_app, long_chat
from xirtam_tui.screens.chat.jump_line import JumpLine


def bar_of(driver: Driver) -> ScrollBar:
    return driver.transcript.vertical_scrollbar


def shown(bar: ScrollBar, crop: Region) -> tuple[list[str], list[object]]:
    """What each line says, as the terminal is told it, and what a click on it does."""
    lines = bar.render_lines(crop)
    return [line.render(bar.app.console) for line in lines], [
        [part.style and part.style.meta for part in line] for line in lines
    ]


def shown_by_textual(driver: Driver, crop: Region) -> tuple[list[str], list[object]]:
    """The same for a scrollbar of Textual's over all the lines of the chat."""
    bar, slider = bar_of(driver), driver.transcript._slider  # pyright: ignore[reportPrivateUsage] - how much is not loaded
    size, position = bar.window_virtual_size, bar.position
    bar.set_reactive(ScrollBar.window_virtual_size, slider.rows)
    bar.set_reactive(ScrollBar.position, slider.above + position)
    lines = ScrollBar.render_lines(bar, crop)
    bar.set_reactive(ScrollBar.window_virtual_size, size)
    bar.set_reactive(ScrollBar.position, position)
    return [line.render(bar.app.console) for line in lines], [
        [part.style and part.style.meta for part in line] for line in lines
    ]


def slider_rows(driver: Driver) -> list[int]:
    """Which rows of the scrollbar the slider is on: those that can be grabbed."""
    bar = bar_of(driver)
    _, metas = shown(bar, bar.size.region)
    return [row for row, parts in enumerate(metas) if "grab" in str(parts)]


def top_number(driver: Driver) -> int:
    """The number that the uppermost message in view says; the list beside has one of its own."""
    left = driver.transcript.region.x
    found = next(match for line in driver.lines() if (match := re.search(r"number (\d+)", line[left:])))
    return int(found[1])


async def drag(driver: Driver, *rows: int) -> None:
    """Takes the slider and pulls it over these rows."""
    bar = bar_of(driver)
    await driver.pilot.mouse_down(bar, offset=Offset(0, slider_rows(driver)[0]))
    for row in rows:
        await driver.pilot.hover(bar, offset=Offset(0, row))
    await driver.pilot.mouse_up(bar, offset=Offset(0, rows[-1]))


@asynccontextmanager
async def chat_of(count: int, folder: Path, *, unread: int = 0) -> AsyncIterator[tuple[Driver, FakeClient]]:
    """The app on a chat of so many messages, of which those that are not loaded have been counted."""
    client = FakeClient()
    client.add_chat("@bobby", long_chat(count), unread=unread)
    async with account_app(client, folder) as driver:
        await driver.sees("new ─" if unread else f"number {count}")
        slider = driver.transcript._slider  # pyright: ignore[reportPrivateUsage] - how much is not loaded shows only in its place
        await driver.until(lambda: slider.above, "what is not loaded counted")
        yield driver, client


@pytest.mark.parametrize("theme", ["dark", "light", "contrast", "terminal"])
async def test_it_looks_as_textual_paints_it_wherever_it_is(tmp_path: Path, theme: str) -> None:
    async with chat_of(500, tmp_path) as (driver, _):
        driver.app.theme = f"xirtam-{theme}"
        await driver.pilot.pause()
        bar = bar_of(driver)
        places = set[int]()
        for hovered in (False, True):
            bar.mouse_over = hovered
            for _ in range(12):
                whole = bar.size.region
                assert shown(bar, whole) == shown_by_textual(driver, whole)
                part = Region(0, 5, 1, 3)
                assert shown(bar, part) == shown_by_textual(driver, part)
                places.add(top_number(driver))
                driver.transcript.page(-1)
                await driver.pilot.pause()
        assert len(places) > 5


async def test_a_click_above_the_slider_goes_up_and_a_drag_goes_along(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(500))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 500")
        bar, transcript = bar_of(driver), driver.transcript
        newest = transcript.scroll_y
        await driver.pilot.click(bar, offset=Offset(0, 1))
        await driver.until(lambda: transcript.scroll_y < newest, "the view going up")
        before = top_number(driver)
        await drag(driver, bar.size.height - 1)
        await driver.until(lambda: top_number(driver) > before, "the view going along")


async def test_it_stands_for_the_whole_chat_though_little_of_it_is_loaded(tmp_path: Path) -> None:
    async with chat_of(3000, tmp_path) as (driver, client):
        height = bar_of(driver).size.height
        assert slider_rows(driver) == [height - 1]
        await driver.press("ctrl+home")
        await driver.until(lambda: slider_rows(driver) == [0], "the slider at the top")
        driver.transcript.run_worker(driver.transcript.show_around(client.messages["@bobby"][1500].position, None))
        await driver.sees("number 1501")
        await driver.until(lambda: abs(slider_rows(driver)[0] - height / 2) <= 1, "the slider in the middle")
        for _ in range(40):  # the window moves on with the view, and the slider hardly at all
            driver.transcript.page(-1)
            await driver.pilot.pause()
        assert abs(slider_rows(driver)[0] - (height * top_number(driver)) // 3000) <= 1


async def test_it_can_be_dragged_to_anywhere_in_the_chat(tmp_path: Path) -> None:
    async with chat_of(3000, tmp_path) as (driver, client):
        height = bar_of(driver).size.height
        for row in (height // 4, height // 2, 3 * height // 4):
            await drag(driver, row)
            await driver.until(
                lambda row=row: abs(top_number(driver) - 3000 * row / height) < 3000 / height, f"at {row}"
            )
            await driver.until(lambda row=row: abs(slider_rows(driver)[0] - row) <= 1, "the slider there")
        await drag(driver, 0)
        await driver.until(lambda: top_number(driver) == 1, "the beginning")
        await driver.sees("This is the beginning")
        await drag(driver, height // 3, height // 2, height - 1)
        await driver.sees("number 3000")
        await driver.until(lambda: not driver.chats_screen.query_one(JumpLine).label, "the newest in view")
        client.receive("@bobby", "and another")
        await driver.sees("and another")


async def test_taking_the_slider_in_the_last_row_moves_nothing(tmp_path: Path) -> None:
    async with chat_of(3000, tmp_path) as (driver, _):
        driver.transcript.page(-1)
        before = top_number(driver)
        bar = bar_of(driver)
        await driver.pilot.mouse_down(bar, offset=Offset(0, bar.size.height - 1))
        await driver.until(lambda: bar.grabbed is not None, "taken")
        await driver.pilot.hover(driver.transcript, offset=Offset(2, bar.size.height - 1))
        await driver.pilot.mouse_up(bar, offset=Offset(0, bar.size.height - 1))
        assert top_number(driver) == before


@pytest.mark.parametrize("count", [200, 3000])
async def test_what_was_dragged_past_is_not_read(tmp_path: Path, count: int) -> None:
    async with chat_of(count, tmp_path, unread=count // 2) as (driver, client):
        height = bar_of(driver).size.height
        await driver.press("pagedown")  # who is there has seen what is in view
        await driver.until(lambda: client.read, "what is in view read")
        read = client.chat("@bobby").read_up_to
        await drag(driver, 3 * height // 4, 4 * height // 5)
        await driver.until(lambda: not bar_of(driver).grabbed and top_number(driver) > 2 * count // 3, "far below")
        driver.transcript.page(1)
        await driver.pilot.pause()
        assert client.chat("@bobby").read_up_to == read
        await drag(driver, height - 1)
        await driver.until(lambda: client.chat("@bobby").read_up_to == count, "the newest read")


async def test_a_message_that_comes_while_others_are_counted_shows(tmp_path: Path) -> None:
    async with chat_of(3000, tmp_path) as (driver, client):
        await driver.press("ctrl+home")
        await driver.sees("This is the beginning")
        count, came = client.count_messages, list[str]()

        async def counting(chat: str, *, before: int | None = None) -> int:
            total = await count(chat, before=before)
            if not came:
                came.append(client.receive("@bobby", "just then").id)
                await driver.pilot.pause()
            return total

        client.count_messages = counting
        await driver.press("ctrl+end")
        await driver.sees("just then")
