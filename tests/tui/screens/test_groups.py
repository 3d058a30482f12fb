"""Groups on the chat screen: made, joined, managed and left by keyboard."""

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.tui.demo import CLIMBERS_ROSTER, climbers
from tests.tui.fake_client import FakeClient
from tests.tui.fake_groups import group, member
from tests.tui.piloting import Driver, account_app, long_chat
from xirtam_core.errors import StorageFault
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import ServerName, Username
from xirtam_core.people import Standing
from xirtam_tui.app import XirtamApp
from xirtam_tui.screens.group.group import GroupSheet


def _in_a_group() -> tuple[FakeClient, str]:
    client = FakeClient()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    return client, shown.id


async def test_a_group_is_made_and_somebody_invited(tmp_path: Path) -> None:
    client = FakeClient()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("No chats yet")
        await driver.press("ctrl+g", "enter")
        await driver.sees("Give it a name first")
        await driver.write("Hikers")
        await driver.press("enter")
        await driver.sees("Write to Hikers", "GROUPS")
        await driver.press("f9")
        await driver.sees("Hikers: 1 member", "@alice")
        await driver.press("i")
        await driver.write("@bobbyy")
        await driver.press("enter")
        await driver.sees("There is no user", "@bobbyy")
        await driver.press("backspace", "enter")
        await driver.sees("@bobby is invited", "@bobby  invited", "invite @somebody")


async def test_an_invitation_is_accepted_and_written_in(tmp_path: Path) -> None:
    client = FakeClient()
    invited = group("", state=GroupState.INVITED, invited_by=Username("@bobby"))
    client.add_group(invited, [])
    async with account_app(client, tmp_path) as driver:
        await driver.sees("REQUESTS (1)", "a group of @bobby")
        await driver.press("ctrl+down")
        await driver.sees("invites you into this group", "F5 accept")
        await driver.press("f5")
        await driver.sees("GROUPS", "Write to")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("hello all")
        await driver.press("enter")
        await driver.until(lambda: client.messages[invited.id][-1].text == "hello all")


