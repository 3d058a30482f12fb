"""What one does on the chat screen, key by key."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.events import Paste, Resize
from textual.geometry import Size

from tests.tui.demo import demo_client
from tests.tui.fake_client import FakeClient, FakeMachine
from tests.tui.piloting import Driver, account_app, long_chat, machine_app
from xirtam_core.chat import Connection, Page, SendState
from xirtam_core.errors import InUse, Unreachable
from xirtam_core.events import AlarmRaised, MessageAdded
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_tui.actions import ACTIONS, Action, Scope
from xirtam_tui.bridge import Batch
from xirtam_tui.data_directory import log_directory


def client_with_bobby(**more: object) -> FakeClient:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(8), **more)  # pyright: ignore[reportArgumentType] - of several types
    return client


async def test_the_first_chat_opens_and_the_composer_has_the_focus(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.sees("@alice", "~harbor ● connected", "number 8")
        await driver.until(lambda: driver.composer.has_focus)


async def test_enter_sends_and_shows_the_state(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.write("hello you")
        await driver.press("enter")
        await driver.sees("hello you", "✓ sent")
        assert driver.composer.text == ""
        assert client.messages["@bobby"][-1].text == "hello you"


async def test_a_queued_message_says_so_until_the_server_has_it(tmp_path: Path) -> None:
    client = client_with_bobby()
    client.online = False
    client.set_status(connection=Connection.OFFLINE, detail="the server does not answer")
    async with account_app(client, tmp_path) as driver:
        await driver.write("later")
        await driver.press("enter")
        await driver.sees("⧗ queued", "⧗ 1 queued", "○ offline: the server does not answer")
        client.set_state(client.messages["@bobby"][-1].id, SendState.DELIVERED)
        await driver.sees("✓✓ delivered")
        await driver.sees_not("queued")


async def test_a_failed_message_gives_the_reason_and_can_be_retried(tmp_path: Path) -> None:
    client = client_with_bobby()
    client.online = False
    async with account_app(client, tmp_path) as driver:
        await driver.write("try me")
        await driver.press("enter")
        await driver.sees("⧗ queued")
        client.set_state(client.messages["@bobby"][-1].id, SendState.FAILED, "the mailbox is full")
        await driver.sees("✗ failed", "Not sent: the mailbox is full")
        await driver.press("up")
        await driver.sees("r retry", "d discard")
        await driver.press("r")
        await driver.sees("✓ sent")
        await driver.sees_not("Not sent")


async def test_a_discarded_message_returns_to_the_composer(tmp_path: Path) -> None:
    client = client_with_bobby()
    client.online = False
    async with account_app(client, tmp_path) as driver:
        await driver.write("not so")
        await driver.press("enter")
        await driver.sees("⧗ queued")
        await driver.press("up", "d")
        await driver.until(lambda: driver.composer.text == "not so")
        await driver.sees_not("⧗ queued")
        assert driver.composer.has_focus
        assert [message.text for message in client.messages["@bobby"]] == [f"number {n}" for n in range(1, 9)]


async def test_what_could_not_be_queued_stays_in_the_composer(tmp_path: Path) -> None:
    client = client_with_bobby()
    client.send_error = Unreachable("the disk is full")
    async with account_app(client, tmp_path) as driver:
        await driver.write("precious")
        await driver.press("enter")
        await driver.sees("The disk is full. The message is kept here.")
        assert driver.composer.text == "precious"
        client.send_error = None
        await driver.press("enter")
        await driver.until(lambda: driver.composer.text == "")
        assert client.messages["@bobby"][-1].text == "precious"


async def test_a_paste_with_newlines_does_not_send(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        driver.app.post_message(Paste("one\r\ntwo\x1b[2J\n"))
        await driver.until(lambda: driver.composer.text == "one\ntwo␛[2J\n")
        assert len(client.messages["@bobby"]) == 8


async def test_blank_text_is_not_sent(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.press("space", "ctrl+j", "space", "enter")
        await driver.pilot.pause()
        assert len(client.messages["@bobby"]) == 8
        assert driver.composer.text == " \n "


async def test_what_is_written_is_undone_and_made_again_and_not_sent_by_that(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.write("hello")
        driver.app.post_message(Paste(" there"))
        await driver.until(lambda: driver.composer.text == "hello there")
        await driver.press("alt+z")
        await driver.until(lambda: driver.composer.text == "hello", "undone")
        await driver.press("alt+y")
        await driver.until(lambda: driver.composer.text == "hello there", "made again")
        assert len(client.messages["@bobby"]) == 8


@pytest.mark.parametrize("action", [each for each in ACTIONS if each.scope is Scope.COMPOSER], ids=lambda each: each.id)
async def test_no_key_sends_but_that_of_sending(tmp_path: Path, action: Action) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.write("hello")
        await driver.press(action.keys[0])
        await driver.pilot.pause()
        sent = len(client.messages["@bobby"]) - 8
        assert sent == (1 if action.id == "composer.send" else 0)


async def test_a_text_over_the_limit_is_refused_with_its_size_and_kept(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        driver.app.post_message(Paste("é" * 40_000))
        await driver.until(lambda: len(driver.composer.text) == 40_000)
        await driver.press("enter")
        await driver.sees("The message is 78.1 KiB")
        assert len(driver.composer.text) == 40_000
        assert len(client.messages["@bobby"]) == 8


async def test_a_draft_is_kept_when_one_goes_to_another_chat(tmp_path: Path) -> None:
    client = client_with_bobby()
    client.add_chat("@zelda", [])
    async with account_app(client, tmp_path) as driver:
        await driver.write("half a tho")
        await driver.press("ctrl+down")
        await driver.until(lambda: driver.open_peer == "@zelda")
        assert driver.composer.text == ""
        await driver.sees("✎ half a tho", "Nothing said yet")
        await driver.press("ctrl+up")
        await driver.until(lambda: driver.composer.text == "half a tho")


async def test_a_draft_is_kept_when_one_quits_at_once(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.write("not yet")
        await driver.press("ctrl+q")
        await driver.until(lambda: client.is_closed)
    assert client.drafts[-1] == ("@bobby", "not yet")


async def test_quitting_with_unsent_messages_says_that_they_are_kept(tmp_path: Path) -> None:
    client = client_with_bobby()
    client.online = False
    async with account_app(client, tmp_path) as driver:
        await driver.write("on my way")
        await driver.press("enter")
        await driver.sees("⧗ 1 queued")
        await driver.press("ctrl+q")
        await driver.sees("1 message has not been sent yet", "stays on this machine")
        await driver.press("escape")
        await driver.sees("⧗ queued")
        assert not client.is_closed
        await driver.press("ctrl+q")
        await driver.sees("Stay")
        await driver.press("enter")
        await driver.until(lambda: client.is_closed)


async def test_unread_chats_have_a_count_until_they_are_read(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        client.receive("@zelda", "psst")
        client.receive("@zelda", "are you there?")
        await driver.sees("are you there?", " 2 ")
        await driver.press("f2")
        await driver.sees("─ 2 new ─", "psst")
        await driver.until(lambda: client.chat("@zelda").unread == 0)
        assert client.read[-1] == ("@zelda", 2)


async def test_a_long_unread_chat_opens_at_the_first_unread_message(tmp_path: Path) -> None:
    client = FakeClient()
    chat = client.add_chat("@bobby", long_chat(500), unread=200)
    first = next(message for message in client.messages["@bobby"] if message.position > chat.read_up_to)
    async with account_app(client, tmp_path) as driver:
        await driver.sees("─ 200 new ─", first.text, "↓ ")
        assert client.chat("@bobby").unread > 185, "more is marked as read than was on the screen"
        await driver.press("ctrl+end")
        await driver.sees("number 500")
        await driver.until(lambda: client.chat("@bobby").unread == 0)
        await driver.sees_not("↓ ")
        await driver.press("ctrl+home")
        await driver.sees("This is the beginning")


async def test_a_message_that_arrives_while_one_reads_further_up_is_counted_below(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(200))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 200")
        await driver.press("pageup", "pageup")
        await driver.sees("↓ latest")
        before = [line.partition("▏")[2][:64] for line in driver.lines()[2:25]]
        client.receive("@bobby", "one more")
        await driver.sees("↓ 1 new")
        assert [line.partition("▏")[2][:64] for line in driver.lines()[2:25]] == before, "the view has moved"
        await driver.press("ctrl+end")
        await driver.sees("one more")


async def test_a_message_that_comes_late_to_a_place_further_up_is_read_once_one_has_gone_there(tmp_path: Path) -> None:
    client = FakeClient()
    said = long_chat(120)
    place = said.pop(80).position
    client.add_chat("@bobby", said)
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 120")
        seen = len(client.read)
        client.receive("@bobby", "from a slow clock", position=place)
        await driver.until(lambda: driver.contacts.chat("@bobby") == client.chat("@bobby"))
        await driver.sees_not("from a slow clock")
        assert len(client.read) == seen, "nobody has seen it"
        await driver.press("f4")
        await driver.sees("─ 1 new ─", "from a slow clock", "number 82")
        await driver.until(lambda: client.chat("@bobby").unread == 0)


async def test_five_thousand_messages_are_paged_through_with_few_in_memory(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(5000))
    async with account_app(client, tmp_path, size=(80, 60)) as driver:
        await driver.sees("number 5000")
        most = await turn_pages(driver, -1, until="@bobby-0")
        assert most <= 480
        await driver.press("ctrl+home")
        await driver.sees("This is the beginning", "number 1")
        most = await turn_pages(driver, 1, until="@bobby-4999")
        assert most <= 480
        await driver.press("ctrl+end")
        await driver.sees("number 5000")


async def turn_pages(driver: Driver, direction: int, until: str) -> int:
    """Scrolls page by page until a message is in memory; gives the most messages that were there at once."""
    most = pages = 0
    while until not in (ids := driver.messages_in_memory()):
        driver.transcript.page(direction)
        await asyncio.sleep(0)
        most, pages = max(most, len(ids)), pages + 1
        assert pages < 5000
    return most


async def test_a_new_chat_is_started_by_name(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        await driver.press("ctrl+n")
        await driver.sees("Write to somebody")
        await driver.write("zel")
        await driver.press("enter")
        await driver.sees("5 to 15 letters")
        await driver.write("da")
        await driver.press("enter")
        await driver.until(lambda: driver.open_peer == "@zelda")
        await driver.write("hi")
        await driver.press("enter")
        await driver.until(lambda: client.messages["@zelda"])


async def test_a_name_that_nobody_has_is_said_in_the_dialog_and_kept(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.press("ctrl+n")
        await driver.write("nobody_here")
        await driver.press("enter")
        await driver.sees("There is no user @nobody_here in this network", "nobody_here")
        await driver.press("escape")
        await driver.sees("number 8")


async def test_without_a_chat_the_screen_says_what_to_do_first(tmp_path: Path) -> None:
    async with account_app(FakeClient(), tmp_path) as driver:
        await driver.sees("No chats yet. Ctrl+N, then a name such as @bobby")


async def test_the_very_first_chat_opens_by_itself(tmp_path: Path) -> None:
    client = FakeClient()
    async with account_app(client, tmp_path) as driver:
        client.receive("@zelda", "surprise")
        await driver.sees("@zelda", "surprise", "─ 1 new ─", "Write to @zelda")


async def test_the_first_chat_opens_also_where_a_stranger_has_become_a_contact(tmp_path: Path) -> None:
    client = FakeClient()
    async with account_app(client, tmp_path) as driver:
        client.add_chat("@zelda", [], standing=Standing.REQUEST)
        client.receive("@zelda", "surprise")
        await driver.sees("REQUESTS (1)", "Choose a chat on the left")
        client.change_chat("@zelda", standing=Standing.CONTACT)
        await driver.sees("surprise", "Write to @zelda")
        await driver.sees_not("REQUESTS")


async def test_a_narrow_terminal_shows_the_list_or_the_chat(tmp_path: Path) -> None:
    client = client_with_bobby()
    client.add_chat("@zelda", [])
    async with account_app(client, tmp_path, size=(60, 24)) as driver:
        await driver.sees("@bobby", "@zelda", "Ctrl+N new chat")
        await driver.sees_not("Enter send")
        await driver.press("enter")
        await driver.sees("‹ @bobby", "number 8", "Enter send")
        await driver.sees_not("@zelda")
        await driver.press("escape")
        await driver.sees("@zelda")
        await driver.sees_not("number 1", "Enter send")


async def test_the_title_leads_back_to_the_list_only_where_that_is_not_beside_it(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path, size=(100, 30)) as driver:
        await driver.sees("▏ @bobby", "number 8")
        for _ in range(2):
            await driver.pilot.resize_terminal(60, 30)
            await driver.sees("‹ @bobby")
            await driver.pilot.resize_terminal(100, 30)
            await driver.sees_not("‹")


async def test_passing_by_a_chat_does_not_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xirtam_tui.screens.chat.chat._DWELL_S", 3.0)  # a busy machine is slow at passing by
    client = client_with_bobby()
    client.add_chat("@zelda", long_chat(3, "@zelda"), unread=2)
    client.add_chat("@carol_w", [])
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 8")
        driver.contacts.focus()
        await driver.pilot.press("down", "down", "up", "up")
        await driver.until(lambda: driver.contacts.open_chat == "@bobby")
        assert client.chat("@zelda").unread == 2


async def test_the_list_can_be_filtered(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.sees("@erin_m")
        await driver.press("ctrl+f")
        await driver.write("dav")
        await driver.sees_not("@erin_m")
        await driver.press("enter")
        await driver.until(lambda: driver.open_peer == "@dave_hiker")
        await driver.sees("@erin_m")


async def test_the_switcher_jumps_to_a_chat(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.press("ctrl+k")
        await driver.sees("Jump to a chat")
        await driver.write("ern")
        await driver.press("enter")
        await driver.until(lambda: driver.open_peer == "@erin_m")


async def test_an_alarm_blocks_sending_until_it_is_acknowledged(tmp_path: Path) -> None:
    client = client_with_bobby(alarm="@bobby has new keys")
    async with account_app(client, tmp_path) as driver:
        await driver.sees("⚠ @bobby has new keys")
        await driver.write("hello")
        await driver.press("enter")
        await driver.sees("First look at the warning above (F8)")
        assert len(client.messages["@bobby"]) == 8
        await driver.press("f8")
        await driver.sees("Is @bobby still the same person?")
        await driver.press("shift+tab", "enter")
        await driver.sees_not("⚠ @bobby has new keys")
        await driver.press("enter")
        await driver.until(lambda: len(client.messages["@bobby"]) == 9)


async def test_an_alarm_that_is_raised_is_shown(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        client.emit(AlarmRaised("the directory told two stories [bold]and[/bold] \x1b]52;c;x\x07"))
        await driver.sees("Security alarm", "the directory told two stories", "[bold]and[/bold] ␛]52;c;x␇")


async def test_text_that_could_act_on_the_terminal_is_made_plain(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        client.receive("@bobby", "see \x1b]52;c;aGFjaw==\x07 and \u202etxt.exe [red]not markup[/red]")
        await driver.sees("see ␛]52;c;aGFjaw==␇ and txt.exe [red]not markup[/red]")


async def test_a_flood_of_events_is_taken_in_batches(tmp_path: Path) -> None:
    client = client_with_bobby()
    async with account_app(client, tmp_path) as driver:
        batches = 0
        take_in = driver.conversation.apply

        def counted(batch: Batch) -> None:
            nonlocal batches
            batches += 1
            take_in(batch)

        driver.conversation.apply = counted
        for message in long_chat(2000)[8:]:
            client.messages["@bobby"].append(message)
            client.emit(MessageAdded(message))
        await driver.sees("number 2000")
        assert batches < 100


async def test_an_account_in_use_is_said_with_a_way_to_try_again(tmp_path: Path) -> None:
    machine = FakeMachine(client_with_bobby())
    machine.open_error = InUse("@alice is open in another window; close it there first")
    async with machine_app(machine, tmp_path) as driver:
        await driver.sees("The account is in use", "@alice is open in another window", "Try again")
        machine.open_error = None
        await driver.press("enter")
        await driver.sees("number 8")


async def test_an_engine_that_breaks_ends_in_words(tmp_path: Path) -> None:
    machine = FakeMachine(client_with_bobby())
    machine.clients = {Username("@ghost_"): machine.clients[Username("@alice")]}
    machine.open_account = _broken
    async with machine_app(machine, tmp_path) as driver:
        await driver.sees("Something broke inside xirtam", "ZeroDivisionError: oh")


async def _broken(*_: object, **__: object) -> FakeClient:
    raise ZeroDivisionError("oh")


async def test_one_of_several_accounts_is_chosen(tmp_path: Path) -> None:
    other = FakeClient(Username("@second"))
    async with machine_app(FakeMachine(client_with_bobby(), other), tmp_path) as driver:
        await driver.sees("Open an account", "@alice", "@second")
        await driver.press("down", "enter")
        await driver.sees("xirtam  @second", "No chats yet")


async def test_a_message_is_copied_under_the_cursor(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.sees("number 8")
        await driver.press("up", "up", "c")
        await driver.until(lambda: driver.app.clipboard == "number 7")
        await driver.press("down", "down")
        await driver.until(lambda: driver.composer.has_focus)


async def test_the_theme_is_remembered(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.press("ctrl+t")
        await driver.until(lambda: driver.app.theme == "xirtam-light")
        await driver.sees("Colours", "light (2 of 4)")
    async with account_app(client_with_bobby(), tmp_path) as driver:
        assert driver.app.theme == "xirtam-light"


async def test_all_themes_are_gone_through_in_the_order_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('theme = "contrast"\n')
    async with account_app(client_with_bobby(), tmp_path) as driver:
        for said in ("the terminal's own (4 of 4)", "dark (1 of 4)", "light (2 of 4)", "high contrast (3 of 4)"):
            await driver.press("ctrl+t")
            await driver.sees(said)
        assert driver.app.theme == "xirtam-contrast"


async def test_a_notice_takes_the_place_of_what_is_true_no_more_and_of_nothing_else(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path) as driver:
        for alarm in ("one alarm", "another alarm", "one alarm"):
            driver.app.notify(alarm, title="Security alarm", severity="error", timeout=60)
        await driver.sees("one alarm", "another alarm")
        driver.press_at_once(*["ctrl+t"] * 4)
        await driver.sees("dark (1 of 4)")
        said = ("one alarm", "another alarm", "Colours")
        await driver.until(lambda: [driver.text().count(each) for each in said] == [1, 1, 1], "each is said once")


async def test_a_notice_covers_neither_what_was_said_last_nor_the_composer(tmp_path: Path) -> None:
    for size in ((80, 24), (140, 40)):
        async with account_app(client_with_bobby(), tmp_path, size=size) as driver:
            await driver.sees("number 8")
            before = driver.lines()
            for number in range(3):
                driver.app.notify(f"notice {number}: " + "many words " * 8, title="Something")
            await driver.sees("notice 2")
            kept = len(before) * 2 // 3
            assert driver.lines()[kept:] == before[kept:]
            assert driver.lines()[:2] == before[:2], "status and title are to be read all the same"


async def test_a_hundred_sizes_in_a_burst_leave_a_sheet_and_what_is_offered_as_they_were(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path, size=(100, 30)) as driver:
        await driver.sees("number 8")
        for keys, shown in ((("ctrl+k",), "Jump to a chat"), (("escape", "slash", "s", "e"), "/search words")):
            await driver.press(*keys)
            await driver.sees(shown)
            await driver.pilot.pause()
            before = driver.lines()
            for number in range(100):
                size = Size(10 + number * 37 % 190, 3 + number * 23 % 60)
                driver.app.post_message(Resize(size, size))
            driver.app.post_message(Resize(Size(100, 30), Size(100, 30)))
            await driver.until(lambda before=before: driver.lines() == before, "all as it was")
        assert driver.composer.text == "/se"


async def test_keys_can_be_chosen_in_a_file_and_its_mistakes_are_said(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(
        '[keys]\n"chat.new_chat" = "Ctrl+O"\n"chat.jump" = "ctrl+q"\n"no.such" = "x"\n"app.help" = "cntrl+y"\n'
    )
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.sees("Ctrl+O new chat", "there is no action", "Ctrl+Q is both “app.quit”", "no key “cntrl+y”")
        await driver.press("ctrl+o")
        await driver.sees("Write to somebody")
        await driver.press("escape", "f1")
        await driver.sees("What you can do")


async def test_whoever_loses_a_key_shows_it_no_more_and_does_nothing_at_it(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('[keys]\n"message.reply" = "c"\n"chat.new_chat" = "x"\n')
    async with account_app(client_with_bobby(), tmp_path, size=(160, 40)) as driver:
        await driver.sees("c is both “message.reply” and", "x is both “message.delete” and")
        await driver.sees_not("x new chat")
        await driver.press("up")
        await driver.sees("c reply", "y copy")
        await driver.press("escape", "escape", "x", "f1")
        await driver.sees("What you can do")
        await driver.write("copy")
        await driver.sees("y                  Copy the message's text")


async def test_many_mistakes_in_the_keys_are_one_notice_and_all_are_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text("[keys]\n" + "".join(f'"no.such{number}" = "x"\n' for number in range(5)))
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.sees("no.such0", "no.such2", "… and 2 more: the log has all of them")
        await driver.sees_not("no.such3")
    said = (log_directory(tmp_path) / "xirtam.log").read_text()
    assert [f"there is no action “no.such{number}”" in said for number in range(5)] == [True] * 5


async def test_the_help_lists_every_action(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path, size=(100, 60)) as driver:
        await driver.press("f1")
        await driver.sees("Ctrl+K", "Find a chat by a few letters")
        await driver.write("take back")
        await driver.sees("On a message", "Take back what was not sent")
        await driver.sees_not("Find a chat by a few letters")


async def test_the_palette_runs_actions_by_name(tmp_path: Path) -> None:
    async with account_app(client_with_bobby(), tmp_path) as driver:
        await driver.press("ctrl+p")
        await driver.write("New chat")
        await driver.sees("Start a chat with somebody")
        await driver.press("down", "enter")
        await driver.sees("Write to somebody")


async def test_older_messages_that_come_to_a_new_device_show_in_the_chat_that_is_open(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", [])
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Nothing said yet")
        await driver.write("half a sentence")
        client.messages["@bobby"] = long_chat(8)
        client.change_chat("@bobby", last=client.messages["@bobby"][-1])
        await driver.until(lambda: len(driver.messages_in_memory()) == 8)
        assert driver.composer.text == "half a sentence"


async def test_older_messages_from_another_device_show_above_the_newest_at_once(tmp_path: Path) -> None:
    client = FakeClient()
    said = long_chat(120)
    missed = [said.pop(116) for _ in range(3)]
    client.add_chat("@bobby", said)
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 116", "number 120")
        await driver.write("half a sentence")
        client.fill("@bobby", missed)
        await driver.sees("number 117", "number 118", "number 119", "number 120")
        await driver.sees_not("↓ ")
        assert driver.composer.text == "half a sentence"


async def test_older_messages_from_another_device_leave_the_view_and_the_cursor_where_they_are(tmp_path: Path) -> None:
    client = FakeClient()
    said = long_chat(200)
    above, below = [said.pop(170) for _ in range(3)], [said.pop(190) for _ in range(3)]
    client.add_chat("@bobby", said)
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 200")
        await driver.press(*["up"] * 20)
        await driver.sees("↓ latest")
        chosen, before = driver.transcript.cursor_message, _said(driver)
        assert chosen is not None
        client.fill("@bobby", above + below)
        await driver.until(lambda: {each.id for each in above + below} <= set(driver.messages_in_memory()))
        assert driver.transcript.cursor_message == chosen
        assert _said(driver) == before, "the view has moved"
        await driver.press("ctrl+end")
        await driver.sees("number 194", "number 195")


def _said(driver: Driver) -> list[str]:
    """The lines of the chat, without its scrollbar."""
    return [line.partition("▏")[2][:64].rstrip() for line in driver.lines()[2:25]]


async def test_older_messages_that_come_in_a_burst_are_not_read_again_for_each(tmp_path: Path) -> None:
    client, asked = FakeClient(), list[str]()
    said = long_chat(400)
    missed = [said.pop(90) for _ in range(300)]
    client.add_chat("@bobby", said)
    plain = client.history

    async def history(chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        asked.append(chat)
        await asyncio.sleep(0.02)
        return await plain(chat, before=before, after=after, limit=limit)

    client.history = history
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 400", "number 392")
        asked.clear()
        for message in missed:
            client.fill("@bobby", [message])
            await asyncio.sleep(0.001)
        await driver.until(lambda: missed[-1].id in driver.messages_in_memory())
        await driver.pilot.pause()
        assert len(asked) < 60
        await driver.press("ctrl+home")
        await driver.sees("number 1")


async def test_older_messages_that_come_while_a_chat_opens_are_not_left_out(tmp_path: Path) -> None:
    client, is_read, may_answer = FakeClient(), asyncio.Event(), asyncio.Event()
    said = long_chat(20)
    missed = [said.pop(15)]
    client.add_chat("@bobby", said)
    plain = client.history

    async def history(chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        page = await plain(chat, before=before, after=after, limit=limit)
        is_read.set()
        await may_answer.wait()
        return page

    client.history = history
    opening = account_app(client, tmp_path)
    answering = asyncio.create_task(_answer_after(is_read, lambda: client.fill("@bobby", missed), may_answer))
    async with opening as driver:
        await driver.sees("number 16", "number 20")
    await answering


async def _answer_after(is_read: asyncio.Event, change: Callable[[], None], may_answer: asyncio.Event) -> None:
    await is_read.wait()
    change()
    await asyncio.sleep(0.3)
    may_answer.set()
