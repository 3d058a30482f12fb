"""The panes of the main screen: what is known of a chat beside it, who has the focus, and how much room each has."""

from pathlib import Path

import msgspec
import pytest

from tests.tui.demo import CLIMBERS_ROSTER, climbers, demo_client
from tests.tui.fake_client import FakeClient
from tests.tui.fake_groups import member
from tests.tui.piloting import account_app
from xirtam_core.errors import Unreachable
from xirtam_core.events import MessageAdded
from xirtam_tui.screens.chat.widths import DETAILS, list_columns


def _with_group() -> tuple[FakeClient, str]:
    client = FakeClient()
    shown, messages = climbers()
    client.add_group(shown, messages, roster=CLIMBERS_ROSTER)
    return client, shown.id


@pytest.mark.parametrize("columns", [120, 140, 200])
def test_the_conversation_has_sixty_columns_beside_the_list_and_the_details(columns: int) -> None:
    assert columns - 1 - DETAILS - list_columns(None, columns, DETAILS) >= 60


@pytest.mark.parametrize("columns", [80, 100, 119])
def test_however_wide_one_wants_the_list_one_can_still_read(columns: int) -> None:
    assert columns - 1 - list_columns(columns, columns, 0) >= 44
    assert list_columns(1, columns, 0) == 20


async def test_what_is_known_of_somebody_stands_beside_the_chat_and_follows_what_happens(tmp_path: Path) -> None:
    client = demo_client()
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.sees("○ not verified", "changed 21 days ago", "48213 90417 …")
        client.change_chat("@bobby", verified=True, petname="Bob Martin")
        await driver.sees("@bobby ✓", "@bobby  ✓ verified  Bob Martin")
        await driver.sees_not("○ not verified")
        client.change_chat("@bobby", alarm="@bobby has new identity keys.")
        await driver.sees("⚠ identity changed", "look at the warning")


async def test_what_cannot_be_had_is_said_to_be_unknown(tmp_path: Path) -> None:
    client = demo_client()
    client.people.code_error = Unreachable("no connection to the directory")
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.sees("not known just now")


async def test_nobody_is_asked_about_a_chat_for_each_message_that_comes(tmp_path: Path) -> None:
    client, group_id = _with_group()
    asked: list[str] = []
    details = client.groups.details

    async def counted(group: str) -> object:
        asked.append(group)
        return await details(group)

    client.groups.details = counted  # pyright: ignore[reportAttributeAccessIssue] - what is asked is to be counted
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.sees("4 MEMBERS", "@carol_w")
        assert asked == [group_id]
        for number in range(20):
            last = client.messages[group_id][-2]  # somebody's words, the last being a notice
            message = msgspec.structs.replace(last, id=f"new-{number}", position=100 + number)
            client.emit(MessageAdded(message))
            client.change_chat(group_id, last=message, unread=number)
            await driver.pilot.pause()
        await driver.until(lambda: driver.chats_screen.about.is_settled)
        assert asked == [group_id]
        client.groups.rosters[group_id].append(member("@zelda"))
        client.groups.change(group_id, members=5)
        await driver.sees("@zelda", "5 MEMBERS")


async def test_of_a_crowd_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    client, group_id = _with_group()
    client.groups.rosters[group_id] += [member(f"@member_{number}") for number in range(100, 400)]
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.sees("more", "… and 2")
        assert len(driver.chats_screen.about.lines) <= 39


async def test_the_details_are_in_a_dialog_where_there_is_no_room_beside_the_chat(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path, size=(100, 30)) as driver:
        await driver.sees("see you there")
        assert "WHAT TO DO" not in driver.text()
        await driver.press("alt+s")
        await driver.sees("Safety code of you two")


async def test_the_focus_in_the_list_is_seen_without_colours(tmp_path: Path) -> None:
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.sees("▌ @bobby")
        await driver.press("escape")
        await driver.sees("❯ @bobby")
        await driver.press("enter")
        await driver.sees("▌ @bobby")
