"""The keys of sheets: in the help as all others, and changed as all others."""

from pathlib import Path

from tests.tui.demo import CLIMBERS_ROSTER, climbers, demo_client
from tests.tui.fake_client import FakeClient
from tests.tui.piloting import account_app


async def test_the_keys_among_members_stand_in_the_help_and_can_be_changed(tmp_path: Path) -> None:
    client = FakeClient()
    client.add_group(*climbers(), roster=CLIMBERS_ROSTER)
    (tmp_path / "keys.toml").write_text('[keys]\n"group.ban" = "x"\n')
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f9")
        await driver.sees("@carol_w")
        await driver.press("down", "down")
        await driver.sees("Ban x")
        await driver.press("f1")
        await driver.sees("What you can do")
        await driver.write("shut a")
        await driver.sees("Among a group's members", "x                  Shut a member out")
        await driver.press("escape")
        await driver.sees_not("What you can do")
        await driver.press("x")
        await driver.sees("Ban @carol_w?")


async def test_the_keys_on_a_person_stand_in_the_help_and_can_be_changed(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('[keys]\n"person.block" = "x"\n')
    async with account_app(demo_client(), tmp_path) as driver:
        await driver.until(lambda: driver.composer.has_focus)
        await driver.press("f10")
        await driver.sees("Safety code of you two", "48213")
        await driver.press("f1")
        await driver.sees("What you can do")
        await driver.write("block them")
        await driver.sees("On a person", "x                  Block them")
        await driver.press("escape")
        await driver.sees_not("What you can do")
        await driver.press("x")
        await driver.sees("Block @bobby?")
