"""Devices, the name's owners, the recovery key and backups."""

from textual.events import Paste

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.fake_devices import CODE, NOW_S, device
from tests.tui.fake_owners import KEY, owner, recovery_owner
from tests.tui.piloting import Driver
from tests.tui.states.state import State, button_let_go, opening, with_account
from xirtam_core.devices import OwnerKind
from xirtam_core.errors import Unreachable


def with_devices() -> FakeMachine:
    client = demo_client()
    client.devices.known += [
        device(2, "phone", expires_s=NOW_S + 300 * 86_400),
        device(3, "tablet", key_created_s=None, expires_s=NOW_S + 5 * 86_400),
        device(4, "old laptop", is_revoked=True),
    ]
    return FakeMachine(client)


def with_unreachable_devices() -> FakeMachine:
    client = demo_client()
    client.devices.error = Unreachable("the server ~harbor does not answer; your devices are as they were")
    return FakeMachine(client)


async def pairing(driver: Driver) -> None:
    await opening("alt+d", "old laptop")(driver)
    await driver.press("a")
    await driver.sees("Add a device")
    driver.app.post_message(Paste(CODE))
    await driver.sees("Same: add it")


async def revoking(driver: Driver) -> None:
    await opening("alt+d", "old laptop")(driver)
    await driver.press("down", "x")
    await driver.sees("Revoke phone?", "What would be done")


async def revoked(driver: Driver) -> None:
    await revoking(driver)
    await driver.agree()
    await driver.sees("What nobody can do")


async def not_revocable(driver: Driver) -> None:
    await opening("alt+d", "old laptop")(driver)
    await driver.press("x")
    await driver.sees("You are on this device, which is the first")


def with_owners() -> FakeMachine:
    client = demo_client()
    client.ownership.owners += [
        owner(2, OwnerKind.DEVICE, device=f"{2:064x}", label="phone"),
        recovery_owner(KEY),
        owner(4, OwnerKind.UNKNOWN, since_s=None),
    ]
    return FakeMachine(client)


def without_power() -> FakeMachine:
    client = demo_client()
    client.ownership.is_owner = False
    client.ownership.owners = [owner(2, OwnerKind.DEVICE, device=f"{2:064x}", label="desk"), recovery_owner(KEY)]
    return FakeMachine(client)


def with_change_being_made() -> FakeMachine:
    machine = with_owners()
    ownership = next(iter(machine.clients.values())).ownership
    ownership.waiting.append(("add", owner(5, OwnerKind.DEVICE, label="tablet")))
    ownership.prove(0.42, 12)
    ownership.trouble = "no connection to the directory"
    return machine


async def unknown_owner(driver: Driver) -> None:
    await opening("alt+o", "UNKNOWN", "Add device")(driver)
    await driver.press("end")
    await driver.sees("nobody: remove it")


async def removing_owner(driver: Driver) -> None:
    await unknown_owner(driver)
    await driver.press("x")
    await driver.sees("Take the power of this unknown key away?")


async def claiming(driver: Driver) -> None:
    await opening("alt+o", "Claim with recovery key")(driver)
    await driver.press("c")
    await driver.sees("Make this device an owner")
    await driver.write(KEY.text()[:20])
    await driver.sees("of 8")


async def writing_key_down(driver: Driver) -> None:
    await opening("alt+k", "There is no recovery key")(driver)
    await driver.press("m")
    await driver.sees("Write this recovery key down")


async def typing_key_back(driver: Driver) -> None:
    await writing_key_down(driver)
    await driver.press("enter")
    await driver.sees("Type it back")
    await driver.write(KEY.text()[:-1] + "2")
    await driver.sees("has a mistake in it")


def with_key_being_logged() -> FakeMachine:
    client = demo_client()
    client.ownership.waiting.append(("add", recovery_owner(KEY)))
    client.ownership.wait()
    return FakeMachine(client)


async def key_as_picture(driver: Driver) -> None:
    await writing_key_down(driver)
    await driver.press("q")
    await driver.sees("▀▀")


async def backing_up(driver: Driver) -> None:
    await opening("alt+x", "Back up your account")(driver)
    await driver.press("ctrl+u")
    await driver.write("/safe/alice.backup")
    await driver.press("enter")
    await driver.write("correct horse")
    await driver.press("enter", "enter")
    await driver.sees("are not the same")


async def backed_up(driver: Driver) -> None:
    await backing_up(driver)
    await driver.write("correct horse")
    await driver.press("enter")
    await driver.sees("You alone can read")
    await button_let_go(driver)


STATES = {
    "devices_one": State(with_account, opening("alt+d", "the first")),
    "devices": State(with_devices, opening("alt+d", "old laptop")),
    "devices_error": State(with_unreachable_devices, opening("alt+d", "does not answer")),
    "pairing": State(with_devices, pairing),
    "revoking": State(with_devices, revoking),
    "revoked": State(with_devices, revoked),
    "not_revocable": State(with_devices, not_revocable),
    "owners": State(with_owners, unknown_owner),
    "owners_change": State(with_change_being_made, opening("alt+o", "UNKNOWN", "42%")),
    "owners_powerless": State(without_power, opening("alt+o", "Claim with recovery key")),
    "removing_owner": State(with_owners, removing_owner),
    "claiming": State(without_power, claiming),
    "recovery_key_none": State(with_account, opening("alt+k", "There is no recovery key")),
    "recovery_key": State(with_owners, opening("alt+k", "A recovery key counts")),
    "recovery_key_written": State(with_account, writing_key_down),
    "recovery_key_picture": State(with_account, key_as_picture),
    "recovery_key_typed": State(with_account, typing_key_back),
    "recovery_key_logged": State(with_key_being_logged, opening("alt+k", "Waiting for the directory")),
    "backing_up": State(with_account, backing_up),
    "backed_up": State(with_account, backed_up),
}
