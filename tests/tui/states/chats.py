"""What is done in chats and with people."""

from tests.tui.demo import Script, demo_client
from tests.tui.fake_client import NOW_NS, FakeClient, FakeMachine
from tests.tui.piloting import Driver
from tests.tui.states.state import State, chat, opening, with_account
from xirtam_core.people import Standing


def with_request() -> FakeMachine:
    client = demo_client()
    asked = Script("@zelda", NOW_NS).say(
        "zelda", "Hello! Bobby gave me your name. Are you the one with the printing press?"
    )
    client.add_chat("@zelda", asked.messages, unread=1, standing=Standing.REQUEST)
    return FakeMachine(client)


def without_chats() -> FakeMachine:
    return FakeMachine(FakeClient())


async def every_kind_of_message(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+down", "ctrl+down")
    await driver.sees("I will bring it anyway", "Not sent")
    await driver.press("up", "up")
    await driver.sees("r retry")


async def alarm(driver: Driver) -> None:
    await chat(driver)
    await driver.press(*["ctrl+down"] * 4)
    await driver.sees("F8 I have seen this")


async def request(driver: Driver) -> None:
    await chat(driver)
    await driver.press(*["ctrl+down"] * 8)
    await driver.sees("Hello! Bobby gave me your name", "F5 accept")
    await driver.until(lambda: driver.contacts.next_unread() is None)


async def first_chat(driver: Driver) -> None:
    await driver.sees("No chats yet")


async def new_chat(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+n")
    await driver.write("nobody_here")
    await driver.press("enter")
    await driver.sees("There is no user")


async def quit_with_queued(driver: Driver) -> None:
    await chat(driver)
    await driver.press("ctrl+q")
    await driver.sees("not been sent yet")


async def answering(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "r")
    await driver.sees("↩ to bobby", "Esc gives up")


async def reacting(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "a")
    await driver.sees("React to bobby's message")


async def reacting_by_name(driver: Driver) -> None:
    await reacting(driver)
    await driver.write("rock")
    await driver.sees(":rocket:")


async def message_details(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "up", "i")
    await driver.sees("About this message")


async def forwarding(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "f")
    await driver.sees("Forward this message")


async def commands(driver: Driver) -> None:
    await chat(driver)
    await driver.write("/s")
    await driver.sees("/search words", "✎ /s")


async def emoji(driver: Driver) -> None:
    await chat(driver)
    await driver.write("On our way :rock")
    await driver.sees(":rocket:", "✎ On our way")


def with_changed_identity() -> FakeMachine:
    client = demo_client()
    client.change_chat("@bobby", alarm="@bobby has new identity keys. It may be a new account, or somebody else.")
    return FakeMachine(client)


async def code_picture(driver: Driver) -> None:
    await opening("f10", "48213")(driver)
    await driver.press("q")
    await driver.sees("▀▀")


async def message_menu(driver: Driver) -> None:
    await chat(driver)
    await driver.press("up", "m")
    await driver.sees("Forward", "Copy")


async def blocking(driver: Driver) -> None:
    await chat(driver)
    await driver.press("f6")
    await driver.sees("Block @bobby?")


async def deleting(driver: Driver) -> None:
    await chat(driver)
    await driver.press("f7")
    await driver.sees("Delete")


STATES = {
    "chat": State(with_account, chat),
    "messages": State(with_account, every_kind_of_message),
    "alarm": State(with_account, alarm),
    "request": State(with_request, request),
    "first_chat": State(without_chats, first_chat),
    "answering": State(with_account, answering),
    "reacting": State(with_account, reacting),
    "reacting_by_name": State(with_account, reacting_by_name),
    "message_menu": State(with_account, message_menu),
    "blocking": State(with_account, blocking),
    "deleting": State(with_account, deleting),
    "message_details": State(with_account, message_details),
    "forwarding": State(with_account, forwarding),
    "commands": State(with_account, commands),
    "emoji": State(with_account, emoji),
    "new_chat": State(with_account, new_chat),
    "identity": State(with_changed_identity, opening("f8", "10582")),
    "person": State(with_account, opening("f10", "48213")),
    "code_picture": State(with_account, code_picture),
    "quit": State(with_account, quit_with_queued),
}
