"""Changing settings, being told of what comes, and arranging the list, by keyboard alone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.demo import Script, climbers
from tests.tui.fake_client import ALICE, NOW_NS, FakeClient, FakeMachine
from tests.tui.fake_groups import group, member
from tests.tui.piloting import Driver, account_app, long_chat, machine_app
from xirtam_core.chat import Reaction
from xirtam_core.errors import StorageFault
from xirtam_core.names import Username
from xirtam_core.settings import Settings as AccountSettings
from xirtam_tui import arrangement, emoji_names, settings
from xirtam_tui.app import XirtamApp
from xirtam_tui.notifications import News, Notifier

CHROME = ("c5c8c6", "292929")  # what the picture draws around the terminal


def two_chats() -> FakeClient:
    client = FakeClient()
    client.add_chat("@bobby", long_chat(8))
    client.add_chat("@carol_w", long_chat(3, "@carol_w"))
    return client


async def choose(driver: Driver, label: str) -> None:
    """Goes to a setting, from the top of the sheet."""
    await driver.sees(label)
    await driver.press("home")
    names = [each.name for each in settings.SCHEMA]
    at = next(at for at, each in enumerate(settings.SCHEMA) if each.label == label)
    await driver.press(*["down"] * at)
    await driver.until(lambda: driver.app.screen.focused, names[at])


async def test_a_theme_applies_at_once_and_at_the_next_start(tmp_path: Path) -> None:
    async with account_app(two_chats(), tmp_path) as driver:
        await driver.press("ctrl+s")
        await choose(driver, "Colours")
        await driver.press("right", "right")
        await driver.until(lambda: driver.app.theme == "xirtam-contrast")
        await driver.press("left", "escape")
        await driver.until(lambda: driver.app.theme == "xirtam-light")
    async with account_app(two_chats(), tmp_path) as driver:
        assert driver.app.theme == "xirtam-light"


async def test_every_theme_can_be_drawn(tmp_path: Path) -> None:
    async with account_app(two_chats(), tmp_path) as driver:
        for theme in settings.Theme:
            driver.app.theme = f"xirtam-{theme}"
            await driver.press("ctrl+s")
            await driver.sees("Colours")
            await driver.press("escape")
            await driver.sees("number 8")


async def test_no_color_leaves_no_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    async with account_app(two_chats(), tmp_path) as driver:
        await driver.sees("number 8")
        colours = re.findall(r"fill: #([0-9a-f]{6})", driver.app.export_screenshot())
        assert colours
        assert all(each[:2] == each[2:4] == each[4:] for each in colours if each not in CHROME)


async def test_a_privacy_switch_is_kept_with_the_account_and_says_so_where_it_cannot_be(tmp_path: Path) -> None:
    client = two_chats()
    async with account_app(client, tmp_path, size=(100, 40)) as driver:
        await driver.press("ctrl+s")
        await choose(driver, "Tell that you have read")
        await driver.press("enter")
        await driver.until(lambda: not client.preferences.chosen.send_read)
        client.preferences.error = StorageFault("the disk is full: nothing was changed")
        await driver.press("enter")
        await driver.sees("The disk is full")
        assert not client.preferences.chosen.send_read
        assert "off" in driver.line_with("Tell that you have read")


async def test_quiet_hours_are_typed_and_refused_until_they_are_right(tmp_path: Path) -> None:
    async with account_app(two_chats(), tmp_path) as driver:
        await driver.press("ctrl+s")
        await choose(driver, "Quiet hours")
        await driver.sees("Enter your own", "● none")
        await driver.press("enter")
        await driver.sees("From when to when")
        await driver.write("22:15-6")
        await driver.press("enter")
        await driver.sees("“6” is no time of the day")
        await driver.write(":30")
        await driver.press("enter")
        await driver.sees("● 22:15-06:30")
        assert settings.load(tmp_path).settings.quiet_hours == "22:15-06:30"
        await driver.press("right")
        await driver.sees("● none")


async def test_the_values_of_a_setting_show_and_the_keys_that_change_it(tmp_path: Path) -> None:
    async with account_app(two_chats(), tmp_path, size=(80, 24)) as driver:
        await driver.press("ctrl+s")
        await driver.sees("● dark   ○ light   ○ high contrast   ○ the terminal's own", "←→ another value", "Close")
        await driver.press("right")
        await driver.sees("○ dark   ● light")


async def test_emoji_become_names_at_once_on_the_screen_and_stay_as_they_are_elsewhere(tmp_path: Path) -> None:
    client = two_chats()
    async with account_app(client, tmp_path) as driver:
        client.receive("@bobby", "up 👍 there")
        await driver.sees("up 👍 there")
        await driver.write("not sent yet")
        await driver.press("ctrl+s")
        await choose(driver, "Emoji")
        await driver.press("right", "escape")
        await driver.sees("up :thumbs_up_sign: there")
        assert driver.composer.text == "not sent yet"
        assert client.messages["@bobby"][-1].text == "up 👍 there"
        await driver.press("ctrl+s")
        await choose(driver, "Emoji")
        await driver.press("right", "escape")
        await driver.sees("up 👍 there")


@pytest.fixture
def names() -> Iterator[None]:
    """Emoji are shown as names for as long as this lasts: the switch is the terminal's, and outlives an app."""
    emoji_names.show_names(True)
    yield
    emoji_names.show_names(False)


