"""Finding things, settings, and how all is."""

from tests.tui.demo import CLIMBERS_ROSTER, climbers, demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.fake_devices import NOW_S
from tests.tui.piloting import Driver
from tests.tui.states.state import State, chat, opening, with_account
from xirtam_core.chat import Connection, Evidence, Finding
from xirtam_core.errors import StorageFault


def with_arranged() -> FakeMachine:
    client = demo_client()
    client.add_group(*climbers(), roster=CLIMBERS_ROSTER, unread=2)
    client.change_chat("@erin_m", is_pinned=True)
    client.change_chat("@bobby", is_muted=True)
    client.change_chat("@frankfurter1", is_archived=True)
    return FakeMachine(client)


def with_unwilling_preferences() -> FakeMachine:
    client = demo_client()
    client.preferences.error = StorageFault("the disk is full: nothing was changed")
    return FakeMachine(client)


async def show_settings(driver: Driver) -> None:
    await driver.sees("bobby")
    await driver.press("ctrl+s")
    await driver.sees("Colours", "Ring the bell")


async def settings_refused(driver: Driver) -> None:
    await show_settings(driver)
    await driver.press("end", "up", "enter")
    await driver.sees("The disk is full")


async def arranged(driver: Driver) -> None:
    await driver.sees("PINNED", "ARCHIVED (1)")


def with_broken_search() -> FakeMachine:
    client = demo_client()
    client.search_error = StorageFault("the disk cannot be read")
    return FakeMachine(client)


async def switcher(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+k")
    await driver.write("ar")
    await driver.sees_not("  @bobby")


async def show_help(driver: Driver) -> None:
    await chat(driver)
    await driver.press("f1")
    await driver.sees("What you can do")


async def search(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+r")
    await driver.write("half")
    await driver.sees(" found", "The second half is much better")


async def search_finds_nothing(driver: Driver) -> None:
    await chat(driver)
    await driver.press("alt+r")
    await driver.write("zebra")
    await driver.sees("Nothing in this chat has that in it")


async def search_fails(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+r")
    await driver.write("zebra")
    await driver.sees("The disk cannot be read")


def with_lying_directory() -> FakeMachine:
    client = demo_client()
    summary = "two headers at height 409 that cannot both be in one log"
    client.trust.proofs = [Evidence(found_s=NOW_S - 3600, source="~harbor", summary=summary, proof="{}")]
    client.trust.findings[0] = Finding(
        what="directory",
        is_fine=False,
        words="it has shown two logs",
        advice="Compare safety codes in person before you trust new names.",
    )
    client.set_status(alarm="The directory has shown two logs: it is not used any more.")
    return FakeMachine(client)


async def palette(driver: Driver) -> None:
    await opening("ctrl+p", "Search for commands")(driver)
    await driver.write("unr")
    await driver.sees("Next unread", "First unread")
    await driver.sees_not("Archive")


def offline() -> FakeMachine:
    client = demo_client()
    client.set_status(connection=Connection.OFFLINE, queued=2, detail="the server ~harbor does not answer")
    return FakeMachine(client)


async def without_connection(driver: Driver) -> None:
    await chat(driver)
    await driver.sees("offline")


STATES = {
    "arranged": State(with_arranged, arranged),
    "switcher": State(with_account, switcher),
    "search": State(with_account, search),
    "search_nothing": State(with_account, search_finds_nothing),
    "search_failed": State(with_broken_search, search_fails),
    "palette": State(with_account, palette),
    "about": State(with_account, opening("alt+v", "Apache-2.0", "Nothing yet")),
    "offline": State(offline, without_connection),
    "help": State(with_account, show_help),
    "settings": State(with_account, show_settings),
    "settings_refused": State(with_unwilling_preferences, settings_refused),
    "network": State(with_account, opening("alt+n", "right to the second")),
    "network_alarm": State(with_lying_directory, opening("alt+n", "it has shown two logs")),
    "profile": State(with_account, opening("alt+i", "at the home server")),
}
