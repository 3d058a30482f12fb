"""Moving to another home server by keyboard: choose, look at the offer, follow the steps, and what comes of it."""

from pathlib import Path

import pytest

from tests.tui.demo import CLIMBERS_ROSTER, climbers, demo_client
from tests.tui.fake_client import FakeClient
from tests.tui.fake_groups import group, member
from tests.tui.fake_home import HARBOR, ISLAND, NOW_S, home_offer, hosted
from tests.tui.piloting import Driver, account_app
from xirtam_core.errors import NotFound, Refused, Unreachable
from xirtam_core.home_move import HomeStep


async def _ask(driver: Driver, target: str = "~island") -> None:
    """Opens the dialog and names a server."""
    await driver.press("alt+h")
    await driver.sees("Move @alice to another server", "Its name such as ~island")
    driver.app.screen.query_one("#target").value = ""  # pyright: ignore[reportAttributeAccessIssue]
    await driver.write(target)
    await driver.press("enter")


async def _press_again(driver: Driver) -> None:
    """Presses the button that was pressed before, once it shows that no more."""
    await driver.until(lambda: not driver.app.screen.query(".-active"))
    await driver.press("enter")


async def _begin(driver: Driver) -> None:
    await _ask(driver)
    await driver.sees("Move to ~island")
    await driver.press("enter")
    await driver.sees("Moving @alice to ~island", "● now      Sign in at ~island")


async def test_an_account_moves_step_by_step(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _ask(driver)
        await driver.sees(
            "everybody may come", "up to 256 KiB", "kept for 30 days", "1.5 GiB of yours", "nowhere to go"
        )
        await driver.sees(
            "Your contacts notice nothing", "quiet for a week", "follow by themselves", "12 files are copied"
        )
        await driver.press("enter")
        await driver.sees("● now      Sign in at ~island", "○ to come  Take your profile along", "Undo")
        client.home.come(HomeStep.PROFILE)
        await driver.sees("✓ done     Sign in at ~island", "● now      Take your profile")
        client.home.come(HomeStep.PROVE, share=0.42, seconds_left=12)
        await driver.sees("● now      Do the proof of work", "42%", "about 12 s left")
        client.home.come(HomeStep.AWAIT)
        await driver.sees("● now      Wait until the directory", "The directory has been told")
        await driver.sees_not("Undo", "42%")
        client.home.come(HomeStep.TELL)
        await driver.sees("● now      Tell your other devices")
        client.home.come(HomeStep.SETTLE)
        await driver.sees("✓ done     Tell your other devices", "● now      Make ~island the home")
        client.home.come(HomeStep.DONE, files_left=3, is_old_read=True)
        await driver.sees("@alice lives on ~island now", "3 files are still to be copied", "~harbor is read on")
        client.home.latest = client.home.come(HomeStep.DONE)
        await driver.sees("Nothing is left to be done at ~harbor")
        await driver.press("escape")
        await driver.sees_not("@alice lives on ~island")
        assert client.home.begun == ["~island"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotFound("the directory knows no server ~island; check the spelling"), "Check the spelling"),
        (Unreachable("~island cannot be reached: try again later"), "try again later"),
        (Refused("that join link is of another network"), "That join link is of another network"),
    ],
)
async def test_a_server_that_is_none_is_said_under_the_field(
    tmp_path: Path, error: NotFound | Unreachable | Refused, words: str
) -> None:
    client = demo_client()
    client.home.offer_error = error
    async with account_app(client, tmp_path) as driver:
        await _ask(driver)
        await driver.sees(words if words != "Check the spelling" else "check the spelling")
        client.home.offer_error = None
        await driver.press("enter")  # the field still has the focus and what was typed
        await driver.sees("Move to ~island")
        assert client.home.asked == ["~island", "~island"]


