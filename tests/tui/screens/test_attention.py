"""Nothing counts as read for who is not there, nothing that is typed is lost, and a chat that was opened in haste is there."""

from pathlib import Path

from textual import events

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeClient
from tests.tui.piloting import Driver, account_app
from tests.tui.screens.test_chat import client_with_bobby
from xirtam_core.chat import SendState


def _unread(client: FakeClient, peer: str) -> int:
    return client.chat(peer).unread


async def _look_away(driver: Driver) -> None:
    """Another window has the focus from here on."""
    driver.app.post_message(events.AppBlur())
    await driver.until(lambda: not driver.app.app_focus)


async def test_a_chat_that_opens_by_itself_is_read_once_somebody_presses_something(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("2 new", "see you there")
        await driver.until(lambda: driver.transcript.top > 0 or driver.messages_in_memory())
        client.receive("@bobby", "are you there?")
        await driver.sees("are you there?")
        assert _unread(client, "@bobby") == 3
        assert driver.chats_screen.looking_at is None, "nobody looks, so a notification may tell of it"
        await driver.press("right")
        await driver.until(lambda: _unread(client, "@bobby") == 0)
        assert driver.chats_screen.looking_at == "@bobby"


async def test_what_is_typed_in_the_list_goes_to_whom_one_writes_to(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("escape")
        await driver.until(lambda: driver.contacts.has_focus)
        await driver.write("hello bobby")
        await driver.until(lambda: driver.composer.text == "hello bobby")


async def test_what_is_typed_in_the_list_where_nobody_can_be_written_to_filters_it(tmp_path: Path) -> None:
    client = FakeClient()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("No chats yet")
        await driver.until(lambda: driver.contacts.has_focus)
        await driver.write("bo")
        await driver.until(lambda: driver.contacts.filter_text == "bo")


async def test_enter_in_an_empty_filter_goes_nowhere(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("ctrl+down")
        await driver.until(lambda: driver.open_peer == "@carol_w")
        await driver.press("ctrl+f", "enter")
        await driver.until(lambda: driver.contacts.has_focus)
        assert driver.open_peer == "@carol_w"


async def test_a_chat_that_is_passed_by_and_chosen_at_once_shows_what_was_said(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("escape")
        carol = client.chat("@carol_w")
        for _ in range(3):  # each breaks off the one before
            driver.chats_screen._go(carol, write=False)  # pyright: ignore[reportPrivateUsage]
            driver.chats_screen._go(carol)  # pyright: ignore[reportPrivateUsage]
        await driver.until(lambda: driver.open_peer == "@carol_w" and driver.messages_in_memory())
        client.receive("@carol_w", "and this comes later")
        await driver.sees("and this comes later")


async def test_what_waits_says_why_below_the_composer(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("soon")
        await driver.press("enter")
        await driver.until(lambda: client.messages["@bobby"][-1].text == "soon")
        message = client.messages["@bobby"][-1]
        client.set_state(message.id, SendState.QUEUED, "no connection to the server")
        await driver.sees("1 waits, sent as soon as it can be: no connection to the server")
        client.set_state(message.id, SendState.SENT)
        await driver.sees_not("as soon as it can be")


async def test_what_came_while_the_terminal_had_no_focus_counts_as_read_when_it_has_it_again(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 8")
        await driver.press("right")
        await _look_away(driver)
        client.receive("@bobby", "are you there?")
        await driver.sees("are you there?", "1 new")
        assert _unread(client, "@bobby") == 1
        driver.app.post_message(events.AppFocus())
        await driver.until(lambda: _unread(client, "@bobby") == 0)


async def test_more_than_fits_that_came_while_nobody_was_there_is_found_from_its_beginning(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 8")
        await driver.press("right")
        await _look_away(driver)
        for number in range(1, 41):
            client.receive("@bobby", f"word {number}")
        await driver.sees("40 new", "word 1")
        await driver.until(lambda: _unread(client, "@bobby") == 40)
        driver.app.post_message(events.AppFocus())
        await driver.until(lambda: 0 < _unread(client, "@bobby") < 40)
        assert "word 39" not in driver.text()
        await driver.press("ctrl+end")
        await driver.sees("word 39")
        await driver.until(lambda: _unread(client, "@bobby") == 0)
        await driver.press("f4")
        await driver.sees("40 new", "word 1")


async def test_a_second_absence_has_a_line_of_its_own(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 8")
        await driver.press("right")
        for number in (1, 2):
            await _look_away(driver)
            client.receive("@bobby", f"first word {number}")
            client.receive("@bobby", f"second word {number}")
            await driver.sees(f"second word {number}", "2 new")
            driver.app.post_message(events.AppFocus())
            await driver.until(lambda: _unread(client, "@bobby") == 0)
        lines = driver.lines()
        new = next(at for at, line in enumerate(lines) if "2 new" in line)
        assert any("second word 1" in line for line in lines[:new])
        assert any("first word 2" in line for line in lines[new:])


async def test_what_is_typed_in_the_list_while_no_chat_shows_filters_it(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path, (100, 30)) as driver:
        await driver.sees("see you there")
        await driver.pilot.resize_terminal(60, 20)
        await driver.press("escape")
        await driver.until(lambda: driver.contacts.has_focus)
        await driver.write("car")
        await driver.until(lambda: driver.contacts.filter_text == "car")
        assert driver.composer.text == ""
