"""The transcript's scrollbar: it is painted faster than Textual paints it, and looks and works the same."""

from pathlib import Path

import pytest
from textual.geometry import Offset, Region
from textual.scrollbar import ScrollBar

from tests.tui.fake_client import FakeClient
from tests.tui.piloting import Driver, account_app, long_chat


def bar_of(driver: Driver) -> ScrollBar:
    return driver.transcript.vertical_scrollbar


def shown(bar: ScrollBar, crop: Region) -> tuple[list[str], list[object]]:
    """What each line says, as the terminal is told it, and what a click on it does."""
    lines = bar.render_lines(crop)
    return [line.render(bar.app.console) for line in lines], [
        [part.style and part.style.meta for part in line] for line in lines
    ]


def shown_by_textual(bar: ScrollBar, crop: Region) -> tuple[list[str], list[object]]:
    lines = ScrollBar.render_lines(bar, crop)
    return [line.render(bar.app.console) for line in lines], [
        [part.style and part.style.meta for part in line] for line in lines
    ]


@pytest.mark.parametrize("theme", ["dark", "light", "contrast", "terminal"])
async def test_it_looks_as_textual_paints_it_wherever_it_is(tmp_path: Path, theme: str) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(500))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 500")
        driver.app.theme = f"xirtam-{theme}"
        await driver.pilot.pause()
        bar = bar_of(driver)
        places = set[float]()
        for hovered in (False, True):
            bar.mouse_over = hovered
            for _ in range(12):
                whole = bar.size.region
                assert shown(bar, whole) == shown_by_textual(bar, whole)
                part = Region(0, 5, 1, 3)
                assert shown(bar, part) == shown_by_textual(bar, part)
                places.add(bar.position)
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
        was = transcript.scroll_y
        await driver.pilot.mouse_down(
            bar, offset=Offset(0, int(bar.position * bar.size.height / bar.window_virtual_size) + 1)
        )
        await driver.pilot.hover(bar, offset=Offset(0, bar.size.height - 1))
        await driver.until(lambda: transcript.scroll_y > was, "the view going along")
        await driver.pilot.mouse_up(bar, offset=Offset(0, bar.size.height - 1))
