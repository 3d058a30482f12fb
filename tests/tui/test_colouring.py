"""Another theme looks as if the app had begun with it, whatever opens while it is being taken."""

from pathlib import Path

import pytest
from textual.strip import Strip

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.piloting import Driver, machine_app, painted
from xirtam_tui import steps


def looks(driver: Driver) -> list[str]:
    """Every line as the terminal is told it."""
    return [Strip(strip, strip.cell_length).render(driver.app.console) for strip in painted(driver.app)]


async def begun_with(folder: Path, theme: str, *keys: str) -> list[str]:
    async with machine_app(FakeMachine(demo_client()), folder, theme=theme) as driver:
        await driver.sees("@bobby")
        await driver.press(*keys)
        await driver.sees("What you can do")
        return looks(driver)


@pytest.mark.parametrize("theme", ["light", "contrast", "terminal"])
async def test_a_theme_that_is_changed_looks_as_if_begun_with(
    tmp_path: Path, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await begun_with(tmp_path / "wanted", f"xirtam-{theme}", "f1")
    monkeypatch.setattr(steps, "_STEP_S", 0.0)
    async with machine_app(FakeMachine(demo_client()), tmp_path / "changed", theme="xirtam-dark") as driver:
        await driver.sees("@bobby")
        driver.app.theme = f"xirtam-{theme}"
        await driver.press("f1")  # its styles are read while those that were are read again
        await driver.until(lambda: looks(driver) == wanted, "all of it in the new colours")
