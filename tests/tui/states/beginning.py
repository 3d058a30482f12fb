"""What comes before the chats: opening, registering, pairing, recovering, restoring."""

from textual.events import Paste

from tests.tui.demo import demo_client
from tests.tui.fake_client import LINK, FakeClient, FakeMachine
from tests.tui.fake_owners import KEY
from tests.tui.piloting import Driver
from tests.tui.states.state import State, button_let_go, with_account
from xirtam_core.errors import InUse, Refused
from xirtam_core.names import Username
from xirtam_core.registration import Progress, RecoveryProgress, RecoveryStep, Step


def two_accounts() -> FakeMachine:
    return FakeMachine(demo_client(), FakeClient(Username("@work_alice")))


def in_use() -> FakeMachine:
    machine = with_account()
    machine.open_error = InUse("@alice is open in another window; close it there, then try again here")
    return machine


def with_passphrase() -> FakeMachine:
    machine = with_account()
    machine.passphrase = "correct horse"
    return machine


def registering() -> FakeMachine:
    machine = FakeMachine()
    machine.steps = [Progress(Step.CHECK_NAME), Progress(Step.PROVE_OWNER, 0.42, 12)]
    machine.hold_at = Step.PROVE_OWNER
    return machine


async def failure(driver: Driver) -> None:
    await driver.sees("Try again")


async def passphrase(driver: Driver) -> None:
    await driver.sees("Unlock @alice")
    await driver.write("wrong")
    await driver.press("enter")
    await driver.sees("That is not it")


async def accounts(driver: Driver) -> None:
    await driver.sees("Open an account")


async def welcome(driver: Driver) -> None:
    await driver.sees("Join a network")


async def name_checked(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press("tab", "enter")
    await driver.write("bobby")
    await driver.sees("is taken")


async def progress(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press("tab", "enter")
    await driver.write("alice")
    await driver.sees("is free")
    await driver.press("enter")
    await driver.sees("about 12 s left")


def recovering() -> FakeMachine:
    machine = FakeMachine()
    machine.recovery_steps = [
        RecoveryProgress(RecoveryStep.LOOK_UP),
        RecoveryProgress(RecoveryStep.PROVE_OWNER, 0.42, 12),
    ]
    machine.recovery_holds_at = RecoveryStep.PROVE_OWNER
    return machine


async def recover(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press(*["tab"] * 6, "enter")
    await driver.sees("Recover an account whose devices are all lost")
    await button_let_go(driver)
    driver.app.post_message(Paste(str(LINK)))
    await driver.press("enter")
    await driver.write("alice")
    await driver.press("enter")
    await driver.write(KEY.text())
    await driver.sees("No mistake in it")


async def recover_with_it(driver: Driver) -> None:
    await recover(driver)
    await driver.press("enter")
    await driver.sees_not("The network's join link")


async def recover_progress(driver: Driver) -> None:
    await recover_with_it(driver)
    await driver.sees("about 12 s left")


async def recovered(driver: Driver) -> None:
    await recover_with_it(driver)
    await driver.sees("What is lost")


def refusing_recovery() -> FakeMachine:
    machine = FakeMachine()
    machine.recovery_error = Refused("this is not a recovery key of @alice, or it was removed: nothing was changed")
    return machine


async def recovery_refused(driver: Driver) -> None:
    await recover(driver)
    await driver.press("enter")
    await driver.sees("not a recovery key of @alice")


async def restoring(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press(*["tab"] * 7, "enter")
    await driver.sees("It is the same device again")
    await button_let_go(driver)
    await driver.write("/safe/alice")
    await driver.press("enter")
    await driver.write("correct horse")
    await driver.press("enter")
    await driver.sees("There is no file")


async def being_paired(driver: Driver) -> None:
    await driver.sees("Join a network")
    await driver.press("tab", "enter")
    await driver.write("bobby")
    await driver.sees("is taken")
    await driver.press("tab", "tab", "enter")
    await driver.sees("Both screens must show")


STATES = {
    "failure": State(in_use, failure),
    "passphrase": State(with_passphrase, passphrase),
    "accounts": State(two_accounts, accounts),
    "welcome": State(FakeMachine, welcome),
    "name_checked": State(FakeMachine, name_checked),
    "progress": State(registering, progress),
    "being_paired": State(FakeMachine, being_paired),
    "recover": State(FakeMachine, recover),
    "recover_progress": State(recovering, recover_progress),
    "recover_refused": State(refusing_recovery, recovery_refused),
    "recovered": State(FakeMachine, recovered),
    "restoring": State(FakeMachine, restoring),
}
