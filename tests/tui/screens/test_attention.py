"""Nothing counts as read for who is not there, nothing that is typed is lost, and a chat that was opened in haste is there."""

from pathlib import Path

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeClient
from tests.tui.piloting import account_app
from xirtam_core.chat import SendState


def _unread(client: FakeClient, peer: str) -> int:
    return client.chat(peer).unread


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
