"""What one does about people on the chat screen: those who ask to write, and those one does not want to hear from."""

from pathlib import Path

from tests.tui.demo import Script
from tests.tui.fake_client import NOW_NS, FakeClient
from tests.tui.piloting import Driver, account_app, long_chat
from xirtam_core.events import ChatRemoved
from xirtam_core.names import Username
from xirtam_core.people import Standing

BOBBY, ZELDA = Username("@bobby"), Username("@zelda")


def _with_a_request(*, contact: bool = True) -> FakeClient:
    client = FakeClient()
    if contact:
        client.add_chat(BOBBY, long_chat(3))
    asked = Script(ZELDA, NOW_NS).say("zelda", "do you remember me?").messages
    client.add_chat(ZELDA, asked, unread=1, standing=Standing.REQUEST)
    return client


async def _open_request(driver: Driver) -> None:
    await driver.sees("REQUESTS (1)", "@zelda")
    await driver.until(lambda: driver.composer.has_focus)
    await driver.press("ctrl+down")
    await driver.sees("do you remember me?", "not among your contacts", "F5 accept · F6 block · F7 delete")
    await driver.sees_not("Write to @zelda")


async def test_who_is_accepted_can_be_written_to(tmp_path: Path) -> None:
    client = _with_a_request()
    async with account_app(client, tmp_path) as driver:
        await _open_request(driver)
        await driver.press("f5")
        await driver.sees("Write to @zelda")
        await driver.sees_not("REQUESTS", "not among your contacts")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("of course")
        await driver.press("enter")
        await driver.until(lambda: client.messages[ZELDA][-1].text == "of course")


async def test_who_is_blocked_leaves_the_list_and_can_be_accepted_again(tmp_path: Path) -> None:
    client = _with_a_request()
    async with account_app(client, tmp_path) as driver:
        await _open_request(driver)
        await driver.press("f6")
        await driver.sees("Block @zelda?")
        await driver.agree()
        await driver.sees("@zelda is blocked")
        assert [chat.peer for chat in driver.contacts.ordered] == [BOBBY]
        await driver.press("f5")
        await driver.sees("Write to @zelda")
        assert client.chat(ZELDA).standing is Standing.CONTACT


async def test_what_one_does_not_agree_to_is_not_done(tmp_path: Path) -> None:
    client = _with_a_request()
    async with account_app(client, tmp_path) as driver:
        await _open_request(driver)
        for key in ("f6", "f7"):
            await driver.press(key)
            await driver.sees("@zelda?")
            await driver.press("escape")
            await driver.sees_not("@zelda?")
        assert client.chat(ZELDA).standing is Standing.REQUEST


async def test_a_chat_that_is_deleted_is_gone_from_the_list_and_from_sight(tmp_path: Path) -> None:
    client = _with_a_request()
    async with account_app(client, tmp_path) as driver:
        await _open_request(driver)
        await driver.press("f7")
        await driver.sees("Delete the chat with @zelda?")
        await driver.agree()
        await driver.sees("Choose a chat on the left")
        await driver.sees_not("do you remember me?", "@zelda")
        await driver.until(lambda: driver.contacts.has_focus)


async def test_a_chat_that_was_deleted_elsewhere_closes_here_and_its_draft_does_not_come_back(tmp_path: Path) -> None:
    client = _with_a_request()
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("not yet sent")
        client.emit(ChatRemoved(BOBBY))
        await driver.sees("Choose a chat on the left")
        await driver.sees_not("@bobby", "not yet sent")


async def test_what_a_stranger_writes_first_is_not_opened_by_itself(tmp_path: Path) -> None:
    client = _with_a_request(contact=False)
    async with account_app(client, tmp_path) as driver:
        await driver.sees("REQUESTS (1)", "Choose a chat on the left")
        assert client.read == []


async def test_nobody_blocks_oneself(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat(client.account, long_chat(2))
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f6")
        await driver.press("f1")
        await driver.sees("What you can do")
        await driver.sees_not("Block @alice?")
