"""Opening an account whose key comes from a passphrase."""

from pathlib import Path

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.piloting import machine_app


def locked_machine() -> FakeMachine:
    machine = FakeMachine(demo_client())
    machine.passphrase = "correct horse"
    return machine


async def test_a_wrong_passphrase_is_asked_for_again_and_the_right_one_opens_the_account(tmp_path: Path) -> None:
    async with machine_app(locked_machine(), tmp_path) as driver:
        await driver.sees("Unlock @alice", "passphrase")
        await driver.write("battery staple")
        await driver.press("enter")
        await driver.sees("That is not it. Nothing was changed; try again.")
        await driver.write("correct horse")
        assert "correct horse" not in driver.text()
        await driver.press("enter")
        await driver.sees("xirtam  @alice", "@bobby")


async def test_leaving_the_question_leaves_the_account_closed(tmp_path: Path) -> None:
    async with machine_app(locked_machine(), tmp_path) as driver:
        await driver.sees("Unlock @alice")
        await driver.press("escape")
        await driver.sees("The account is locked", "Try again")


async def test_a_registration_that_was_begun_with_a_passphrase_goes_on_after_asking_for_it(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.passphrase, machine.unfinished = "correct horse", {"@alice"}
    async with machine_app(machine, tmp_path) as driver:
        await driver.sees("Join a network")
        await driver.press("tab", "enter")
        await driver.write("alice")
        await driver.sees("✓ @alice is yours")
        await driver.press("enter")
        await driver.sees("Unlock @alice")
        await driver.write("correct horse")
        await driver.press("enter")
        await driver.sees("xirtam  @alice", "No chats yet")
