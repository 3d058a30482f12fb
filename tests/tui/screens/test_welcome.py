"""Making an account."""

from pathlib import Path

import pytest
from textual.events import Paste

from tests.tui.fake_client import LINK, FakeMachine
from tests.tui.piloting import Driver, machine_app
from xirtam_core.errors import NewcomerRefused, SecurityAlarm, Unreachable
from xirtam_core.registration import Progress, Step


async def paste_link(driver: Driver) -> None:
    await driver.sees("Join a network")
    driver.app.post_message(Paste(str(LINK)))
    await driver.sees("✓ http://127.0.0.1:7200, home server ~harbor")
    await driver.press("enter")


async def test_an_account_is_made_from_a_join_link(tmp_path: Path) -> None:
    machine = FakeMachine()
    async with machine_app(machine, tmp_path) as driver:
        await paste_link(driver)
        await driver.write("alice")
        await driver.sees("✓ @alice is free")
        await driver.press("enter")
        await driver.sees("xirtam  @alice", "~harbor ● connected", "No chats yet")


async def test_a_name_is_looked_up_as_it_is_typed_and_not_at_every_key(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.unfinished = {"@bobby_2"}
    async with machine_app(machine, tmp_path) as driver:
        await paste_link(driver)
        await driver.write("bob")
        await driver.sees("A user name is @ and 5 to 15 letters, digits or underscores.")
        await driver.write("by")
        await driver.sees("Checking @bobby…")
        await driver.sees("✗ @bobby is taken")
        await driver.write("_2")
        await driver.sees("✓ @bobby_2 is yours")
        assert machine.checked == ["@bobby", "@bobby_2"]


async def test_a_damaged_link_is_explained(tmp_path: Path) -> None:
    async with machine_app(FakeMachine(), tmp_path) as driver:
        await driver.sees("Join a network")
        driver.app.post_message(Paste("https://example.org"))
        await driver.sees("✗ A join link starts with xirtam:join?")
        await driver.press("enter")
        await driver.write("alice")
        await driver.sees("Choose a network first")


@pytest.mark.parametrize("button", ["create", "pair"])
async def test_what_is_wrong_with_a_link_is_said_as_long_as_it_is_there(tmp_path: Path, button: str) -> None:
    async with machine_app(FakeMachine(), tmp_path) as driver:
        await driver.sees("Join a network")
        driver.app.post_message(Paste("xirtam:join?garbage"))
        await driver.sees("✗ This join link is damaged")
        await driver.press("enter")
        await driver.write("alice")
        await driver.pilot.click(f"#{button}")
        await driver.until(lambda: driver.app.screen.query_one("#link").has_focus)
        await driver.sees("✗ This join link is damaged")


async def test_it_can_be_tried_on_this_machine(tmp_path: Path) -> None:
    async with machine_app(FakeMachine(), tmp_path) as driver:
        await driver.sees("Or try it on this machine")
        await driver.press("tab", "enter")
        await driver.sees("✓ a private network on this machine, home server ~harbor")
        await driver.write("alice")
        await driver.sees("✓ @alice is free")


async def test_the_check_says_when_the_directory_cannot_be_reached(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.check_error = Unreachable("the directory at 127.0.0.1 does not answer")
    async with machine_app(machine, tmp_path) as driver:
        await paste_link(driver)
        await driver.write("alice")
        await driver.sees("✗ No connection: The directory at 127.0.0.1 does not answer.")


async def test_progress_shows_the_step_and_can_be_cancelled_with_everything_kept(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.steps = [Progress(Step.CHECK_NAME), Progress(Step.PROVE_OWNER, 0.42, 12)]
    machine.hold_at = Step.PROVE_OWNER
    async with machine_app(machine, tmp_path) as driver:
        await paste_link(driver)
        await driver.write("alice")
        await driver.sees("is free")
        await driver.press("enter")
        await driver.sees(
            "✓ Checking the name", "● Proving work to claim the name…", "42%", "about 12 s left", "Cancel"
        )
        await driver.press("enter")
        await driver.sees("Cancelled. A name that was claimed", "alice")
        assert machine.cancelled
        machine.hold_at = None
        await driver.press("enter")
        await driver.sees("xirtam  @alice")


async def test_a_registration_that_fails_says_why_and_keeps_the_input(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.register_error = NewcomerRefused("~harbor takes no new users; @alice was not claimed")
    async with machine_app(machine, tmp_path) as driver:
        await paste_link(driver)
        await driver.write("alice")
        await driver.sees("is free")
        await driver.press("enter")
        await driver.sees(
            "✗ This server does not let you in: ~harbor takes no new users;",
            "@alice was not claimed.",
            "Create account",
        )
        machine.register_error = SecurityAlarm("the directory told two stories")
        await driver.press("enter")
        await driver.sees("✗ Security alarm: The directory told two stories.")


async def test_creating_without_a_network_or_a_name_says_what_is_missing(tmp_path: Path) -> None:
    async with machine_app(FakeMachine(), tmp_path) as driver:
        await driver.sees("Join a network")
        await driver.press("tab", "tab", "enter")
        await driver.sees("✗ Paste a join link here, or try it on this machine")
        await driver.press("tab", "enter")
        await driver.sees("✓ a private network")
        await driver.press("enter")
        await driver.sees("✗ A user name is @ and 5 to 15")