async def test_an_invitation_is_declined_only_when_one_agrees(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_group(group("Sellers", state=GroupState.INVITED, invited_by=Username("@bobby")), [])
    async with account_app(client, tmp_path) as driver:
        await driver.sees("REQUESTS (1)")
        await driver.press("ctrl+down", "f7")
        await driver.sees("Decline the invitation to Sellers?")
        await driver.press("escape")
        await driver.sees("REQUESTS (1)")
        await driver.press("f7")
        await driver.sees("Decline the invitation")
        await driver.agree()
        await driver.sees_not("Sellers")


async def test_an_admin_bans_lets_in_and_makes_admins(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("@carol_w")
        await driver.press("down", "down")
        await driver.sees("Make admin a", "Ban b")
        await driver.press("b")
        await driver.sees("Ban @carol_w?", "stays with them")
        await driver.agree()
        await driver.sees("@carol_w is banned as soon as the group's server has that.", "@carol_w  banned")
        roster = {each.name: each for each in client.groups.rosters[climbing]}
        assert roster[Username("@carol_w")].status is Status.BANNED
        await driver.sees("Lift the ban b")
        await driver.press("home", "down", "a")
        await driver.sees("Is @bobby to be an admin no more?")
        await driver.agree()
        await driver.sees("@bobby is an admin no more")
        await driver.press("a")
        await driver.sees("Make @bobby an admin?")
        await driver.press("enter")
        await driver.sees_not("Make @bobby an admin?")
        roster = {each.name: each for each in client.groups.rosters[climbing]}
        assert not roster[Username("@bobby")].is_admin


async def test_a_group_is_moved_and_on_without_its_server_where_that_is_gone(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    client.groups.change(climbing, server=ServerName("~beach"))
    client.groups.server_is_away = True
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("It is at ~beach.", "Move m")
        await driver.press("m")
        await driver.sees("Move Climbers to your server?", "nothing is lost")
        await driver.agree()
        await driver.sees("gone for good?", "told by direct messages")
        assert client.groups.moved == []
        await driver.agree()
        await driver.sees("It is on its way")
        assert client.groups.moved == [(climbing, True)]


async def test_a_group_that_does_not_come_where_it_goes_is_brought_here_instead(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    client.groups.change(climbing, server=ServerName("~beach"), moves_to=ServerName("~zzzzz"))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("on its way to ~zzzzz", "Move m")
        await driver.press("m")
        await driver.sees("Is ~zzzzz gone for good?", "told by direct messages")
        await driver.agree()
        await driver.sees("It is on its way")
        assert client.groups.moved == [(climbing, True)]


async def test_mentions_are_counted_in_the_list_and_marked_in_the_transcript(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", [])
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER, unread=4)
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers", "@1  4")
        await driver.press("ctrl+down")
        await driver.sees("@ I can. Are we still four, @alice?")
        await driver.sees_not("@1  4")


async def test_members_are_offered_first_while_a_name_is_written_in_a_group(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@anton_b", [])
    shown, messages = climbers()
    client.add_group(shown, messages, roster=(*CLIMBERS_ROSTER, member("@carola"), member("@Carolus")))
    async with account_app(client, tmp_path) as driver:
        await driver.press("ctrl+down")
        await driver.until(lambda: driver.open_peer == shown.id and driver.composer.has_focus)
        before = driver.transcript.region
        await driver.write("Ask @")
        await driver.sees("@bobby", "@carol_w", "@dave_hiker", "@anton_b", "not in this group")
        names = [
            line.split("@")[-1].split()[0]
            for line in driver.lines()
            if ("▏" in line and "  @" in line) or "▌ @" in line
        ]
        assert names[-7:] == ["bobby", "carol_w", "carola", "Carolus", "dave_hiker", "erin_m", "anton_b"]
        assert driver.transcript.region == before, "the layout has jumped"
        await driver.sees_not("@mallory  ")
        await driver.write("c")
        await driver.press("down", "down", "enter")
        await driver.until(lambda: driver.composer.text == "Ask @Carolus ")
        await driver.write("or @bo")
        await driver.press("tab")
        await driver.until(lambda: driver.composer.text == "Ask @Carolus or @bobby ")
        await driver.write("@dav")
        await driver.press("enter")
        await driver.until(lambda: driver.composer.text == "Ask @Carolus or @bobby @dave_hiker ")
        await driver.write("@er")
        await driver.sees("▌ @erin_m")
        await driver.press("escape")
        await driver.sees_not("▌ @erin_m")
        await driver.press("tab")
        await driver.sees("▌ @erin_m")
        await driver.press("escape", "enter")
        await driver.until(lambda: client.messages[shown.id][-1].text == "Ask @Carolus or @bobby @dave_hiker @er")


async def test_contacts_are_offered_in_a_direct_chat_and_taken_by_a_click(tmp_path: Path) -> None:
    client = FakeClient()
    for number in range(12):
        client.add_chat(f"@person{number:02}", [])
    client.add_chat("@stranger", [], standing=Standing.REQUEST)
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("is @")
        await driver.sees("▌ @person00")
        assert not any("▏" in line and line.rindex("▏") < line.find("@stranger", 30) for line in driver.lines())
        await driver.press(*["down"] * 8)
        await driver.sees("▌ @person08")  # beyond the eight that show at once
        suggestions = driver.conversation.suggestions
        assert await driver.pilot.click(suggestions, offset=(4, 1))
        await driver.until(lambda: driver.composer.text == "is @person02 ")
        await driver.write("@")
        await driver.sees("▌ @person00")
        await driver.press("enter")
        await driver.until(lambda: client.messages[driver.open_peer or ""][-1:] != [])


async def test_tab_goes_on_to_what_is_next_where_nothing_is_offered(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", [])
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("@nobody_of_that_name")
        await driver.press("tab")
        await driver.until(lambda: not driver.composer.has_focus)
        assert driver.composer.text == "@nobody_of_that_name"


async def test_a_group_is_left_and_then_deleted(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f7")
        await driver.sees("Leave Climbers?")
        await driver.agree()
        await driver.sees("You have left this group")
        assert client.groups.shown(climbing).state is GroupState.LEFT
        await driver.press("f7")
        await driver.sees("Delete what was said in Climbers?")
        await driver.agree()
        await driver.sees_not("Climbers")


async def test_where_one_came_in_it_is_said_what_is_older_is_not_here(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_group(*climbers(invited_by=Username("@bobby")), roster=CLIMBERS_ROSTER)
    async with account_app(client, tmp_path) as driver:
        await driver.sees("This is from about when you were invited.", "erin_m joined")
        await driver.sees_not("begins for you")


async def test_a_key_pressed_twice_leaves_and_erases_nothing(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers")
        await driver.until(lambda: driver.composer.has_focus)
        for _ in range(2):
            await driver.press("f7")
            await driver.sees("Leave Climbers?")
            await driver.press("enter")
            await driver.sees_not("Leave Climbers?")
        assert client.groups.shown(climbing).state is GroupState.MEMBER
        assert client.messages[climbing]


async def test_an_admin_answers_who_asks_to_be_let_in(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    client.groups.change(climbing, is_admin=True)
    client.door.ask(climbing, "@zelda", "we met \x1b[2J in Arco")
    client.door.ask(climbing, "@seller", "buy now")
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers", "2 ask to be let in: F9 shows who")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("@zelda  asks to be let in", "in Arco", "Let in y", "Refuse n")
        await driver.press("y")
        await driver.sees("@zelda is let in", "@zelda  invited")
        await driver.press("home", "n")
        await driver.sees("@seller is told")
        await driver.sees_not("Let in y")
    assert client.door.refused == ["@seller"]


async def test_a_member_is_shown_what_is_wrong_with_the_groups_name(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    client.groups.change(climbing, is_admin=False, name_alarm="+climbers leads to another group now")
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers", "+climbers leads to another group now")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("+climbers leads to another group now")


async def test_a_group_is_asked_about_by_its_name_or_by_a_link(tmp_path: Path) -> None:
    client, _ = _in_a_group()
    link = "xirtam:group?group=" + "00" * 32 + "&admin=@bobby&secret=" + "11" * 20
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("ctrl+n")
        await driver.write("+nobody_here")
        await driver.press("enter")
        await driver.sees("The directory lists no group")
        for target in ("+climbers", link):
            await driver.press("end", "ctrl+u")
            await driver.write(target)
            await driver.press("enter")
            await driver.sees("@bobby is asked", "Waiting to be let in", "Close")
            named = "+climbers" if target == "+climbers" else "a group that a link leads to"
            await driver.sees(f"{named}  @bobby was asked on")
    assert client.asking.targets == ["+climbers", link]


async def test_who_waits_to_be_let_in_sees_it_and_can_ask_no_more(tmp_path: Path) -> None:
    client, _ = _in_a_group()
    await client.asking.join("+hikers")
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("ctrl+n")
        await driver.sees("+hikers  @bobby was asked on")
        await driver.press("tab", "down", "enter")
        await driver.sees("Wait no longer for +hikers?")
        await driver.press("enter")
        await driver.sees_not("Wait no longer for +hikers?")
        assert client.asking.asking_for
        await driver.press("enter")
        await driver.sees("Wait no longer for +hikers?")
        await driver.agree()
        await driver.sees_not("Waiting to be let in")
    assert client.asking.asking_for == []


async def test_who_asks_to_be_let_in_is_marked_told_and_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(XirtamApp, "bell", lambda _: rung.append(1))
    (tmp_path / "settings.toml").write_text("bell = true\n")
    client, climbing = _in_a_group()
    client.add_chat("@zelda", long_chat(3, "@zelda"))
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.until(lambda: driver.open_peer == "@zelda")
        await driver.press("f2")
        await driver.sees("Nothing else is unread")
        client.door.ask(climbing, "@seller")
        await driver.sees("?1")
        assert rung == [1]
        await driver.press("f2")
        await driver.sees("1 asks to be let in")
        client.door.waiting.clear()
        client.groups.change(climbing, asking=0)
        await driver.sees_not("?1", "1 asks to be let in")
        assert rung == [1]


async def _sheet(driver: Driver) -> GroupSheet:
    """The members' sheet, of the group that is open."""
    await driver.sees("Climbers")
    await driver.until(lambda: driver.composer.has_focus)
    await driver.press("f9")
    await driver.sees("@carol_w")
    assert isinstance(driver.app.screen, GroupSheet)
    return driver.app.screen


async def test_the_cursor_follows_a_person_and_is_on_nobody_once_they_are_gone(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    async with account_app(client, tmp_path) as driver:
        hits = (await _sheet(driver)).query_one(OptionList)
        await driver.press("down", "down")
        client.door.ask(climbing, "@zelda")
        client.door.ask(climbing, "@seller")
        await driver.sees("@seller  asks to be let in")
        assert hits.highlighted_option is not None
        assert hits.highlighted_option.id == "@carol_w"
        await driver.press("home")
        await driver.sees("Let in y")
        client.door.waiting.pop(0)
        await driver.sees_not("@zelda", "Let in y")
        await driver.press("y", "n", "b", "a")
        await driver.sees("Choose somebody first.")
        assert [each.user for each in client.door.waiting] == ["@seller"]
        assert client.door.refused == []


async def test_letters_are_keys_in_the_list_and_text_in_the_field_and_arrows_go_between(tmp_path: Path) -> None:
    client, _ = _in_a_group()
    async with account_app(client, tmp_path) as driver:
        sheet = await _sheet(driver)
        field, hits = sheet.query_one(Input), sheet.query_one(OptionList)
        await driver.until(lambda: hits.has_focus)
        await driver.press("i")
        await driver.write("bad")
        assert field.value == "bad"
        await driver.press("up")
        await driver.until(lambda: hits.has_focus)
        await driver.press("down", "down", "b")
        await driver.sees("Ban @carol_w?")
        assert field.value == "bad"


async def test_all_is_done_with_the_mouse_too(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    client.door.ask(climbing, "@zelda")
    async with account_app(client, tmp_path) as driver:
        await _sheet(driver)
        await driver.sees("Let in y")
        await driver.pilot.click("#let_in")
        await driver.sees("@zelda is let in.")
        await driver.pilot.click("#hits", offset=(4, 2))
        await driver.sees("Ban b")
        await driver.pilot.click("#ban")
        await driver.sees("Ban @carol_w?")
        await driver.pilot.click("#decline")
        await driver.sees_not("Ban @carol_w?")


async def test_who_is_no_admin_is_told_so(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    client.groups.change(climbing, is_admin=False, may_invite=False)
    async with account_app(client, tmp_path) as driver:
        await _sheet(driver)
        await driver.sees_not("Ban", "invite @somebody", "Link")
        await driver.press("b")
        await driver.sees("Only admins can do that.")
        await driver.press("i")
        await driver.sees("Only admins invite here.")


async def test_a_group_gets_another_name_another_description_and_rules(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    client.groups.unsure = (Username("@carol_w"),)
    long = ("Thursdays. " * 40).strip()
    client.groups.change(climbing, description=long)
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await _sheet(driver)
        await driver.press("s")
        await driver.sees("Name and rights of Climbers", "Only admins invite", "Only admins write")
        await driver.press("end")
        await driver.write(" one")
        await driver.press("tab", "tab", "tab", "enter")
        await driver.sees("The clients of @carol_w may not know such rules")
        await driver.press("tab", "enter")
        await driver.sees("Climbers one: 4 members", "All members invite, only admins write.")
        assert client.groups.rules == {"who_invites": "members", "who_posts": "admins"}
        assert client.groups.shown(climbing).description == long
        await driver.press("s", "tab", "end")
        await driver.write("Bring rope.")
        await driver.press("enter")
        await driver.sees("It holds as soon as the group's server has it.")
        assert client.groups.shown(climbing).description == f"{long}Bring rope."


async def test_an_invite_link_is_made_copied_and_ended(tmp_path: Path) -> None:
    client, _ = _in_a_group()
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await _sheet(driver)
        await driver.press("l")
        await driver.sees("An invite link for Climbers", "Make a link")
        await driver.press("enter")
        await driver.sees("xirtam:group?group=", "1 link of yours into this group")
        await driver.press("enter")
        await driver.sees("Copied")
        assert driver.app.clipboard.endswith("secret=" + "11" * 20)
        await driver.pilot.click("#end")
        await driver.sees("End your links into Climbers?")
        await driver.agree()
        await driver.sees("They let nobody in any more.")
        await driver.sees_not("xirtam:group?")
    assert client.door.made == []


async def test_a_sheet_whose_engine_fails_says_so_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = _in_a_group()

    async def fail() -> None:
        raise StorageFault("the disk cannot be read")

    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        with monkeypatch.context() as broken:
            broken.setattr(client, "status", fail)
            await driver.press("f9")
            await driver.sees("The disk cannot be read.")
            await driver.press("b")
            await driver.sees("Choose somebody first.")
        await driver.sees("Climbers: 4 members", "@carol_w")
        await driver.sees_not("The disk cannot be read.")


async def test_a_group_is_left_from_its_sheet(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    async with account_app(client, tmp_path) as driver:
        await _sheet(driver)
        await driver.press("f7")
        await driver.sees("Leave Climbers?")
        await driver.agree()
        await driver.sees("You have left this group")
        assert client.groups.shown(climbing).state is GroupState.LEFT


async def test_a_group_is_muted_and_may_call_again_among_its_members(tmp_path: Path) -> None:
    client = FakeClient()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("Mute u")
        await driver.press("u")
        await driver.sees("Unmute u", "Muted: nothing that is said here notifies you.")
        assert client.chat(shown.id).is_muted
        await driver.press("u")
        await driver.sees_not("Muted: nothing")
        assert not client.chat(shown.id).is_muted


async def test_a_group_gets_a_name_in_the_directory_and_is_taken_out_again(tmp_path: Path) -> None:
    client = FakeClient()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    async with account_app(client, tmp_path, size=(80, 24)) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("Name p")
        await driver.press("p")
        await driver.sees("A name in the directory for Climbers", "It has no name there", "stays readable")
        await driver.write("c!")
        await driver.press("enter")
        await driver.sees("It has no name there")
        assert client.names.seen == {}
        await driver.press("backspace")
        await driver.write("limbers")
        await driver.press("enter")
        await driver.sees("+climbers: proving the owner 42%, about 12 s left", "You can close this")
        client.names.logged(shown.id)
        await driver.sees("It is +climbers in the directory, owned by @alice.", "Take it back")
        await driver.pilot.click("#unpublish")
        await driver.sees("It has no name there", "The name stays yours")


async def test_an_admin_pins_a_message_and_takes_the_pin_off(tmp_path: Path) -> None:
    client = FakeClient()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("up", "up", "up")
        await driver.until(
            lambda: driver.conversation.chosen and driver.conversation.chosen.text.startswith("Five, if")
        )
        await driver.press("m")
        await driver.sees("Have a group's members find it again")
        await driver.press("p")
        await driver.sees("It is pinned as soon as", "PINNED (1)", "alice: Five, if Dave")
        await driver.press("p")
        await driver.sees("The pin is taken off")
        await driver.sees_not("PINNED (1)")
        client.groups.change(shown.id, is_admin=False)
        await driver.sees("you     member")
        await driver.press("m")
        await driver.sees("Your message")
        assert "Have a group's members" not in driver.text()
