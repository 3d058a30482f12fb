"""Facts are drawn line by line, and look as if they had been drawn at once."""

from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet
from textual.widgets import Static

from tests.tui.demo import demo_client
from tests.tui.piloting import account_app
from xirtam_tui.widgets.facts.facts import Facts


@pytest.mark.parametrize("size", [(100, 30), (50, 20)])
async def test_each_line_is_what_it_is_in_a_picture_of_all(tmp_path: Path, size: tuple[int, int]) -> None:
    async with account_app(demo_client(), tmp_path, size=size) as driver:
        await driver.press("f1")
        await driver.sees("What you can do")
        facts = driver.app.screen.query_one(Facts)
        assert facts.size.height > 40
        for y in range(facts.size.height):
            alone, among_all = facts.render_line(y), Static.render_line(facts, y)
            assert alone.text.rstrip() == among_all.text.rstrip()
            assert [style for text, style, _ in alone if text.strip()] == [
                style for text, style, _ in among_all if text.strip()
            ]


async def test_a_dialog_that_opens_for_the_first_time_has_no_styles_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[Stylesheet] = []
    async with account_app(demo_client(), tmp_path) as driver:
        monkeypatch.setattr(Stylesheet, "reparse", again.append)
        for key in ("f1", "escape", "ctrl+s", "escape", "f10"):
            await driver.press(key)
            await driver.pilot.pause()
        await driver.until(lambda: driver.app.screen is not driver.chats_screen, "a dialog")
        assert not again
