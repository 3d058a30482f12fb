"""Finding messages and chats, commands that are written, and keys of one's own."""

import asyncio
from pathlib import Path

import pytest
from textual.content import Content
from textual.widgets import OptionList

from tests.tui.demo import Script, demo_client
from tests.tui.fake_client import NOW_NS, FakeClient
from tests.tui.piloting import account_app, long_chat
from xirtam_core.chat import Received
from xirtam_core.errors import StorageFault
from xirtam_tui.keys_page import page
from xirtam_tui.screens.chat import editor

_KEYS_PAGE = Path(__file__).parents[3] / "docs" / "keys.md"


def client_with_bobby() -> FakeClient:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(300))
    return client


def test_the_page_about_keys_says_what_the_registry_says() -> None:
    assert _KEYS_PAGE.read_text(encoding="utf-8") == page(), "python -m xirtam_tui.keys_page > docs/keys.md"


async def test_a_message_that_is_found_is_gone_to_in_another_chat(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.press("ctrl+r")
        await driver.sees("Search all chats")
        await driver.write("bunk")
        await driver.sees("1 found", "My train gets in at nine")
        await driver.press("enter")
        await driver.until(lambda: driver.open_peer == "@erin_m" and driver.transcript.has_focus)
        assert driver.conversation.chosen is not None


async def test_a_message_far_back_in_this_chat_is_gone_to(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.press("alt+r")
        await driver.sees("Search the chat with @bobby")
        await driver.write("number 17")
        await driver.press("enter")
        await driver.sees("number 17")
        await driver.press("down")


async def test_a_search_says_that_there_is_nothing_and_why_it_failed(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.press("ctrl+r")
        await driver.write("zebra")
        await driver.sees("No message has a word that begins with “zebra”.", "Fewer letters may find more.")
        client.search_error = StorageFault("the disk cannot be read")
        await driver.write("s")
        await driver.sees("The disk cannot be read.")


@pytest.mark.parametrize("error", [None, StorageFault("the disk is full")])
async def test_what_is_found_while_the_search_is_being_closed_ends_nothing(
    tmp_path: Path, error: StorageFault | None
) -> None:
    client = demo_client()
    search, asked, answers = client.search, asyncio.Event(), asyncio.Event()

    async def slowly(
        text: str, *, chat: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[Received]:
        asked.set()
        await answers.wait()
        if error is not None:
            raise error
        return await search(text, chat=chat, before=before, limit=limit)

    client.search = slowly
    async with account_app(client, tmp_path) as driver:
        await driver.press("ctrl+r")
        await driver.write("bunk")
        await driver.until(asked.is_set, "asked for")
        sheet = driver.app.screen
        await sheet.query("*").remove()  # as Textual does before it ends the search itself
        answers.set()
        await driver.until(
            lambda: all(worker.is_finished for worker in sheet.workers if worker.node is sheet), "answered"
        )
        await driver.press("escape")
        await driver.until(lambda: driver.app.screen is driver.chats_screen, "closed")


async def test_a_phrase_is_looked_for_and_marked_where_it_stands(tmp_path: Path) -> None:
    client = FakeClient()
    script = Script("@bobby", NOW_NS - 10**12).say("bobby", "a boat, red all over")
    script.say("bobby", "it is the Red, boat-like one", after_min=1)
    client.add_chat("@bobby", script.messages)
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await driver.press("ctrl+r")
        await driver.write("red boat")
        await driver.sees("2 found")
        for _ in "red boat":
            await driver.press("backspace")
        await driver.write('"red boa')
        await driver.sees("1 found", "it is the Red, boat-like one")
        marked = driver.app.screen.query_one(OptionList).get_option_at_index(0).prompt
        assert isinstance(marked, Content)
        assert "Red, boa" in [
            marked.plain[span.start : span.end] for span in marked.spans if "accent" in str(span.style)
        ]
        await driver.write('"')
        await driver.sees("Nowhere do these words follow each other.", "Without the quotation marks")
        await driver.write(" over")
        await driver.sees("No message has all of that in it. Fewer words may find more.")
        await driver.press("escape", "alt+r")
        await driver.write("zebra")
        await driver.sees("Nothing in this chat has that in it.", "Ctrl+R looks in all chats.")
        await driver.press("escape", "ctrl+r")
        await driver.write("!*")
        await driver.sees("Words are looked for, and numbers")


async def test_a_command_is_completed_and_run_and_leaves_the_transcript_alone(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        before = driver.transcript.region
        await driver.write("/hel")
        await driver.sees("/help", "Show every key")
        assert driver.transcript.region == before
        await driver.press("enter")  # what is only begun is completed, and done once it was read
        await driver.until(lambda: driver.composer.text == "/help")
        await driver.press("enter")
        await driver.sees("What you can do")
        await driver.press("escape")
        assert driver.composer.text == ""
        assert len(client.messages["@bobby"]) == 300


async def test_what_is_no_command_is_not_sent_unless_its_slash_is_doubled(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.write("/wave at")
        await driver.press("enter")
        await driver.sees("There is no command /wave")
        assert driver.composer.text == "/wave at"
        await driver.press("home")
        await driver.write("/")
        await driver.press("enter")
        await driver.until(lambda: client.messages["@bobby"][-1].text == "/wave at")


async def test_a_command_may_take_words(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.write("/search number 299")
        await driver.press("enter")
        await driver.sees("Search all chats", "1 found")


async def test_an_emoji_is_taken_by_tab_and_by_its_last_colon_but_enter_sends(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.write("well :rock")
        await driver.sees(":rocket:")
        await driver.press("tab")
        await driver.until(lambda: driver.composer.text == "well 🚀")
        await driver.write(" :fire")
        await driver.press("colon")
        await driver.until(lambda: driver.composer.text == "well 🚀 🔥")
        await driver.write(" :he")
        await driver.press("enter")
        await driver.until(lambda: client.messages["@bobby"][-1].text == "well 🚀 🔥 :he")


async def test_one_goes_on_writing_in_an_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.write("dear")
        monkeypatch.setattr(driver.app, "suspend", _lent)
        script = tmp_path / "editor.sh"
        script.write_text('printf "dear\\nbobby\\n" > "$1"\n')
        monkeypatch.setenv("EDITOR", f"sh {script}")
        await driver.press("ctrl+e")
        await driver.until(lambda: driver.composer.text == "dear\nbobby")
        monkeypatch.setenv("EDITOR", "false")
        await driver.press("ctrl+e")
        await driver.sees("ended with the status 1")
        assert driver.composer.text == "dear\nbobby"


async def test_the_switcher_forgives_a_letter_and_offers_the_last_chat_first(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.press("ctrl+k")
        await driver.write("dxve")
        await driver.press("enter")
        await driver.until(lambda: driver.open_peer == "@dave_hiker")
        await driver.press("ctrl+k", "enter")
        await driver.until(lambda: driver.open_peer == "@bobby")


async def test_a_name_that_no_chat_has_can_be_looked_up_from_the_switcher(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path, size=(80, 24)) as driver:
        await driver.press("ctrl+k")
        await driver.sees("Jump to a chat")
        await driver.write("qqq zz")
        await driver.sees("No chat matches. A whole name")
        await driver.press("enter")
        await driver.sees("Jump to a chat")
        await driver.press(*["backspace"] * 6)
        await driver.write("@zelda")
        await driver.sees("No chat matches. Enter: look up @zelda in the directory")
        await driver.press("enter")
        await driver.sees("Write to somebody", "@zelda")
        await driver.press("enter")
        await driver.until(lambda: driver.open_peer == "@zelda")


async def test_the_keys_of_vim_are_letters_only_where_nobody_writes(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('preset = "vim"\n')
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.write("ni/")
        await driver.until(lambda: driver.composer.text == "ni/")
        await driver.press("escape")
        await driver.until(lambda: driver.transcript.has_focus)
        await driver.press("k", "i")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("escape", "slash")
        await driver.sees("Search the chat with @bobby")


async def test_escape_never_leads_to_writing_with_the_keys_of_vim(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('preset = "vim"\n')
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.press("escape", "escape")
        await driver.until(lambda: driver.contacts.has_focus)
        await driver.press("escape", "escape")
        assert driver.contacts.has_focus
        await driver.press("i")
        await driver.until(lambda: driver.composer.has_focus)


def _lent() -> object:
    from contextlib import nullcontext

    return nullcontext()


def test_without_an_editor_one_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VISUAL", "EDITOR", "PATH"):
        monkeypatch.setenv(name, "")
    with pytest.raises(editor.EditorFailed, match="set EDITOR"):
        editor.edited(None, "x")  # pyright: ignore[reportArgumentType] - it comes to no app
