"""Groups on the chat screen: made, joined, managed and left by keyboard."""

from pathlib import Path

from tests.tui.demo import CLIMBERS_ROSTER, climbers
from tests.tui.fake_client import FakeClient
from tests.tui.fake_groups import group, member
from tests.tui.piloting import account_app
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import ServerName, Username


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
        await driver.write("nobody_here")
        await driver.press("enter")
        await driver.sees("There is no user")
        await driver.write("@bobby")
        await driver.press("enter")
        await driver.sees("@bobby is invited", "@bobby  invited")


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
        await driver.sees("@carol_w", "b ban or let in again")
        await driver.press("shift+tab")
        await driver.press("down", "down", "b")
        await driver.sees("Ban @carol_w?", "stays with them")
        await driver.agree()
        await driver.sees("@carol_w is banned as soon as the group's server has that.", "@carol_w  banned")
        roster = {each.name: each for each in client.groups.rosters[climbing]}
        assert roster[Username("@carol_w")].status is Status.BANNED


async def test_a_group_is_moved_and_on_without_its_server_where_that_is_gone(tmp_path: Path) -> None:
    client, climbing = _in_a_group()
    client.groups.change(climbing, server=ServerName("~beach"))
    client.groups.server_is_away = True
    async with account_app(client, tmp_path) as driver:
        await driver.sees("Climbers")
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("m move it to your server")
        await driver.press("shift+tab", "m")
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
        await driver.sees("on its way to ~zzzzz", "m bring it to your server instead")
        await driver.press("shift+tab", "m")
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


async def test_tab_completes_a_name_in_a_group_as_far_as_it_is_clear(tmp_path: Path) -> None:
    client = FakeClient()
    shown, messages = climbers()
    roster = (*CLIMBERS_ROSTER, member("@carola"), member("@Carolus"))
    client.add_group(shown, messages, roster=roster)
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("Ask @bo")
        await driver.press("tab")
        await driver.until(lambda: driver.composer.text == "Ask @bobby ")
        await driver.write("or @c")
        await driver.press("tab")
        await driver.sees("@carol_w · @carola · @Carolus")
        assert driver.composer.text == "Ask @bobby or @carol"
        await driver.write("_")
        await driver.sees_not("@carol_w · @carola")
        await driver.press("tab")
        await driver.until(lambda: driver.composer.text == "Ask @bobby or @carol_w ")
        await driver.write("@mal")
        await driver.press("tab")
        await driver.sees("nobody here is called @mal")
        await driver.write(" ")
        await driver.press("tab")
        await driver.until(lambda: not driver.composer.has_focus)


async def test_tab_in_a_direct_chat_goes_on_to_what_is_next(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", [])
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.write("@bo")
        await driver.press("tab")
        await driver.until(lambda: not driver.composer.has_focus)
        assert driver.composer.text == "@bo"


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
        await driver.sees("@zelda  asks to be let in", "in Arco", "y let in · n refuse")
        await driver.press("shift+tab", "home", "y")
        await driver.sees("@zelda is let in", "@zelda  invited")
        await driver.press("home", "n")
        await driver.sees("@seller is told")
        await driver.sees_not("y let in")
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
            await driver.sees("@bobby is asked")
    assert client.asking.asked == ["+climbers", link]
