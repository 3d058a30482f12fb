"""What a person does with one message, by keyboard alone."""

from pathlib import Path

import msgspec
import pytest

from tests.tui.demo import Script
from tests.tui.fake_client import ALICE, NOW_NS, FakeClient
from tests.tui.piloting import Driver, account_app, long_chat
from xirtam_core.chat import DraftEdit, Message, Reaction, SendState
from xirtam_core.errors import Refused
from xirtam_core.events import Typing
from xirtam_core.names import Username
from xirtam_tui.screens.chat.hints import message_hint


def _client() -> FakeClient:
    client = FakeClient()
    script = Script("@bobby", NOW_NS - 10**12)
    script.say("bobby", "who has the map? https://maps.example/a and http://maps.example/b")
    script.say("you", "me, I thnk", after_min=1)
    client.add_chat("@bobby", script.messages)
    client.add_chat("@carol_w", [])
    return client


async def _on_theirs(driver: Driver) -> None:
    """Puts the message cursor on what Bobby has said."""
    await driver.until(lambda: driver.composer.has_focus)
    await driver.press("up", "up")
    await driver.until(lambda: driver.conversation.chosen is not None and not driver.conversation.chosen.mine)


async def _on_mine(driver: Driver) -> None:
    """Puts the message cursor on one's own message."""
    await driver.until(lambda: driver.composer.has_focus)
    await driver.press("up")
    await driver.until(lambda: driver.conversation.chosen is not None and driver.conversation.chosen.mine)


def _last(client: FakeClient) -> Message:
    return client.messages["@bobby"][-1]


