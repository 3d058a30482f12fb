"""The sheet about the program, with its log, by keyboard alone."""

import logging
import os
from pathlib import Path

import pytest

from tests.tui.fake_client import FakeMachine
from tests.tui.piloting import Driver, account_app, machine_app
from tests.tui.screens.test_settings import two_chats
from xirtam_tui import logs
from xirtam_tui.app import XirtamApp


async def about(driver: Driver) -> None:
    await driver.sees("number 8")
    await driver.press("alt+v")
    await driver.sees("About xirtam", "Apache-2.0")


async def test_the_log_is_followed_while_one_looks_and_narrowed_by_level(tmp_path: Path) -> None:
    async with account_app(two_chats(), tmp_path) as driver:
        await about(driver)
        await driver.sees("Nothing yet")
        logging.getLogger("xirtam_core.engine").warning("the clock is off by %d s", 90)
        await driver.sees("the clock is off by 90 s")
        logging.getLogger("xirtam_core.engine").error("worse")
        await driver.sees("engine: worse")
        await driver.press("l", "l", "l")
        await driver.sees_not("the clock is off")
        await driver.sees("engine: worse", "The log: errors")


async def test_all_of_it_and_the_places_can_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(XirtamApp, "copy_to_clipboard", lambda _, text: copied.append(text))
    async with account_app(two_chats(), tmp_path) as driver:
        logging.getLogger("xirtam_core.engine").warning("the clock is off")
        await about(driver)
        await driver.sees("the clock is off")
        await driver.press("c")
        await driver.sees("1 line of the log")
        await driver.press("p")
        await driver.sees("The places of")
    assert "Textual" in copied[0]
    assert "the clock is off" in copied[0]
    assert copied[1].splitlines() == [str(tmp_path), str(tmp_path / "logs" / logs.FILE)]


async def test_a_log_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("not a folder")
    async with account_app(two_chats(), tmp_path) as driver:
        logging.getLogger("xirtam_core.engine").warning("the clock is off")
        await about(driver)
        await driver.sees("The log cannot be")


async def test_a_crash_before_is_told(tmp_path: Path) -> None:
    logs.keep_crash(tmp_path / "logs", RuntimeError("words"))
    os.utime(tmp_path / "logs" / logs.CRASH, (1_795_500_000, 1_795_500_000))
    async with account_app(two_chats(), tmp_path) as driver:
        await about(driver)
        await driver.sees("xirtam broke on 2026-11-24 at 06:00")


async def test_it_is_there_before_there_is_an_account_and_by_a_command(tmp_path: Path) -> None:
    async with machine_app(FakeMachine(), tmp_path) as driver:
        await driver.sees("Create account")
        await driver.press("alt+v")
        await driver.sees("About xirtam")
    async with account_app(two_chats(), tmp_path) as driver:
        await driver.sees("number 8")
        await driver.write("/about")
        await driver.press("enter")
        await driver.sees("About xirtam")


async def test_a_log_is_opened_only_where_there_is_one(tmp_path: Path) -> None:
    async with account_app(two_chats(), tmp_path) as driver:
        await about(driver)
        await driver.press("o")
        await driver.sees("Nothing was written")
        logging.getLogger("xirtam_core.engine").warning("the clock is off")
        await driver.sees("the clock is off")
        await driver.press("o")
        await driver.sees("cannot be lent")  # no terminal here
