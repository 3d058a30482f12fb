"""An account that comes back: recovered with the key on paper, step by step and after interruptions; backed up and restored."""

from pathlib import Path

from textual.events import Paste

from tests.tui.demo import demo_client
from tests.tui.fake_client import LINK, FakeMachine
from tests.tui.fake_owners import KEY
from tests.tui.piloting import Driver, account_app, machine_app
from xirtam_core.errors import NewcomerRefused, Refused
from xirtam_core.names import Username
from xirtam_core.registration import RecoveryProgress, RecoveryStep

BEFORE_TABS = 5
"""From the join link to “Recover with a recovery key”."""


async def _open(driver: Driver, name: str = "alice") -> None:
    """The recovery, with the network and the name typed before."""
    await driver.sees("Join a network")
    driver.app.post_message(Paste(str(LINK)))
    await driver.sees("✓ http://127.0.0.1:7200")
    await driver.press(*["tab"] * BEFORE_TABS)
    await driver.press("right", "enter")
    await driver.sees("Recover an account whose devices are all lost")
    await driver.write(name)
    await driver.press("enter")


def _holding_at(step: RecoveryStep) -> FakeMachine:
    machine = FakeMachine()
    machine.recovery_steps = [RecoveryProgress(RecoveryStep.LOOK_UP), RecoveryProgress(step, 0.42, 12)]
    machine.recovery_holds_at = step
    return machine


async def test_an_account_whose_devices_are_lost_lives_again_and_says_what_is_lost(tmp_path: Path) -> None:
    machine = FakeMachine()
    async with machine_app(machine, tmp_path, size=(80, 24)) as driver:
        await _open(driver)
        await driver.write(KEY.text().lower().replace(" ", ""))
        await driver.sees(KEY.text(), "✓ No mistake in it")
        await driver.press("enter")
        await driver.sees("@alice lives on ~harbor again", "What is lost", "The messages until now")
        await driver.press("pagedown", "pagedown")
        await driver.sees("What to do now", "new one on paper")
        assert machine.recoveries == [("@alice", KEY.text(), None)]
        await driver.press("enter")
        await driver.sees("xirtam  @alice", "~harbor ● connected")


async def test_a_recovery_shows_its_steps_can_be_cancelled_and_goes_on_without_the_key(tmp_path: Path) -> None:
    machine = _holding_at(RecoveryStep.PROVE_OWNER)
    async with machine_app(machine, tmp_path, size=(80, 24)) as driver:
        await _open(driver)
        await driver.write(KEY.text())
        await driver.press("enter")
        await driver.sees("Recovering @alice", "● Proving work to own the name…", "42%", "about 12 s left", "Cancel")
        await driver.press("escape")
        await driver.sees("● Proving work to own the name…")
        await driver.press("enter")
        await driver.sees("Cancelled. What has been done is kept", KEY.text())
        machine.recovery_holds_at, machine.goes_on_alone = None, True
        await driver.press("ctrl+u", "enter")
        await driver.sees("lives on ~harbor again")
        assert machine.recoveries[-1] == ("@alice", None, None)


async def test_a_recovery_that_was_begun_before_a_restart_is_told_of_and_asks_for_its_key_if_it_must(
    tmp_path: Path,
) -> None:
    machine = FakeMachine()
    machine.begun = {"@alice"}
    async with machine_app(machine, tmp_path) as driver:
        await _open(driver)
        await driver.sees("Something was begun here for @alice. A recovery goes on")
        await driver.press("enter")
        await driver.sees("It cannot go on without the key yet.")
        await driver.write(KEY.text())
        await driver.press("enter")
        await driver.sees("lives on ~harbor again")
        assert [key for _, key, _ in machine.recoveries] == [None, KEY.text()]


async def test_what_is_missing_or_wrong_is_said_before_anything_begins(tmp_path: Path) -> None:
    machine = FakeMachine()
    async with machine_app(machine, tmp_path) as driver:
        await _open(driver)
        await driver.press("enter")
        await driver.sees("✗ Type the recovery key from the paper.")
        await driver.write(KEY.text()[:-1])
        await driver.press("enter")
        await driver.sees("✗ A recovery key has 40 letters and digits, and this has 39.")
        await driver.write(KEY.text()[-1])
        await driver.press("tab")
        await driver.write("!")
        await driver.press("enter")
        await driver.sees("✗ A server name is")
        assert machine.recoveries == []


async def test_another_server_can_be_named_and_a_refusal_keeps_what_was_typed(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.recovery_error = NewcomerRefused("~island does not take @alice in: what has been done is kept")
    async with machine_app(machine, tmp_path) as driver:
        await _open(driver)
        await driver.write(KEY.text())
        await driver.press("tab")
        await driver.write("island")
        await driver.press("enter")
        await driver.sees("✗ This server does not let you in: ~island does not take", KEY.text(), "▌ island")
        machine.recovery_error = Refused("this is not a recovery key of @alice, or it was removed: nothing was changed")
        await driver.press("enter")
        await driver.sees("This is not a recovery key of @alice")
        machine.recovery_error = None
        await driver.press("enter")
        await driver.sees("lives on")
        assert machine.recoveries[-1] == ("@alice", KEY.text(), "~island")


# Backups


async def test_an_account_is_backed_up_under_a_passphrase_that_was_typed_twice(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await driver.press("alt+x")
        await driver.sees("Back up your account", "~/xirtam-alice-2026-11-24.backup")
        await driver.press("ctrl+u")
        await driver.write("/safe/alice")
        await driver.press("enter")
        await driver.write("correct horse")
        await driver.press("enter")
        await driver.write("correct")
        await driver.press("enter")
        await driver.sees("✗ The two passphrases are not the same.")
        assert client.keeping.backups == []
        await driver.write(" horse")
        await driver.press("enter")
        await driver.sees("✓ @alice is in /safe/alice. You alone can read the file")
        assert client.keeping.backups == [("/safe/alice", "correct horse")]
        await driver.sees_not("•••••")


async def test_a_backup_that_cannot_be_written_says_why_and_keeps_the_passphrase(tmp_path: Path) -> None:
    client = demo_client()
    client.keeping.error = Refused("/safe/alice exists already: it was left as it is, choose another name")
    async with account_app(client, tmp_path) as driver:
        await driver.press("alt+x")
        await driver.sees("Back up your account")
        await driver.press("enter", "enter", "enter")
        await driver.sees("✗ A backup needs a passphrase.")
        await driver.write("horse")
        await driver.press("enter")
        await driver.write("horse")
        await driver.press("enter")
        await driver.sees("exists already: it was left as it is")
        client.keeping.error = None
        await driver.press("enter")
        await driver.sees("✓ @alice is in")


async def test_a_backup_is_restored_on_the_first_screen(tmp_path: Path) -> None:
    machine = FakeMachine()
    machine.backups["/safe/alice"] = ("correct horse", Username("@alice"))
    async with machine_app(machine, tmp_path, size=(80, 24)) as driver:
        await driver.sees("Join a network", "Restore a backup")
        await driver.press(*["tab"] * 7, "enter")
        await driver.sees("It is the same device again.")
        await driver.press("enter", "enter")
        await driver.sees("✗ Say where the backup is.")
        await driver.write("/safe/alice")
        await driver.press("enter", "enter")
        await driver.sees("✗ Type the passphrase")
        await driver.write("wrong")
        await driver.press("enter")
        await driver.sees("✗ The account is locked: /safe/alice does not open")
        await driver.press("ctrl+u")
        await driver.write("correct horse")
        await driver.press("enter")
        await driver.sees("xirtam  @alice")
