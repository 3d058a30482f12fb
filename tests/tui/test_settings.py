"""The settings file, the documentation that is made of the schema, and what is worth telling a person who looks elsewhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fake_client import FakeClient
from tests.tui.piloting import long_chat
from xirtam_core.errors import Malformed
from xirtam_core.settings import Settings as AccountSettings
from xirtam_tui import settings
from xirtam_tui.emoji_names import named
from xirtam_tui.notifications import News, Notifier, sequence, words, worth_telling
from xirtam_tui.settings import SCHEMA, Order, Settings, TerminalNotice, Theme

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_documentation_says_what_the_schema_does() -> None:
    assert DOCUMENT.read_text() == settings.document(), "write docs/settings.md anew: python -m xirtam_tui.settings"


def test_the_schema_has_every_setting_of_the_app_and_of_the_account_with_every_value() -> None:
    known = {each.name for each in SCHEMA if not each.of_account}
    assert known == {field.name for field in msgspec.structs.fields(Settings)}
    assert {each.name for each in SCHEMA if each.of_account} == {
        field.name for field in msgspec.structs.fields(AccountSettings)
    }
    for each in SCHEMA:
        owner = AccountSettings if each.of_account else Settings
        for value, _ in each.choices:
            msgspec.convert({each.name: value}, owner)


def test_what_is_chosen_is_there_at_the_next_start_and_what_is_unknown_stays(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_text('later = "yes"\ntheme = "pink"\norder = "recency"\nquiet_hours = "soon"\n')
    loaded = settings.load(tmp_path)
    assert loaded.settings == Settings(order=Order.RECENCY, quiet_hours="soon")
    assert len(loaded.problems) == 3
    chosen = Settings(theme=Theme.CONTRAST, bell=False, quiet_hours="22:15-06:00")
    settings.save(tmp_path, chosen, loaded.rest)
    again = settings.load(tmp_path)
    assert (again.settings, again.rest) == (chosen, {"later": "yes"})


def test_a_file_that_cannot_be_read_leaves_the_defaults(tmp_path: Path) -> None:
    (tmp_path / settings.FILE).write_text("theme = ")
    loaded = settings.load(tmp_path)
    assert loaded.settings == Settings()
    assert "not valid TOML" in loaded.problems[0]


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_quiet_hours_begin_and_end_also_over_midnight(start: int, length: int, after: int) -> None:
    def at(minute: int) -> str:
        return f"{minute // 60 % 24:02}:{minute % 60:02}"

    chosen = Settings(quiet_hours=f"{at(start)}-{at(start + length)}")
    assert settings.is_quiet(chosen, (start + after) % 1440) == (after < length)


@pytest.mark.parametrize(
    "wrong", ["", "22:00", "22-7", "24:00-07:00", "22:60-07:00", "a:00-b:00", "1:00-2:00-3:00", "²:00-1:00"]
)
def test_what_are_no_two_times_is_no_quiet_time(wrong: str) -> None:
    assert settings.hours(wrong) is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("22:00-07:00", "22:00-07:00"), (" 9:05 – 17:30 ", "09:05-17:30"), ("0:00—6:00", "00:00-06:00"), ("  ", "")],
)
def test_quiet_hours_may_be_typed_as_people_write_them(typed: str, kept: str) -> None:
    assert settings.as_hours(typed) == kept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("22", "two times"),
        ("22:00-25:00", "“25:00”"),
        ("soon-7:00", "“soon”"),
        ("7:00-07:00", "same"),
        ("1-2-3", "two times"),
    ],
)
def test_what_is_wrong_about_quiet_hours_is_said(typed: str, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        settings.as_hours(typed)


def news(**changes: object) -> News:
    client = FakeClient()
    chat = client.add_chat("@bobby", long_chat(3), unread=1)
    message = msgspec.structs.replace(client.messages["@bobby"][-1], text="the \x1b]0;moon")
    return News(msgspec.structs.replace(chat, **changes), message)


def test_what_is_looked_at_muted_or_comes_in_quiet_hours_is_not_told() -> None:
    one = news()
    assert worth_telling([one], None, Settings(), NOON) == [one]
    assert worth_telling([one], "@carol_w", Settings(), NOON) == [one]
    assert worth_telling([one], "@bobby", Settings(), NOON) == []
    assert worth_telling([news(is_muted=True)], None, Settings(), NOON) == []
    assert one.message is not None
    assert worth_telling([news(read_up_to=one.message.position)], None, Settings(), NOON) == []
    night = Settings(quiet_hours="11:00-13:00")
    assert worth_telling([one], None, night, NOON) == []
    assert worth_telling([one], None, night, NOON + timedelta(hours=1)) == [one]


def test_a_notice_says_who_and_what_only_if_it_may() -> None:
    assert "@bobby" in words([news()], Settings())[0]
    hidden = Settings(show_content=False)
    assert words([news()], hidden) == ("xirtam", "A new message")
    assert words([news(), news()], hidden) == ("xirtam", "2 new messages")


@given(st.text(), st.text(), st.sampled_from([TerminalNotice.OSC9, TerminalNotice.OSC777]))
def test_no_text_ends_or_changes_the_sequence_that_shows_it(title: str, body: str, kind: TerminalNotice) -> None:
    made = sequence(kind, title, body, in_tmux=False)
    assert made.startswith("\x1b]")
    assert made.endswith("\x07")
    assert made[2:-1].isprintable()
    assert kind is TerminalNotice.OSC9 or made.count(";") == 3
    passed_on = sequence(kind, title, body, in_tmux=True)
    assert passed_on == "\x1bPtmux;\x1b" + made + "\x1b\\"


def test_emoji_have_names_and_other_letters_stay() -> None:
    assert named("hi 👍🏽, 日本 ✓ é") == "hi :thumbs_up_sign:, 日本 ✓ é"
    assert named("👩‍🚀") == ":woman::rocket:"


def test_flags_and_signs_have_short_names() -> None:
    assert named("🇩🇪🇫🇷 1️⃣ ☀︎") == ":flag_de::flag_fr: 1 :black_sun_with_rays:"


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({"TERM_PROGRAM": "WezTerm", "TERM": "xterm-256color"}, TerminalNotice.OSC9),
        ({"TERM_PROGRAM": "iTerm.app"}, TerminalNotice.OSC9),
        ({"TERM": "foot-direct"}, TerminalNotice.OSC777),
        ({"TERM": "rxvt-unicode-256color"}, TerminalNotice.OSC777),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, TerminalNotice.NONE),
        ({"TERM_PROGRAM": "WezTerm", "TMUX": "/tmp/x,1,0"}, TerminalNotice.NONE),
        ({}, TerminalNotice.NONE),
    ],
)
def test_only_a_terminal_that_is_known_to_show_notices_is_asked_unless_one_is_chosen(
    environment: dict[str, str], kind: TerminalNotice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "TERM_PROGRAM", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    written: list[str] = []
    notifier = Notifier(lambda: None, written.append, lambda _title, _body: None)
    for chosen in (TerminalNotice.AUTO, TerminalNotice.NONE, TerminalNotice.OSC777):
        notifier.take([news()])
        assert notifier.tell(Settings(terminal_notice=chosen))
    begins = {TerminalNotice.OSC9: "\x1b]9;", TerminalNotice.OSC777: "\x1b]777;"}
    assert [each[: len(begins[kind])] for each in written[:-1]] == ([begins[kind]] if kind in begins else [])
    assert "]777;" in written[-1]


def test_two_apps_change_different_settings_and_both_changes_stay(tmp_path: Path) -> None:
    first = second = Settings()
    first = settings.change(tmp_path, first, msgspec.structs.replace(first, bell=False), {})
    second = settings.change(tmp_path, second, msgspec.structs.replace(second, theme=Theme.LIGHT), {})
    assert second == settings.load(tmp_path).settings == Settings(bell=False, theme=Theme.LIGHT)
    first = settings.change(tmp_path, first, msgspec.structs.replace(first, bell=True), {})
    assert first == Settings(theme=Theme.LIGHT)
    (tmp_path / settings.FILE).write_text("theme = ")
    chosen = msgspec.structs.replace(first, order=Order.RECENCY)
    assert settings.change(tmp_path, first, chosen, {}) == chosen == settings.load(tmp_path).settings
