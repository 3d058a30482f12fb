"""What a state of the app is, and the beginnings that most have in common."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.piloting import Driver

Act = Callable[[Driver], Awaitable[None]]


class State(NamedTuple):
    """A machine, and what is done on it until the screen is as it is to be seen."""

    machine: Callable[[], FakeMachine]
    act: Act


def with_account() -> FakeMachine:
    return FakeMachine(demo_client())


async def chat(driver: Driver) -> None:
    await driver.sees("see you there")
    await driver.until(driver.messages_in_memory)
    await driver.press("right")  # somebody is there, so it is read
    await driver.until(lambda: [each.unread for each in driver.contacts.ordered if each.peer == "@bobby"] == [0])


def opening(key: str, *words: str) -> Act:
    """Presses a key in the first chat, and waits for words."""

    async def act(driver: Driver) -> None:
        await chat(driver)
        await driver.press(key)
        await driver.sees(*words)

    return act


async def button_let_go(driver: Driver) -> None:
    """Waits until a button that was pressed looks as it did before."""
    await driver.until(lambda: not driver.app.screen.query(".-active"))
