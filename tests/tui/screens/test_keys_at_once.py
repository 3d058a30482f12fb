"""Keys that come in one read, faster than the app follows: each does what it would have done when pressed slowly."""

import asyncio
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.demo import Script
from tests.tui.fake_client import NOW_NS, FakeClient
from tests.tui.piloting import Driver, account_app
from xirtam_core.chat import DraftEdit
from xirtam_tui.screens.chat.chat import ChatScreen
from xirtam_tui.screens.confirm.confirm import Confirm
from xirtam_tui.screens.help.help import Help


def _client() -> FakeClient:
    client = FakeClient()
    _add_chats(client)
    return client


def _add_chats(client: FakeClient) -> None:
    script = Script("@bobby", NOW_NS - 10**12)
    for number in range(1, 5):
        script.say("bobby", f"number {number}", after_min=1)
    client.add_chat("@bobby", script.messages)
    client.add_chat("@carol_w", [])


async def _is_writing(driver: Driver) -> None:
    await driver.until(lambda: driver.composer.has_focus and driver.open_peer == "@bobby")


def _shows_chats(driver: Driver) -> bool:
    return isinstance(driver.app.screen, ChatScreen)


def _asked(driver: Driver) -> str | None:
    """What is typed in the dialog that is open, once there is a field in it."""
    fields = [] if _shows_chats(driver) else list(driver.app.screen.query(Input))
    return fields[0].value if fields else None


async def test_a_second_enter_is_for_the_chat_that_the_first_one_opened(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await _is_writing(driver)
        driver.press_at_once("ctrl+k", *"carol", "enter", "enter", *"hey")
        await driver.until(lambda: driver.open_peer == "@carol_w" and driver.composer.text == "hey")
        assert _shows_chats(driver)


async def test_a_dialog_leaves_once(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await _is_writing(driver)
        given: list[bool | None] = []
        question = Confirm("Do it?", "", yes="Do it", no="Do not")
        await driver.app.push_screen(question, given.append)
        question.dismiss(True)
        question.dismiss(False)
        await driver.pilot.pause()
        assert _shows_chats(driver) and given == [True]


async def test_a_dialog_that_is_done_below_another_leaves_after_that(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await _is_writing(driver)
        given: list[bool | None] = []
        question = Confirm("Do it?", "", yes="Do it", no="Do not")
        await driver.app.push_screen(question, given.append)
        await driver.press("f1")
        await driver.until(lambda: isinstance(driver.app.screen, Help))
        question.dismiss(True)
        await driver.pilot.pause()
        assert isinstance(driver.app.screen, Help)
        await driver.press("escape")
        await driver.until(lambda: _shows_chats(driver))
        assert given == [True]


async def test_a_letter_after_up_is_for_the_message_and_not_written(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await _is_writing(driver)
        driver.press_at_once("up", "up", "up", "r")
        await driver.sees("↩ to bobby  number 2")
        assert driver.composer.text == ""


async def test_letters_after_tab_go_where_it_leads(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await _is_writing(driver)
        await driver.press("tab")
        after = driver.app.focused
        await driver.press("shift+tab")
        await driver.until(lambda: driver.composer.has_focus)
        driver.press_at_once("tab", "f1", *"mute")
        await driver.until(lambda: isinstance(driver.app.screen, Help))
        await driver.sees("mute")
        assert driver.composer.text == "" and driver.chats_screen.focused is after


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("ctrl+r", "secret"),
        ("alt+r", "secret"),
        ("ctrl+n", "secret"),
        ("ctrl+k", "@secret"),  # no chat is called that, so Enter asks whether somebody is
    ],
)
async def test_letters_after_a_key_that_opens_a_dialog_are_for_that(tmp_path: Path, key: str, asked: str) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _is_writing(driver)
        driver.press_at_once(key, *"secret", "enter")
        await driver.until(lambda: _asked(driver) == asked)
        assert driver.composer.text == "" and len(client.messages["@bobby"]) == 4


async def test_letters_after_f_choose_whom_a_message_is_sent_on_to(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _is_writing(driver)
        driver.press_at_once("up", "f", *"carol", "enter")
        await driver.until(lambda: [message.text for message in client.messages["@carol_w"]] == ["number 4"])


async def test_letters_after_a_command_are_for_the_dialog_that_it_opens(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _is_writing(driver)
        await driver.write("/search number 4")
        driver.press_at_once("enter", *"2", "enter")
        await driver.until(lambda: _asked(driver) == "number 42")
        assert len(client.messages["@bobby"]) == 4


class _Slow(FakeClient):
    """Its disk is slow: drafts are kept once `disk` is free."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = asyncio.Event()

    async def set_draft(
        self, chat: str, text: str, *, reply_to: str | None = None, edit: DraftEdit | None = None
    ) -> None:
        await self.disk.wait()
        await super().set_draft(chat, text, reply_to=reply_to, edit=edit)


async def test_what_is_typed_while_a_draft_is_being_kept_is_for_the_chat_that_was_gone_to(tmp_path: Path) -> None:
    client = _Slow()
    _add_chats(client)
    async with account_app(client, tmp_path) as driver:
        await _is_writing(driver)
        await driver.write("to bobby")
        driver.press_at_once("ctrl+down", *"hey", "enter")
        await driver.until(lambda: [message.text for message in client.messages["@carol_w"]] == ["hey"])
        assert not client.drafts and len(client.messages["@bobby"]) == 4
        await driver.until(lambda: driver.contacts.ordered[0].id == "@carol_w")  # by what was said
        driver.press_at_once("ctrl+down", *"!")
        await driver.until(lambda: driver.open_peer == "@bobby" and driver.composer.text == "to bobby!")
        client.disk.set()
        await driver.press("ctrl+up")
        await driver.until(lambda: client.drafts[-1:] == [("@bobby", "to bobby!")])


async def test_what_is_typed_where_an_answer_was_left_is_part_of_it(tmp_path: Path) -> None:
    client = _client()
    client.change_chat("@carol_w", draft="I ", draft_reply_to="@carol_w-0")
    client.messages["@carol_w"] += Script("@carol_w", NOW_NS - 10**13).say("carol_w", "who comes?").messages
    async with account_app(client, tmp_path) as driver:
        await _is_writing(driver)
        driver.press_at_once("ctrl+down", *"do", "enter")
        await driver.until(lambda: len(client.messages["@carol_w"]) == 2)
        answer = client.messages["@carol_w"][-1]
        assert (answer.text, answer.reply_to) == ("I do", "@carol_w-0")
