"""A terminal of few columns and rows: whatever has the focus is seen whole, and every button can have it."""

from pathlib import Path

import pytest
from textual.widgets import Button

from tests.tui.piloting import Driver, machine_app
from tests.tui.states import STATES

_DIALOGS = (
    "person", "devices", "owners", "owners_powerless", "recovery_key", "profile", "backing_up", "network", "network_alarm",
    "home_offer", "home_done", "group_members", "group_asking", "group_link", "settings", "identity", "welcome", "recover",
    "restoring",
)  # fmt: skip


@pytest.mark.parametrize("name", _DIALOGS)
async def test_every_button_is_reached_and_seen(tmp_path: Path, name: str) -> None:
    machine, act = STATES[name]
    async with machine_app(machine(), tmp_path, size=(80, 24)) as driver:
        await act(driver)
        await driver.pilot.resize_terminal(60, 20)
        screen = driver.app.screen
        buttons = {each for each in screen.focus_chain if isinstance(each, Button)}
        reached: set[Button] = set()
        for _ in screen.focus_chain:
            await driver.press("tab")
            await driver.until(lambda: _is_focus_seen(driver), f"{driver.app.focused} is seen")
            if isinstance(driver.app.focused, Button):
                reached.add(driver.app.focused)
        assert reached == buttons


def _is_focus_seen(driver: Driver) -> bool:
    focused = driver.app.screen.focused
    if focused is None:
        return False
    geometry = driver.app.screen.find_widget(focused)
    return geometry.visible_region == geometry.region or not isinstance(focused, Button)