@pytest.mark.usefixtures("names")
async def test_no_place_that_shows_what_others_wrote_has_an_emoji_where_names_are_wanted(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_text('emoji = "names"\n')
    client = two_chats()
    script = Script("@bobby", NOW_NS - 10**12).say("bobby", "up 👍 there", reactions=(Reaction("🎉", (ALICE,)),))
    script.say("bobby", "so 🔥", quote="was 👀 it", reply_to="@bobby-0", after_min=1)
    client.add_chat("@bobby", script.messages)
    client.change_chat("@bobby", petname="Bob 🎂")
    shown = group("Climbers 🧗", is_admin=True, description="up 🏔 and down")
    client.add_group(shown, [], roster=(member("@alice", is_admin=True), member("@bobby")))
    client.add_chat("@erin_m", [], draft="half 🌙")
    async with account_app(client, tmp_path, size=(140, 40)) as driver:
        await driver.press("ctrl+k")
        await driver.write("Climbers")
        await driver.sees("Climbers :person_climbing:")
        await driver.press("enter")
        await driver.sees("Write to Climbers :person_climbing:", "up :snow_capped_mountain:", "✎ half :crescent_moon:")
        places: list[tuple[tuple[str, ...], str]] = [
            (("f9",), "Climbers :person_climbing:: 0 members"),
            (("escape", "alt+m"), "Climbers :person_climbing: is muted"),
            (("ctrl+k", "b", "o", "b"), "Bob :birthday_cake:"),
            (("enter",), "was :eyes: it"),
            (("at",), "Bob :birthday_cake:"),
            (("backspace", "up", "r"), "↩ to bobby  so :fire:"),
            (("f10",), "Bob :birthday_cake:"),
            (("escape", "escape", "up", "up", "i"), ":party_popper: alice"),
            (("escape", "a"), "Yours: :party_popper:"),
            (("escape", "f"), "“up :thumbs_up_sign: there”"),
            (("escape", "ctrl+r", "f", "i", "r", "e"), ""),
        ]
        for keys, said in places:
            await driver.press(*keys)
            await driver.sees(said)
            assert not _PICTURES.search(driver.text()), driver.text()


@pytest.mark.usefixtures("names")
def test_a_notification_has_names_where_they_are_wanted() -> None:
    client = two_chats()
    message = client.receive("@bobby", "up 👍 there")
    told: list[tuple[str, str]] = []
    notifier = Notifier(lambda: None, lambda _: None, lambda title, body: told.append((title, body)))
    notifier.take([News(client.chat("@bobby"), message)])
    notifier.tell(settings.Settings())
    assert told == [("@bobby", "up :thumbs_up_sign: there")]


_PICTURES = re.compile("[\U0001f300-\U0001faff]")


async def test_the_settings_can_be_seen_before_there_is_an_account(tmp_path: Path) -> None:
    async with machine_app(FakeMachine(), tmp_path) as driver:
        await driver.sees("Create")
        await driver.press("ctrl+s")
        await driver.sees("Colours", "Ring the bell")
        await driver.sees_not("Strangers who write")


async def test_a_mistake_in_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_text('theme = "pink"\n')
    async with account_app(two_chats(), tmp_path) as driver:
        await driver.sees("“pink” is no value for theme", "number 8")


async def test_the_bell_rings_for_a_chat_that_is_not_looked_at_and_is_not_muted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(XirtamApp, "bell", lambda _: rung.append(1))
    client = two_chats()
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.open_peer == "@bobby")
        await driver.press("right")
        client.receive("@bobby", "you see this")
        await driver.sees("you see this")
        await client.arrange("@carol_w", muted=True)
        client.receive("@carol_w", "hush")
        await driver.sees("hush", "muted 1")
        assert rung == []
        await client.arrange("@carol_w", muted=False)
        client.receive("@carol_w", "hello")
        client.receive("@carol_w", "hello again")
        await driver.until(lambda: rung)
        await driver.sees("hello again")
        assert rung == [1]


