"""Moving to another home server."""

from collections.abc import Callable

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeMachine
from tests.tui.fake_home import home_offer, hosted
from tests.tui.piloting import Driver
from tests.tui.states.state import State, opening, with_account
from xirtam_core.home_move import HomeStep


def moving_home(step: HomeStep, **changes: object) -> Callable[[], FakeMachine]:
    """An account on its way to another server, or there."""

    def machine() -> FakeMachine:
        client = demo_client()
        client.home.come(step, **changes)
        return FakeMachine(client)

    return machine


def home_offered(**changes: object) -> Callable[[], FakeMachine]:
    def machine() -> FakeMachine:
        client = demo_client()
        client.home.offered = home_offer(**changes)
        return FakeMachine(client)

    return machine


async def home_choice(driver: Driver) -> None:
    await opening("alt+h", "Its name such as ~island")(driver)
    await driver.write("~island")
    await driver.press("enter")
    await driver.sees("Choose another")


HOME_GROUPS = (hosted("Climbers", is_admin=True), hosted("Book club"))

STATES = {
    "home": State(with_account, opening("alt+h", "Its name such as ~island")),
    "home_offer": State(with_account, home_choice),
    "home_offer_old_gone": State(home_offered(is_old_there=False, can_prepare=False, groups=HOME_GROUPS), home_choice),
    "home_obstacle": State(
        home_offered(registration="closed", obstacle="~island takes no new users; choose another server"),
        home_choice,
    ),
    "home_proof": State(
        moving_home(HomeStep.PROVE, share=0.42, seconds_left=12.0),
        opening("alt+h", "Moving @alice", "12 s"),
    ),
    "home_trouble": State(
        moving_home(HomeStep.SETTLE, trouble="no connection to the server"),
        opening("alt+h", "No connection to the server"),
    ),
    "home_done": State(moving_home(HomeStep.DONE, files_left=3, is_old_read=True), opening("alt+h", "3 ")),
    "home_failed": State(
        moving_home(HomeStep.FAILED, trouble="~island does not take @alice; nothing was changed"),
        opening("alt+h", "does not take"),
    ),
}
