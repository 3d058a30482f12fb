"""What one does with the mouse on the main screen."""

from pathlib import Path

from rich.cells import cell_len
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Offset
from textual.widget import Widget

from tests.tui.demo import CLIMBERS_ROSTER, Script, climbers, demo_client
from tests.tui.fake_client import ALICE, NOW_NS, FakeClient
from tests.tui.piloting import Driver, account_app, long_chat
from xirtam_core.chat import Reaction
from xirtam_core.names import Username


def _client() -> FakeClient:
    client = FakeClient()
    script = Script("@bobby", NOW_NS - 10**12)
    script.say("bobby", "who has the map?", reactions=(Reaction("👍", (Username("@bobby"),)), Reaction("🎉", (ALICE,))))
    script.say("you", "me, I think", after_min=1)
    script.say("bobby", "good", after_min=2, reply_to="@bobby-0", quote="who has the map?")
    client.add_chat("@bobby", script.messages)
    return client


async def click(driver: Driver, words: str, *, button: int = 1) -> None:
    """Clicks on some words, those furthest down and to the right where the screen has them more than once."""
    lines = driver.lines()
    row = max(y for y, line in enumerate(lines) if words in line)
    before, _, _ = lines[row].rpartition(words)
    await driver.pilot.click(offset=Offset(cell_len(before), row), button=button)


def _turn_wheel(driver: Driver, over: Widget, kind: type[MouseScrollUp] | type[MouseScrollDown]) -> None:
    """Turns the wheel while the pointer is in the middle of a pane."""
    x, y = over.region.center
    at = {"x": int(x), "y": int(y), "screen_x": int(x), "screen_y": int(y)}
    driver.app.post_message(kind(None, delta_x=0, delta_y=0, button=0, shift=False, meta=False, ctrl=False, **at))


async def test_a_click_chooses_a_message_and_a_second_one_says_what_can_be_done(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("me, I think")
        await click(driver, "me, I think")
        await driver.until(lambda: driver.conversation.chosen is not None and driver.conversation.chosen.mine)
        await driver.sees("r reply")
        await click(driver, "me, I think")
        await driver.sees("Your message", "Take back", "Edit")
        await click(driver, "Edit")
        await driver.sees("✎ editing  me, I think")


async def test_a_right_click_says_what_can_be_done_about_a_message_and_its_keys_do_it(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await driver.sees("good")
        await click(driver, "good", button=3)
        await driver.sees("A message of @bobby", "Follow")
        await driver.press("r")
        await driver.sees("↩ to bobby  good")


async def test_a_click_on_a_quotation_goes_to_what_is_quoted(tmp_path: Path) -> None:
    async with account_app(_client(), tmp_path) as driver:
        await driver.sees("▏who has the map?")
        await click(driver, "▏who has the map?")
        await driver.until(
            lambda: driver.conversation.chosen is not None and driver.conversation.chosen.id == "@bobby-0"
        )


async def test_a_click_on_a_reaction_puts_it_there_too_or_takes_ones_own_off(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await driver.sees("└ 👍 bobby", "🎉 you")
        await click(driver, "🎉 you")
        await driver.sees_not("🎉 you")
        await click(driver, "👍 bobby")
        await driver.sees("👍 you, bobby")
        assert [each.emoji for each in client.messages["@bobby"][0].reactions] == ["👍"]


async def test_the_wheel_scrolls_the_pane_that_is_under_it(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(200))
    for number in range(10, 40):
        client.add_chat(f"@member_{number}", [])
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 200")
        list_at, said_at = driver.contacts.scroll_offset.y, driver.transcript.scroll_offset.y
        _turn_wheel(driver, driver.transcript, MouseScrollUp)
        await driver.until(lambda: driver.transcript.scroll_offset.y < said_at)
        assert driver.contacts.scroll_offset.y == list_at
        said_at = driver.transcript.scroll_offset.y
        _turn_wheel(driver, driver.contacts, MouseScrollDown)
        await driver.until(lambda: driver.contacts.scroll_offset.y > list_at)
        assert driver.transcript.scroll_offset.y == said_at


async def test_the_parts_of_the_status_line_lead_to_what_they_are_about(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path, size=(140, 40)) as driver:
        for words, heading in (
            ("@alice", "Your account"),
            ("connected", "right to the second"),
            ("help", "What you can"),
        ):
            await driver.sees("see you there")
            await click(driver, words)
            await driver.sees(heading)
            await driver.press("escape")
            await driver.sees_not(heading)


async def test_the_title_leads_to_the_details_by_mouse_and_by_keys(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path, size=(80, 24)) as driver:
        await driver.sees("see you there")
        await driver.pilot.click("#title")
        await driver.sees("Safety code of you two")
        await driver.press("escape")
        await driver.sees_not("Safety code of you two")
        await driver.press("shift+tab", "shift+tab", "enter")
        await driver.sees("Safety code of you two")


async def test_what_is_below_is_gone_to_by_a_click(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(200))
    async with account_app(client, tmp_path) as driver:
        await driver.sees("number 200")
        await driver.press("pageup", "pageup")
        await driver.sees("↓ latest")
        await click(driver, "↓ latest")
        await driver.sees_not("↓ latest")


async def test_a_line_of_the_details_does_what_it_says(tmp_path: Path) -> None:
    client = demo_client()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    client.groups.pinned = [messages[1]]
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.sees("see you there", "WHAT TO DO")
        await click(driver, "Alt+M")
        await driver.sees("@bobby is muted", "contact, muted")
        await click(driver, "Climbers")
        await driver.sees("PINNED (1)", "4 MEMBERS")
        await click(driver, "F9 ")
        await driver.sees("Climbers: 4 members")


async def test_the_list_is_made_wider_by_its_edge_and_keys_and_found_so_again(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.sees("see you there")
        assert driver.contacts.size.width == 38
        edge = driver.chats_screen.query_one("#divider")
        await driver.pilot.mouse_down(offset=Offset(edge.region.x, 8))
        await driver.pilot.hover(offset=Offset(42, 8))
        await driver.pilot.mouse_up(offset=Offset(42, 8))
        await driver.until(lambda: driver.contacts.size.width == 42)
        await driver.press("alt+l")
        await driver.until(lambda: driver.contacts.size.width == 44)
        await driver.press(*["alt+l"] * 10)
        assert driver.transcript.size.width >= 60
        await driver.press(*["alt+j"] * 20)
        await driver.until(lambda: driver.contacts.size.width == 20)
        await driver.until((tmp_path / "view.json").exists)
        await driver.press("alt+s")
        await driver.sees_not("WHAT TO DO")
        await driver.until(lambda: b"hides_details" in (tmp_path / "view.json").read_bytes())
    again = demo_client()
    async with account_app(again, tmp_path, size=(140, 40)) as driver:
        await driver.sees("see you there")
        assert driver.contacts.size.width == 20
        assert "WHAT TO DO" not in driver.text()
        await driver.press("alt+s")
        await driver.sees("WHAT TO DO")
