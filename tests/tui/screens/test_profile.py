"""The sheet about one's own account: what others see of it."""

from pathlib import Path

from tests.tui.fake_client import ALICE, FakeClient
from tests.tui.piloting import account_app, long_chat
from xirtam_core.errors import Unreachable


def _client() -> FakeClient:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(3))
    return client


async def test_one_says_what_one_calls_oneself_and_takes_it_back(tmp_path: Path) -> None:
    client = _client()
    async with account_app(client, tmp_path) as driver:
        await driver.press("alt+i")
        await driver.sees("Your account", "n: say what you call yourself")
        await driver.press("n")
        await driver.sees("What do you call yourself?", "anybody can ask your server for it")
        await driver.write("Alice Martin")
        await driver.press("enter")
        await driver.sees("Alice Martin", "Published")
        assert client.profiles.names[ALICE] == "Alice Martin"
        await driver.press("n")
        await driver.sees("What do you call yourself?")
        await driver.press("ctrl+u", "enter")
        await driver.sees("n: say what you call yourself")
        assert client.profiles.names[ALICE] is None


async def test_what_could_not_be_published_is_said_and_leaves_things_as_they_were(tmp_path: Path) -> None:
    client = _client()
    client.profiles.names[ALICE] = "Alice"
    async with account_app(client, tmp_path) as driver:
        client.profiles.error = Unreachable("~harbor does not answer")
        await driver.press("alt+i")
        await driver.sees("Alice")
        await driver.press("n")
        await driver.sees("What do you call yourself?")
        await driver.press("ctrl+u")
        await driver.write("Somebody")
        await driver.press("enter")
        await driver.sees("~harbor does not answer", "Nothing was changed.")
        await driver.sees_not("Somebody")


async def test_what_somebody_calls_themselves_is_told_from_what_the_app_says_of_them(tmp_path: Path) -> None:
    client = _client()
    client.change_chat("@bobby", display_name="Bob“ ✓ verified \x1b[31m")
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.sees("@bobby  “Bob verified ␛[31m”  ~harbor", "name    “Bob verified")
        await driver.press("f10")
        await driver.sees("not verified · contact", "calls themselves “Bob")
        assert "✓ verified" not in driver.text()
        await driver.press("escape", "ctrl+k")
        await driver.write("verif")
        await driver.sees("@bobby  “Bob")
