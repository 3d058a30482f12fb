"""The transcript as a widget: selecting and links."""

from pathlib import Path

import pytest
from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection
from textual.strip import Strip

from tests.tui.demo import Script
from tests.tui.fake_client import MINUTE, NOW_NS, FakeClient
from tests.tui.piloting import Driver, account_app, long_chat

LONG = "The quick brown fox jumps over the lazy dog and then goes home to write about it, at some length, in a blog."


def one_chat() -> FakeClient:
    client = FakeClient()
    script = Script("@bobby", NOW_NS - 5 * MINUTE).say("bobby", LONG).say("bobby", "https://example.org/" + "x" * 90)
    client.add_chat("@bobby", script.messages)
    return client


async def test_what_is_selected_is_copied_as_it_was_written(tmp_path: Path) -> None:
    async with account_app(one_chat(), tmp_path, size=(80, 24)) as driver:
        await driver.sees("The quick brown")
        copied = driver.transcript.get_selection(SELECT_ALL)
        assert copied is not None
        assert copied[0].splitlines() == ["bobby 12:40", LONG, "https://example.org/" + "x" * 90]


async def test_a_selection_with_the_mouse_takes_what_it_covers(tmp_path: Path) -> None:
    async with account_app(one_chat(), tmp_path, size=(80, 24)) as driver:
        await driver.sees("The quick brown")
        row = next(y for y, line in enumerate(driver.lines()) if "The quick brown" in line)
        column = driver.lines()[row].index("quick")
        at = driver.transcript.region.offset
        start = Offset(column - at.x, row - at.y)
        await driver.pilot.mouse_down(driver.transcript, offset=start)
        await driver.pilot.hover(driver.transcript, offset=start + Offset(6, 0))
        await driver.pilot.hover(driver.transcript, offset=start + Offset(10, 0))
        await driver.pilot.mouse_up(driver.transcript, offset=start + Offset(10, 0))
        await driver.until(lambda: driver.app.screen.get_selected_text() == "quick brown", "the selection")
        assert driver.composer.has_focus


async def test_a_selection_stays_with_its_message_when_older_ones_are_loaded(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(500))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 500")
        transcript = driver.transcript
        layout = transcript._layout  # pyright: ignore[reportPrivateUsage] - how many messages it holds, nothing tells
        mark = layout.text_lines(len(layout.blocks) - 1)[0] + layout.origin
        selection = Selection(Offset(4, mark), Offset(14, mark))
        assert transcript.get_selection(selection) == ("number 500", "\n")
        before = len(layout.blocks)
        while len(layout.blocks) == before:
            transcript.page(-1)
            await driver.pilot.pause()
        assert transcript.get_selection(selection) == ("number 500", "\n")


async def test_a_link_can_be_opened_with_the_mouse(tmp_path: Path) -> None:
    async with account_app(one_chat(), tmp_path, size=(80, 24)) as driver:
        await driver.sees("https://example.org/")
        opened: list[str] = []
        driver.app.open_url = lambda url, *, new_tab=True: opened.append(url)
        row = next(y for y, line in enumerate(driver.lines()) if "· https://" in line)
        at = driver.transcript.region.offset
        await driver.pilot.click(driver.transcript, offset=Offset(8, row + 1 - at.y))
        await driver.until(lambda: opened == ["https://example.org/" + "x" * 90], f"opened {opened}")


async def test_resizing_keeps_the_newest_message_in_view(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(100))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 100")
        await driver.pilot.resize_terminal(82, 20)
        await driver.sees("number 100")
        await driver.pilot.resize_terminal(150, 50)
        await driver.sees("number 100", "number 88")


async def test_a_message_far_up_can_be_gone_to_and_has_the_cursor(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(500))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 500")
        target = client.messages["@bobby"][99]
        assert await driver.transcript.show_around(target.position, target.id)
        await driver.sees("number 100", "number 99", "number 101")
        await driver.until(lambda: driver.transcript.cursor_message == target)
        await driver.until(lambda: driver.transcript.has_focus)
        await driver.press("ctrl+end")
        await driver.sees("number 500")


async def test_going_to_a_message_that_is_gone_says_so(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(20))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 20")
        assert not await driver.transcript.show_around(5, "no such message")
        assert await driver.transcript.show_around(5, None)
        await driver.until(lambda: (found := driver.transcript.cursor_message) and found.text == "number 5")


@pytest.mark.parametrize("theme", ["dark", "light", "contrast", "terminal"])
async def test_what_is_selected_can_be_read_and_copying_it_is_said(tmp_path: Path, theme: str) -> None:
    async with account_app(one_chat(), tmp_path, size=(80, 24)) as driver:
        await driver.sees("The quick brown")
        driver.app.theme = f"xirtam-{theme}"
        row = next(y for y, line in enumerate(driver.lines()) if "The quick brown" in line) - driver.transcript.region.y
        before = colours(driver.transcript.render_line(row))
        driver.app.screen.selections = {driver.transcript: SELECT_ALL}
        await driver.pilot.pause()
        marked = colours(driver.transcript.render_line(row))
        assert marked != before, "nothing shows that it is selected"
        assert all(front != back for front, back in marked)
        await driver.press("ctrl+c")
        await driver.sees("Copied")


def colours(strip: Strip) -> list[tuple[object, object]]:
    """The colours of the letters and what they stand on."""
    return [(part.style.color, part.style.bgcolor) for part in strip if part.text.strip() and part.style is not None]


async def test_the_cursor_comes_along_to_the_ends_of_the_chat(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(400))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 400")
        await driver.press("up")
        await driver.until(lambda: chosen(driver) == "number 400")
        await driver.press("ctrl+home")
        await driver.until(lambda: chosen(driver) == "number 1")
        await driver.press("down")
        await driver.until(lambda: chosen(driver) == "number 2")
        await driver.press("ctrl+end")
        await driver.until(lambda: chosen(driver) == "number 400")
        await driver.press("pageup", "pageup")
        await driver.until(lambda: chosen(driver) in driver.text())


@pytest.mark.parametrize("key", ["up", "down"])
async def test_a_cursor_that_was_scrolled_away_from_finds_a_message_that_fills_the_view(
    tmp_path: Path, key: str
) -> None:
    client = FakeClient()
    script = Script("@bobby", NOW_NS - 9 * MINUTE)
    tall = "\n".join(f"line {number}" for number in range(90))
    for text in ("before", tall, *(f"after {number}" for number in range(20))):
        script.say("bobby", text, after_min=0.1)
    client.add_chat("@bobby", script.messages)
    async with account_app(client, tmp_path, (80, 24)) as driver:
        await driver.sees("after 19")
        await driver.press("up")
        await driver.until(lambda: chosen(driver) == "after 19")
        driver.transcript.scroll_to(y=40, animate=False, force=True)  # as the wheel does
        await driver.sees("line 40")
        await driver.press(key)
        await driver.until(lambda: chosen(driver) == tall)


def chosen(driver: Driver) -> str | None:
    message = driver.transcript.cursor_message
    return None if message is None else message.text