async def test_an_answer_says_what_it_answers_and_the_quotation_leads_there(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_theirs(driver)
        await driver.sees("r reply", "a react", "f forward", "o open link")
        await driver.press("r")
        await driver.sees("↩ to bobby  who has the map?", "Esc gives up")
        await driver.write("I do")
        await driver.press("enter")
        await driver.sees("▏who has the map?")
        await driver.sees_not("↩ to bobby")
        assert (_last(client).text, _last(client).reply_to) == ("I do", "@bobby-0")
        await driver.press("up", "enter")
        await driver.until(
            lambda: driver.conversation.chosen is not None and driver.conversation.chosen.id == "@bobby-0"
        )


async def test_an_answer_is_given_up_by_escape_and_what_was_written_stays(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_theirs(driver)
        await driver.press("r")
        await driver.write("never mind")
        await driver.press("escape")
        await driver.sees_not("↩ to bobby")
        assert driver.composer.has_focus
        await driver.press("enter")
        await driver.until(lambda: _last(client).text == "never mind")
        assert _last(client).reply_to is None


async def test_an_own_message_is_changed_and_the_draft_comes_back(tmp_path: Path) -> None:
    client = _client()
    client.change_chat("@bobby", draft="half a thought")
    async with account_app(client, tmp_path) as driver:
        await driver.sees("half a thought")
        await driver.press("shift+tab")
        await driver.until(lambda: driver.conversation.chosen is not None and driver.conversation.chosen.mine)
        await driver.press("e")
        await driver.sees("✎ editing  me, I thnk")
        await driver.press(*["backspace"] * 2)
        await driver.write("ink")
        await driver.press("enter")
        await driver.sees("me, I think", "(edited)", "half a thought")
        await driver.sees_not("✎ editing")
        assert _last(client).text == "me, I think"
        assert client.chat("@bobby").draft == "half a thought"


async def test_a_change_that_is_refused_stays_to_be_sent_again(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_mine(driver)
        client.amend_error = Refused("it is too old to be changed")
        await driver.press("e")
        await driver.write("!")
        await driver.press("enter")
        await driver.sees("too old to be changed", "✎ editing")
        assert driver.composer.text == "me, I thnk!"


async def test_what_is_being_answered_or_changed_waits_while_one_looks_elsewhere(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_mine(driver)
        await driver.press("e")
        await driver.write("!")
        await driver.press("ctrl+down")
        await driver.sees("Write to @carol_w")
        await driver.sees_not("✎ editing")
        await driver.press("ctrl+up")
        await driver.sees("✎ editing  me, I thnk")
        assert driver.composer.text == "me, I thnk!"
        assert client.chat("@bobby").draft == ""


async def test_an_emoji_is_put_on_a_message_and_taken_off(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_theirs(driver)
        await driver.press("a")
        await driver.sees("React to bobby's message")
        await driver.press("4")
        await driver.sees("└ 🎉 you")
        await _on_theirs(driver)
        await driver.press("plus")
        await driver.sees("Yours: 🎉")
        await driver.press("4")
        await driver.sees_not("🎉 you")
        await _on_theirs(driver)
        await driver.press("a")
        await driver.sees("or another: paste it")
        await driver.write("xxq")
        await driver.press("enter")
        await driver.sees("No emoji is called that")


async def test_an_emoji_is_found_by_its_name_wherever_one_types_it(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        for typed, drawn in ((":rocket:", "🚀"), ("coffee", "☕"), ("cake", "🍰")):
            await _on_theirs(driver)
            await driver.press("a")
            await driver.sees("React to bobby's message")
            await driver.write(typed)
            await driver.sees(f"{drawn} :")
            await driver.press("enter")
            await driver.sees_not("React to")
            await driver.sees(f"{drawn} you")
        await _on_theirs(driver)
        await driver.press("a")
        await driver.sees("React to bobby's message")
        await driver.write("heart")
        await driver.sees("❤", "heart_eyes")
        await driver.press("down", "enter")
        await driver.sees_not("React to")
        mine = {each.emoji for each in client.messages["@bobby"][0].reactions}
        assert len(mine) == 4
        assert "❤" not in mine


async def test_an_own_message_is_taken_back_after_being_asked_about(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_mine(driver)
        await driver.press("x")
        await driver.sees("Take this message back?", "Who has read it has read it")
        await driver.agree()
        await driver.until(lambda: _last(client).is_withdrawn)
        await driver.sees_not("me, I thnk")


async def test_a_message_is_sent_on_to_another_chat(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_mine(driver)
        await driver.press("f")
        await driver.sees("Forward this message", "sent as a message of yours")
        await driver.write("caro")
        await driver.press("enter")
        await driver.sees("Sent to @carol_w")
        assert client.messages["@carol_w"][-1].text == "me, I thnk"


async def test_a_link_is_shown_before_it_is_opened(tmp_path: Path) -> None:
    opened: list[str] = []
    async with account_app(_client(), tmp_path) as driver:
        driver.app.open_url = lambda url, *, new_tab=True: opened.append(url)
        await _on_theirs(driver)
        await driver.press("o")
        await driver.sees("Which link?", "https://maps.example/a", "http://maps.example/b")
        assert opened == []
        await driver.press("down", "enter")
        await driver.until(lambda: opened == ["http://maps.example/b"])


async def test_the_details_of_a_message(tmp_path: Path) -> None:
    client = _client()
    client.messages["@bobby"][0] = msgspec.structs.replace(
        client.messages["@bobby"][0], reactions=(Reaction("👍", (ALICE, Username("@bobby"))),), verified=False
    )
    async with account_app(client, tmp_path) as driver:
        await _on_theirs(driver)
        await driver.press("i")
        await driver.sees("About this message", "@bobby", "could not be checked", "👍 alice, bobby", "text/plain")
        await driver.press("escape")
        await driver.sees_not("About this message")


async def test_a_quotation_far_up_is_gone_to(tmp_path: Path) -> None:
    client = FakeClient()
    said = long_chat(500)
    said[-1] = msgspec.structs.replace(said[-1], reply_to=said[9].id, quote=said[9].text)
    client.add_chat("@bobby", said)
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.sees("number 500")
        await driver.press("up", "enter")
        await driver.sees("number 10", "number 9")
        await driver.until(
            lambda: driver.conversation.chosen is not None and driver.conversation.chosen.id == said[9].id
        )


async def test_who_is_writing_is_seen_and_told(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        client.emit(Typing("@bobby", Username("@bobby"), True))
        await driver.sees("@bobby is writing…")
        client.receive("@bobby", "so?")
        await driver.sees_not("is writing…")
        await driver.write("hm")
        await driver.until(lambda: client.typing == [("@bobby", True)])
        await driver.press("backspace", "backspace")
        await driver.until(lambda: client.typing == [("@bobby", True), ("@bobby", False)])


async def test_nothing_is_said_about_a_message_before_an_alarm_was_looked_at(tmp_path: Path) -> None:
    client = _client()
    client.change_chat("@bobby", alarm="@bobby has new identity keys")
    async with account_app(client, tmp_path) as driver:
        await driver.sees("new identity keys")
        await _on_theirs(driver)
        await driver.press("a")
        await driver.sees("First look at the warning above")
        assert client.messages["@bobby"][0].reactions == ()


async def test_a_key_that_cannot_do_to_a_message_what_it_is_for_says_why(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_theirs(driver)
        for key, said in (("e", "can be edited"), ("x", "can be taken back"), ("d", "can be discarded")):
            await driver.press(key)
            await driver.sees(f"Only your own messages {said}.")
        await driver.press("down")
        await driver.until(lambda: driver.conversation.chosen is not None and driver.conversation.chosen.mine)
        await driver.press("o")
        await driver.sees("There is no link in this message.")
        await driver.press("d")
        await driver.sees("Only what was not sent yet can be discarded", "x takes it back.")
        client.set_state(_last(client).id, SendState.FAILED, "no")
        await driver.sees("✗ failed")
        await driver.press("a")
        await driver.sees("The message failed: it cannot be reacted to", "only sent again or discarded.")
        assert driver.transcript.has_focus


async def test_a_message_that_is_taller_than_the_view_is_scrolled_through_before_the_next_is_chosen(
    tmp_path: Path,
) -> None:
    client = FakeClient()
    script = Script("@bobby", NOW_NS - 10**12).say("bobby", "before")
    script.say("bobby", "\n".join(f"line {number:02}" for number in range(60)), after_min=5).say(
        "bobby", "after", after_min=5
    )
    client.add_chat("@bobby", script.messages)
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await driver.sees("after")
        await driver.press("up", "up")
        await driver.until(
            lambda: driver.conversation.chosen is not None and driver.conversation.chosen.id == "@bobby-1"
        )
        await driver.sees("line 59")
        seen: set[str] = set()
        while driver.conversation.chosen is not None and driver.conversation.chosen.id == "@bobby-1":
            seen.update(line.split("line ")[1][:2] for line in driver.lines() if "line " in line and "▏" in line)
            await driver.press("up")
        assert {f"{number:02}" for number in range(60)} <= seen
        assert driver.conversation.chosen is not None and driver.conversation.chosen.id == "@bobby-0"
        await driver.press("down")
        await driver.sees("line 00")
        await driver.press("down")
        await driver.sees("line 03")
        assert driver.conversation.chosen is not None and driver.conversation.chosen.id == "@bobby-1"


async def test_what_is_being_answered_is_so_after_a_restart(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_theirs(driver)
        await driver.press("r")
        await driver.write("I do")
        await driver.press("ctrl+q")
        await driver.until(lambda: client.is_closed)
    again = _again(client)
    async with account_app(again, tmp_path) as driver:
        await driver.sees("↩ to bobby  who has the map?", "I do")
        await driver.press("enter")
        await driver.until(lambda: _last(client).text == "I do")
        assert _last(client).reply_to == "@bobby-0"
        await driver.sees_not("↩ to bobby")
        await driver.until(lambda: again.chat("@bobby").draft_reply_to is None)


async def test_what_is_being_changed_is_so_after_a_lost_terminal_and_the_draft_behind_it_too(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("half a thought")
        await driver.press("shift+tab")
        await driver.until(lambda: driver.conversation.chosen is not None and driver.conversation.chosen.mine)
        await driver.press("e")
        await driver.sees("✎ editing")
        await driver.write("!")
        driver.app.hang_up()
        await driver.until(lambda: client.is_closed)
    again = _again(client)
    async with account_app(again, tmp_path) as driver:
        await driver.sees("✎ editing  me, I thnk")
        assert driver.composer.text == "me, I thnk!"
        await driver.press("enter")
        await driver.until(lambda: _last(client).text == "me, I thnk!")
        await driver.until(lambda: driver.composer.text == "half a thought")
        await driver.until(lambda: again.chat("@bobby").draft_edit is None)


async def test_a_mode_is_kept_at_once_and_forgotten_at_once(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await _on_theirs(driver)
        await driver.press("r")
        await driver.until(lambda: client.chat("@bobby").draft_reply_to == "@bobby-0")
        await driver.press("escape")
        await driver.until(lambda: client.chat("@bobby").draft_reply_to is None)


async def test_what_was_written_as_a_change_of_a_message_that_is_gone_is_kept_as_a_draft(tmp_path: Path) -> None:
    client = _client()
    client.change_chat("@bobby", draft="half a thought", draft_edit=DraftEdit("no such", "me, I think"))
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.text == "half a thought\n\nme, I think")
        await driver.sees_not("✎ editing")


def _again(client: FakeClient) -> FakeClient:
    """The account as the next start of the app finds it on disk."""
    found = FakeClient()
    for chat in ("@bobby", "@carol_w"):
        before = client.chat(chat)
        found.add_chat(chat, client.messages[chat], draft=before.draft)
        found.change_chat(chat, draft_reply_to=before.draft_reply_to, draft_edit=before.draft_edit)
    found.messages = client.messages
    return found


@pytest.mark.parametrize("columns", range(80, 160, 7))
async def test_the_line_of_keys_names_each_whole_or_not_at_all(tmp_path: Path, columns: int) -> None:
    async with account_app(_client(), tmp_path, size=(columns, 30)) as driver:
        await driver.press("up")
        await driver.sees("Esc back")
        shown = driver.line_with("Esc back").rpartition("Esc back")[2].split("▏")[0].strip(" ·").split(" · ")
        whole = message_hint(driver.transcript.situation, driver.conversation.keymap).split(" · ")[1:]
        assert shown == whole[: len(shown)]