async def test_nothing_typed_asks_nobody(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _ask(driver, "")
        await driver.sees("Say first where to")
        assert client.home.asked == []


async def test_asking_is_cancelled(tmp_path: Path) -> None:
    client = demo_client()
    client.home.is_slow = True
    async with account_app(client, tmp_path) as driver:
        await _ask(driver, "xirtam:join:" + "a" * 90)
        await driver.sees("Asking xirtam:join:aaa", "Cancel")
        await driver.press("escape")
        await driver.until(lambda: client.home.given_up == 1)
        await driver.sees("Its name such as ~island", "Check")
        await driver.press("enter")
        await driver.sees("Asking")
        await driver.press("enter")  # on Cancel
        await driver.until(lambda: client.home.given_up == 2)
        await driver.press("escape")
        await driver.sees_not("Move @alice")


async def test_an_offer_says_what_is_not_so_good(tmp_path: Path) -> None:
    client = demo_client()
    groups = (hosted("Climbers", is_admin=True), *(hosted(f"Hikers {number}") for number in range(5)))
    client.home.offered = home_offer(
        registration="invite", most_message_bytes=None, longest_ttl_s=0, fragment_quota=None, can_prepare=False,
        can_forward=False, is_old_there=False, groups=groups, files=1, software="\x1b]52;c;evil\x07",
    )  # fmt: skip
    async with account_app(client, tmp_path, (140, 40)) as driver:
        await _ask(driver)
        await driver.sees(
            "by invite, and you may come", "kept until you have them", "it does not say", "it cannot prepare"
        )
        await driver.sees(
            "calls other servers by itself", "does not answer. The move goes on without it", "Your file is copied"
        )
        await driver.sees(
            "6 groups on ~harbor", "Climbers  yours to move", "Hikers 2", "and 2 more", "can be moved afterwards"
        )
        assert "\x1b" not in driver.text()
        await driver.press("right", "enter")  # Choose another
        await driver.sees("Its name such as ~island")


async def test_an_obstacle_is_shown_instead_of_the_button(tmp_path: Path) -> None:
    client = demo_client()
    client.home.offered = home_offer(
        registration="closed", obstacle="~island takes no new users; choose another server"
    )
    async with account_app(client, tmp_path) as driver:
        await _ask(driver)
        await driver.sees("✗ ~island takes no new users; choose another server.", "Choose another", "Close")
        await driver.sees_not("Move to ~island")
        await driver.press("enter")
        await driver.sees("Its name such as ~island")
        assert client.home.begun == []


async def test_what_changed_since_the_offer_is_said(tmp_path: Path) -> None:
    client = demo_client()
    client.home.move_error = Refused("another move is being finished")
    async with account_app(client, tmp_path) as driver:
        await _ask(driver)
        await driver.sees("Move to ~island")
        await driver.press("enter")
        await driver.sees("Another move is being finished.")
        client.home.move_error = None
        await _press_again(driver)
        await driver.sees("● now      Sign in at ~island")


async def test_trouble_is_said_in_place_and_goes(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _begin(driver)
        client.home.come(HomeStep.PREPARE, trouble="~island cannot be reached")
        await driver.sees("⚠ ~island cannot be reached. It is tried again.", "● now      Sign in")
        client.home.come(HomeStep.PROFILE)
        await driver.sees("● now      Take your profile")
        await driver.sees_not("It is tried again")


async def test_a_move_is_undone(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _begin(driver)
        await driver.press("tab", "enter")
        await driver.sees("Undone: @alice lives on ~harbor, as before.", "Check")
        assert client.home.latest is None


async def test_a_move_that_the_directory_knows_is_not_undone(tmp_path: Path) -> None:
    client = demo_client()
    client.home.undo_error = Refused("the directory has been told already: the move to ~island is finished now")
    async with account_app(client, tmp_path) as driver:
        await _begin(driver)
        client.home.come(HomeStep.PROVE, share=0.99)
        await driver.sees("99%")
        await driver.press("tab", "enter")
        await driver.sees("The directory has been told already", "● now      Do the proof of work")
        client.home.come(HomeStep.AWAIT)
        await driver.sees("● now      Wait until the directory", "The directory has been told already")


async def test_a_move_that_failed_says_why_and_is_tried_again(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _begin(driver)
        client.home.come(HomeStep.FAILED, trouble="~island does not take @alice; nothing was changed")
        await driver.sees(
            "The move to ~island came to nothing", "~island does not take @alice", "@alice lives on ~harbor"
        )
        client.home.move_error = Unreachable("~island cannot be reached")
        await driver.press("enter")  # Try again
        await driver.sees("~island cannot be reached.")
        client.home.move_error = None
        await _press_again(driver)
        await driver.sees("● now      Sign in at ~island")
        client.home.come(HomeStep.FAILED, trouble="~island does not take @alice; nothing was changed")
        await driver.sees("came to nothing")
        await driver.press("right", "enter")  # Choose another
        await driver.sees("Its name such as ~island")


async def test_closed_and_opened_again_it_shows_where_the_move_is(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path, (120, 30)) as driver:
        await _begin(driver)
        await driver.press("escape")
        await driver.sees("moving to ~island: signing in there")
        client.home.come(HomeStep.PROVE, share=0.5, seconds_left=100)
        await driver.sees("moving to ~island: proof of work 50%")
        await driver.press("alt+h")
        await driver.sees("● now      Do the proof of work", "about 2 min left")
        await driver.press("escape")
        client.home.come(HomeStep.AWAIT, trouble="the directory cannot be reached")
        await driver.sees("⚠ moving to ~island: tried again")
        client.home.come(HomeStep.AWAIT)
        await driver.sees("moving to ~island: waiting for the directory")
        client.home.come(HomeStep.DONE)
        await driver.sees("You live on ~island now", "~island ● connected")
        await driver.sees_not("moving to ~island")


async def test_a_move_goes_on_after_a_restart(tmp_path: Path) -> None:
    client = demo_client()
    client.home.come(HomeStep.PROVE, share=0.1)
    async with account_app(client, tmp_path, (80, 24)) as driver:
        await driver.sees("moving to ~island")
        await driver.press("alt+h")
        await driver.sees("✓ done     Take your profile along", "● now      Do the proof of work", "10%")


async def test_a_move_that_ended_long_ago_is_not_shown_again(tmp_path: Path) -> None:
    client = demo_client()
    client.home.come(HomeStep.FAILED, trouble="it was closed", ended_s=NOW_S - 8 * 86_400)
    async with account_app(client, tmp_path) as driver:
        await _ask(driver)
        await driver.sees("Move to ~island")


async def test_a_move_that_failed_behind_the_dialog_is_told(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await _begin(driver)
        await driver.press("escape")
        client.home.come(HomeStep.FAILED, trouble="another device has moved the account to ~capes: it stays there")
        await driver.sees("came to nothing", "Another device has moved")


async def test_it_is_reached_by_command_with_a_server_and_from_the_settings(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await driver.write("/move ~island")
        await driver.press("enter")
        await driver.sees("Move to ~island", "everybody may come")
        assert client.home.asked == ["~island"]
        await driver.press("escape", "ctrl+s")
        await driver.sees("NOTIFICATIONS", "Ring the bell")
        await driver.press("end")
        await driver.sees("ACCOUNT", "Home server")
        await driver.press("enter")
        await driver.sees("Its name such as ~island")


def _with_groups() -> tuple[FakeClient, str, str]:
    client = demo_client()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    books = group("Books", is_admin=True, members=2)
    client.add_group(books, [], roster=[member("@alice", is_admin=True), member("@bobby")])
    client.add_group(group("Hikers", members=9), [], roster=[member("@bobby", is_admin=True)])
    client.add_group(group("Sailors", members=9, is_admin=True, server=ISLAND), [], roster=[member("@alice")])
    return client, shown.id, books.id


async def test_groups_that_one_administers_are_moved_afterwards(tmp_path: Path) -> None:
    client, climbing, books = _with_groups()
    client.home.come(HomeStep.DONE, is_old_read=True)
    async with account_app(client, tmp_path) as driver:
        await driver.press("alt+h")
        await driver.sees("3 groups on ~harbor as before", "Books  yours to move", "Hikers")
        await driver.press("enter")
        await driver.sees("Move your groups to ~island too", "✓ Books  is to be moved", "○ Hikers  its admins decide")
        await driver.press("space")
        await driver.sees("○ Books  stays")
        await driver.press("down", "tab", "enter")
        await driver.sees("● Climbers  on its way")
        assert client.groups.moved == [(climbing, False)]
        client.groups.change(climbing, server=ISLAND)
        await driver.sees("✓ Climbers  has moved", "○ Books  stays")
        assert books not in [each for each, _ in client.groups.moved]


async def test_groups_of_a_dead_server_are_moved_without_it(tmp_path: Path) -> None:
    client, climbing, books = _with_groups()
    client.home.come(HomeStep.DONE, is_old_read=True)
    client.groups.server_is_away = True
    async with account_app(client, tmp_path) as driver:
        await driver.press("alt+h")
        await driver.sees("yours to move")
        await driver.press("enter")
        await driver.sees("is to be moved")
        await driver.press("tab", "enter")
        await driver.sees("✗ Books  was not moved", "✗ Climbers  was not moved", f"{HARBOR} cannot be reached.")
        await driver.until(lambda: driver.app.screen.focused is driver.app.screen.query_one("#force"))
        await driver.press("enter")
        await driver.sees("Is ~harbor gone for good?")
        await driver.press("y")
        await driver.sees("● Books  on its way", "● Climbers  on its way")
        assert sorted(client.groups.moved) == sorted([(climbing, True), (books, True)])
