"""What people write that is meant to act on the terminal, in every place of the app that shows what others have chosen."""

import unicodedata
from pathlib import Path

import pytest

from tests.tui.hostile import CORPUS, hostile_client
from tests.tui.piloting import Driver, account_app, painted

_ACTING = {"Cc", "Cs", "Zl", "Zp"}
_BIDI = set("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_COLUMNS, _ROWS = 100, 30


def _check(driver: Driver) -> None:
    """Nothing on the screen acts on the terminal, and every line ends where it should."""
    strips = painted(driver.app)
    assert len(strips) == _ROWS
    for strip in strips:
        assert strip.cell_length == _COLUMNS
        acting = [each for each in strip.text if unicodedata.category(each) in _ACTING or each in _BIDI]
        assert not acting, f"{acting!r} in {strip.text!r}"
        for segment in strip:
            link = segment.style.link if segment.style is not None else None
            assert link is None or link.startswith(("http://", "https://"))


@pytest.mark.parametrize("name", CORPUS)
async def test_nothing_that_others_write_acts_on_the_terminal(tmp_path: Path, name: str) -> None:
    async with account_app(hostile_client(CORPUS[name]), tmp_path, (_COLUMNS, _ROWS)) as driver:
        for _ in range(2):  # the direct chat, then the group's
            _check(driver)
            await driver.press("ctrl+home")
            await driver.pilot.pause()
            _check(driver)
            await driver.press("ctrl+down")
            await driver.until(
                lambda: driver.conversation.chat is not None and driver.conversation.chat.group is not None
            )
            await driver.pilot.pause()
        await driver.press("f9")
        await driver.sees("Close")
        _check(driver)
        await driver.press("escape", "ctrl+k")
        await driver.pilot.pause()
        _check(driver)
        await driver.press("escape", "alt+d")
        await driver.sees("Your devices", "0001 77aa")
        await driver.press("down")
        await driver.sees("0002 77aa")
        _check(driver)
        await driver.press("x")
        await driver.sees("What would be done")
        _check(driver)
        await driver.press("escape", "o")
        await driver.sees("Who owns @alice")
        await driver.press("down")
        _check(driver)
        await driver.press("r")
        await driver.sees("A recovery key counts")
        _check(driver)
        assert driver.app.title == "xirtam"
        assert driver.app.clipboard == ""
