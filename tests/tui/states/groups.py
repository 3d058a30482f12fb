"""Groups."""

from tests.tui.demo import CLIMBERS_ROSTER, climbers, demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.fake_groups import group
from tests.tui.piloting import Driver
from tests.tui.states.state import State, button_let_go, chat, with_account
from xirtam_core.chat import MessageKind
from xirtam_core.groups import GroupState
from xirtam_core.names import ServerName, Username


def with_group() -> FakeMachine:
    client = demo_client()
    client.add_group(*climbers(), roster=CLIMBERS_ROSTER)
    return FakeMachine(client)


def with_pins() -> FakeMachine:
    client = demo_client()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    client.groups.pinned = [each for each in messages if each.kind is MessageKind.TEXT]
    return FakeMachine(client)


def with_somebody_asking() -> FakeMachine:
    client = demo_client()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    client.door.ask(shown.id, "@zelda", "we met in Arco")
    return FakeMachine(client)


def with_unsure_members() -> FakeMachine:
    machine = with_group()
    next(iter(machine.clients.values())).groups.unsure = (Username("@carol_w"), Username("@erin_m"))
    return machine


def with_mentions() -> FakeMachine:
    client = demo_client()
    client.add_group(*climbers(), roster=CLIMBERS_ROSTER, unread=5)
    return FakeMachine(client)


def with_invitation() -> FakeMachine:
    client = demo_client()
    client.add_group(group("", state=GroupState.INVITED, invited_by=Username("@bobby")), [])
    return FakeMachine(client)


async def group_chat(driver: Driver) -> None:
    await driver.sees("GROUPS", "Climbers")
    await driver.press(*["ctrl+down"] * 8)
    await driver.sees("I can. Are we still four", "is not in this group")


async def mentions(driver: Driver) -> None:
    await chat(driver)
    await driver.sees("@1")


async def mention_completed(driver: Driver) -> None:
    await group_chat(driver)
    await driver.press("escape", "enter")
    await driver.until(lambda: driver.composer.has_focus)
    await driver.write("Ask @")
    await driver.sees("▌ @bobby", "  @erin_m", "not in this group", "✎ Ask @")


async def group_members(driver: Driver) -> None:
    await group_chat(driver)
    await driver.press("f9")
    await driver.sees("Climbers: 4 members", "@mallory  banned")


async def group_settings(driver: Driver) -> None:
    await group_members(driver)
    await driver.press("s")
    await driver.sees("Only admins write")
    await driver.press(*["tab"] * 3, "enter")
    await driver.sees("may not know such rules")
    await button_let_go(driver)


async def group_link(driver: Driver) -> None:
    await group_members(driver)
    await driver.press("l")
    await driver.sees("Make a link")
    await driver.press("enter")
    await driver.sees("xirtam:group?", "1 link of yours")
    await button_let_go(driver)


async def somebody_asking(driver: Driver) -> None:
    await driver.sees("GROUPS", "Climbers")
    await driver.press(*["ctrl+down"] * 8)
    await driver.sees("F9 shows who", "I can. Are we still four")
    await driver.press("f9")
    await driver.sees("@zelda  asks to be let in", "Let in y")


async def leaving(driver: Driver) -> None:
    await group_chat(driver)
    await driver.press("f7")
    await driver.sees("Leave Climbers?")


async def group_pins(driver: Driver) -> None:
    await group_members(driver)
    await driver.sees("Pinned", "bobby: Who brings the long rope", "and 1 more")


async def invitation(driver: Driver) -> None:
    await driver.sees("REQUESTS (1)")
    await driver.press(*["ctrl+down"] * 8)
    await driver.sees("invites you into this group", "F5 accept · F7 decline")


async def new_group(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+g")
    await driver.sees("Make a group")


async def group_named(driver: Driver) -> None:
    await group_members(driver)
    await driver.press("p")
    await driver.sees("directory")


def with_group_elsewhere() -> FakeMachine:
    client = demo_client()
    client.add_group(*climbers(server=ServerName("~island")), roster=CLIMBERS_ROSTER)
    return FakeMachine(client)


async def group_moved(driver: Driver) -> None:
    await group_members(driver)
    await driver.press("m")
    await driver.sees("Move Climbers")


STATES = {
    "group": State(with_group, group_chat),
    "mentions": State(with_mentions, mentions),
    "mention_completed": State(with_group, mention_completed),
    "group_members": State(with_group, group_members),
    "group_pins": State(with_pins, group_pins),
    "group_asking": State(with_somebody_asking, somebody_asking),
    "group_settings": State(with_unsure_members, group_settings),
    "group_link": State(with_group, group_link),
    "group_named": State(with_group, group_named),
    "group_moved": State(with_group_elsewhere, group_moved),
    "leaving": State(with_group, leaving),
    "invitation": State(with_invitation, invitation),
    "new_group": State(with_account, new_group),
}
