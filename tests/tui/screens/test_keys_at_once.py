"""Keys that come in one read, faster than the app follows: each does what it would have done when pressed slowly."""

from pathlib import Path

import pytest

from tests.tui.demo import Script
from tests.tui.fake_client import NOW_NS, FakeClient
from tests.tui.piloting import Driver, account_app
from xirtam_tui.screens.chat.chat import ChatScreen
from xirtam_tui.screens.confirm.confirm import Confirm
from xirtam_tui.screens.help.help import Help


def _client() -> FakeClient:
    client = FakeClient()
    script = Script("@bobby", NOW_NS - 10**12)
    for number in range(1, 5):
        script.say("bobby", f"number {number}", after_min=1)
    client.add_chat("@bobby", script.messages)
    client.add_chat("@carol_w", [])
    return client


async def _is_writing(driver: Driver) -> None:
    await driver.until(lambda: driver.composer.has_focus and driver.open_peer == "@bobby")


def _shows_chats(driver: Driver) -> bool:
    return isinstance(driver.app.screen, ChatScreen)


async def test_a_second_enter_in_the_switcher_takes_no_other_screen(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await _is_writing(driver)
        driver.press_at_once("ctrl+k", *"carol", "enter", "enter")
        await driver.until(lambda: _shows_chats(driver) and driver.open_peer == "@carol_w")
        await driver.pilot.pause()
        assert _shows_chats(driver)


@pytest.mark.parametrize("key", ["f", "m"])
async def test_a_second_enter_in_a_dialog_about_a_message_takes_no_other_screen(tmp_path: Path, key: str) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await _is_writing(driver)
        await driver.press("up", key)
        await driver.until(lambda: not _shows_chats(driver))
        await driver.pilot.pause()
        driver.press_at_once("enter", "enter")
        await driver.until(lambda: _shows_chats(driver))
        await driver.pilot.pause()
        assert _shows_chats(driver)


async def test_a_dialog_that_is_done_below_another_leaves_after_that(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await _is_writing(driver)
        given: list[bool | None] = []
        question = Confirm("Do it?", "", yes="Do it", no="Do not")
        await driver.app.push_screen(question, given.append)
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, Help))
        question.dismiss(True)
        question.dismiss(False)
        await driver.pilot.pause()
        assert isinstance(driver.app.screen, Help)
        await driver.press("escape")
        await driver.until(lambda: _shows_chats(driver))
        assert given == [True]
