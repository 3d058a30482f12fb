"""Every screen as a picture, small and large, dark and light. `pytest --snapshot-update` renews them; look at them then."""

from pathlib import Path

import pytest
from pytest_textual_snapshot import SVGImageExtension
from syrupy.assertion import SnapshotAssertion

from tests.tui.picture import picture
from tests.tui.piloting import machine_app
from tests.tui.states import STATES
from tests.tui.states.state import chat, with_account
from tests.tui.states.still import held_still


@pytest.mark.parametrize("name", STATES)
async def test_the_screen_looks_as_it_did(name: str, snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    machine, act = STATES[name]
    with held_still(tmp_path) as folder:
        async with machine_app(machine(), folder, size=(80, 24)) as driver:
            await act(driver)
            for size in ((80, 24), (140, 40)):
                if driver.app.size != size:
                    await driver.pilot.resize_terminal(*size)
                for theme in ("xirtam-dark", "xirtam-light"):
                    driver.app.theme = theme
                    assert await picture(driver) == snapshot(
                        name=f"{size[0]}x{size[1]}-{theme}", extension_class=Picture
                    )


@pytest.mark.parametrize("pane", ["list", "chat"])
async def test_a_narrow_terminal_looks_as_it_did(pane: str, snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    async with machine_app(with_account(), tmp_path, size=(60, 24)) as driver:
        await driver.sees("@bobby", "@erin_m")
        if pane == "chat":
            await driver.press("enter")
            await chat(driver)
        assert await picture(driver) == snapshot(extension_class=Picture)


class Picture(SVGImageExtension):
    """A picture, one file each."""