async def test_a_chat_is_pinned_muted_and_archived_by_keys(tmp_path: Path) -> None:
    client = two_chats()
    async with account_app(client, tmp_path) as driver:
        await driver.until(lambda: driver.open_peer == "@bobby")
        await driver.press("alt+p", "alt+m")
        await driver.sees("PINNED", "DIRECT", "muted")
        assert (client.chat("@bobby").is_pinned, client.chat("@bobby").is_muted) == (True, True)
        await driver.press("alt+m", "alt+p")
        await driver.sees_not("PINNED")
        await driver.press("alt+a")
        await driver.sees("ARCHIVED (1) ▸")
        assert driver.text().count("ARCHIVED") == 1
        await driver.until(lambda: [each.id for each in driver.contacts.ordered] == ["@carol_w", "@bobby"])
        assert driver.open_peer == "@bobby"
        await driver.press("alt+right")
        await driver.sees_not("▸")
        await driver.press("alt+left")
        await driver.sees("ARCHIVED (1) ▸")
        await driver.press("alt+a")
        await driver.sees_not("ARCHIVED")


async def test_the_list_goes_by_recency_when_that_is_chosen(tmp_path: Path) -> None:
    client = two_chats()
    client.add_group(*climbers())
    async with account_app(client, tmp_path) as driver:
        await driver.sees("DIRECT", "GROUPS")
        await driver.press("ctrl+s")
        await choose(driver, "List of chats")
        await driver.press("right", "escape")
        await driver.sees_not("DIRECT", "GROUPS")
        times = [each.last.sent_at for each in driver.contacts.ordered if each.last]
        assert times == sorted(times, reverse=True)


async def test_sections_are_as_folded_as_they_were_left_for_each_account(tmp_path: Path) -> None:
    def people(name: str = "@alice") -> FakeClient:
        client = FakeClient(Username(name))
        client.add_chat("@bobby", long_chat(8))
        client.add_chat("@carol_w", long_chat(3, "@carol_w"))
        client.add_group(*climbers())
        return client

    async with account_app(people(), tmp_path) as driver:
        await driver.sees("DIRECT", "GROUPS")
        await driver.press("alt+left")
        await driver.sees("DIRECT ▸")
    async with account_app(people("@work_alice"), tmp_path) as driver:
        await driver.sees("DIRECT", "GROUPS")
        assert "▸" not in driver.text()
    async with account_app(people(), tmp_path) as driver:
        await driver.sees("DIRECT ▸", "GROUPS")
        await driver.press("alt+right")
        await driver.sees_not("▸")
    (tmp_path / arrangement.FILE).write_text("not what it was")
    async with account_app(people(), tmp_path) as driver:
        await driver.sees("DIRECT", "GROUPS")


async def test_what_another_app_has_changed_meanwhile_is_taken_over_and_not_undone(tmp_path: Path) -> None:
    client = two_chats()
    async with account_app(client, tmp_path, size=(100, 40)) as driver:
        settings.save(tmp_path, settings.Settings(theme=settings.Theme.LIGHT), {})
        await driver.press("ctrl+s")
        await choose(driver, "Tell that you have read")
        await client.preferences.change(AccountSettings(send_typing=False))
        await driver.press("enter")
        await driver.until(lambda: client.preferences.chosen == AccountSettings(send_typing=False, send_read=False))
        await choose(driver, "Ring the bell")
        await driver.press("right")
        await driver.until(lambda: driver.app.theme == "xirtam-light")
        await driver.sees("○ on   ● off")
        assert "off" in driver.line_with("Tell that you are typing")
    assert settings.load(tmp_path).settings == settings.Settings(theme=settings.Theme.LIGHT, bell=False)
