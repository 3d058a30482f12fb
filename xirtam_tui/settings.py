"""The app's settings. `SCHEMA` is what the dialog and docs/settings.md are made of; `Settings` is the file, `settings.toml`.

A mistake in the file never stops the app: the line is passed over and said in words. What concerns the account rather than the app,
such as whether receipts are sent, is kept with the account; the schema has it too, so that a person need not know the difference.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from xirtam_core.errors import Malformed
from xirtam_core.settings import Settings as AccountSettings

FILE = "settings.toml"


class Theme(StrEnum):
    """How the app looks; `themes/` has each under `xirtam-VALUE`."""

    DARK = "dark"
    LIGHT = "light"
    CONTRAST = "contrast"
    TERMINAL = "terminal"


class Order(StrEnum):
    """How the list of chats is arranged."""

    SECTIONS = "sections"
    RECENCY = "recency"


class Emoji(StrEnum):
    """How emoji are shown."""

    PICTURES = "pictures"
    NAMES = "names"


class TerminalNotice(StrEnum):
    """The sequence by which a terminal is asked to show a notification."""

    AUTO = "auto"
    NONE = "none"
    OSC9 = "osc9"
    OSC777 = "osc777"


class LogLevel(StrEnum):
    """From which level on the log has what happens."""

    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The app's own choices. Names are those of the file."""

    theme: Theme = Theme.DARK
    order: Order = Order.SECTIONS
    emoji: Emoji = Emoji.PICTURES
    bell: bool = True
    terminal_notice: TerminalNotice = TerminalNotice.AUTO
    desktop_notice: bool = True
    show_content: bool = True
    quiet_hours: str = ""
    log_level: LogLevel = LogLevel.WARNING


Value = bool | str
Owner = Settings | AccountSettings


class Setting(NamedTuple):
    """One thing to choose. `choices` are its values with their words; a switch has on and off. `of_account`: kept with the account.

    `typed` says how to write a value that is none of the choices; nothing where only those may be.
    """

    name: str
    section: str
    label: str
    help: str
    choices: tuple[tuple[Value, str], ...] = ((True, "on"), (False, "off"))
    of_account: bool = False
    typed: str = ""

    def value(self, owner: Owner) -> Value:
        """What is chosen."""
        return getattr(owner, self.name)

    def words(self, value: Value) -> str:
        """A value as people read it."""
        return next((words for known, words in self.choices if known == value), str(value))

    def words_with_place(self, value: Value) -> str:
        """A value as people read it, and which of the choices it is: for who goes through them without seeing the others."""
        at = [known for known, _ in self.choices].index(value)
        return f"{self.words(value)} ({at + 1} of {len(self.choices)})"

    def after(self, value: Value, step: int) -> Value:
        """The choice so many places after `value`, round the end."""
        values = [known for known, _ in self.choices]
        at = values.index(value) if value in values else -1 if step > 0 else 0
        return values[(at + step) % len(values)]


_LOOK, _NOTICES, _LOG, _PRIVACY = "Look", "Notifications", "Log", "Privacy"

SCHEMA: tuple[Setting, ...] = (
    Setting("theme", _LOOK, "Colours", "“the terminal's own” keeps to its sixteen colours; NO_COLOR takes all colour away",
            (("dark", "dark"), ("light", "light"), ("contrast", "high contrast"), ("terminal", "the terminal's own"))),
    Setting("order", _LOOK, "List of chats", "Direct chats and groups apart, or all together by what came last",
            (("sections", "in sections"), ("recency", "by recency"))),
    Setting("emoji", _LOOK, "Emoji", "As :names: where the terminal draws them at a wrong width, or not at all",
            (("pictures", "as pictures"), ("names", "as :names:"))),
    Setting("bell", _NOTICES, "Ring the bell", "When somebody writes in a chat that you are not looking at"),
    Setting("terminal_notice", _NOTICES, "Ask the terminal", "For a notification: OSC 9 in iTerm2, WezTerm; OSC 777 in foot, urxvt",
            (("auto", "if it is known to"), ("none", "no"), ("osc9", "by OSC 9"), ("osc777", "by OSC 777"))),
    Setting("desktop_notice", _NOTICES, "On the desktop", "By notify-send, where that is installed"),
    Setting("show_content", _NOTICES, "Say who and what", "Off: a notification says only that there is something new"),
    Setting("quiet_hours", _NOTICES, "Quiet hours", "When nothing rings or shows; Enter takes any two times",
            (("", "none"), ("21:00-07:00", "21:00-07:00"), ("22:00-07:00", "22:00-07:00"), ("23:00-08:00", "23:00-08:00"),
             ("00:00-09:00", "00:00-09:00")),
            typed="From when to when, such as 22:15-06:30, over midnight too. Nothing typed: no quiet hours."),
    Setting("log_level", _LOG, "What the log has", "No message and no key at any level; Alt+V shows it",
            (("warning", "what goes wrong"), ("info", "what happens too"), ("debug", "all that can help"))),
    Setting("send_delivered", _PRIVACY, "Tell that messages came", "Contacts see that what they wrote has arrived", of_account=True),
    Setting("send_read", _PRIVACY, "Tell that you have read", "Contacts see that you have read what they wrote", of_account=True),
    Setting("send_typing", _PRIVACY, "Tell that you are typing", "Contacts see that you write to them, as you do", of_account=True),
    Setting("strangers", _PRIVACY, "Strangers who write", "Asked about first, contacts at once, or not kept at all",
            (("ask", "ask me"), ("accept", "let them"), ("refuse", "keep nothing")), of_account=True),
    Setting("routing", _PRIVACY, "Way to other servers", "Through yours, theirs do not see your address",
            (("direct", "directly"), ("proxy", "through my server")), of_account=True),
)  # fmt: skip

THEME = next(each for each in SCHEMA if each.name == "theme")


class Loaded(NamedTuple):
    """What a file says, and what was wrong with it. `rest` is what this version does not know and keeps."""

    settings: Settings
    rest: Mapping[str, Any]
    problems: tuple[str, ...] = ()
    is_broken: bool = False
    """Whether the file is there, and no TOML."""


def load(data_dir: Path) -> Loaded:
    """The settings in `data_dir`; the defaults where there are none, or none that can be read."""
    try:
        content = (data_dir / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return Loaded(Settings(), {})
    import tomllib  # who has changed nothing has no file, and everybody waits for the start

    try:
        parsed: dict[str, Any] = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        return Loaded(Settings(), {}, (f"{FILE} is not valid TOML ({error}); the default settings are in use",), True)
    return _checked(parsed)


def _checked(parsed: Mapping[str, Any]) -> Loaded:
    chosen: dict[str, Any] = {}
    problems: list[str] = []
    types = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    for name, value in parsed.items():
        if name not in types:
            problems.append(f"{FILE}: there is no setting “{name}”")
            continue
        try:
            chosen[name] = msgspec.convert(value, types[name])
        except msgspec.ValidationError:
            problems.append(f"{FILE}: “{value}” is no value for {name}")
        if name == "quiet_hours" and value and name in chosen and hours(chosen[name]) is None:
            problems.append(f"{FILE}: quiet_hours are two times such as 22:00-07:00, not “{value}”")
    rest = {name: value for name, value in parsed.items() if name not in types and isinstance(value, bool | str | int)}
    return Loaded(Settings(**chosen), rest, tuple(problems))


def change(data_dir: Path, before: Settings, chosen: Settings, rest: Mapping[str, Any]) -> Settings:
    """Keeps what `chosen` has other than `before`, and gives the settings then: another app may have changed others meanwhile.

    Raises `OSError` where they cannot be kept.
    """
    there = load(data_dir)
    if not there.is_broken:
        names = [field.name for field in msgspec.structs.fields(Settings)]
        changed = {name: new for name in names if (new := getattr(chosen, name)) != getattr(before, name)}
        chosen, rest = msgspec.structs.replace(there.settings, **changed), there.rest
    save(data_dir, chosen, rest)
    return chosen


def save(data_dir: Path, settings: Settings, rest: Mapping[str, Any]) -> None:
    """Writes what differs from the defaults, and `rest`. Raises `OSError` where that cannot be done."""
    default = Settings()
    values = {
        name: value
        for name, value in msgspec.structs.asdict(settings).items()
        if value != getattr(default, name)
    }  # fmt: skip
    helps = {setting.name: f"# {setting.label}: {setting.help}\n" for setting in SCHEMA}
    # A TOML string, number or boolean is written as JSON writes it.
    lines = [
        f"{helps.get(name, '')}{json.dumps(name)} = {json.dumps(value)}\n"
        for name, value in (values | dict(rest)).items()
    ]
    data_dir.mkdir(parents=True, exist_ok=True)
    unfinished = data_dir / f".{FILE}.new"
    unfinished.write_text("".join(lines), encoding="utf-8")
    unfinished.replace(data_dir / FILE)


def hours(text: str) -> tuple[int, int] | None:
    """The beginning and the end of `22:00-07:00`, in minutes of the day; None for what are no two times."""
    minutes: list[int] = []
    for part in text.split("-"):
        hour, _, minute = part.strip().partition(":")
        if not (hour.isascii() and minute.isascii() and hour.isdigit() and minute.isdigit() and len(minute) == 2):
            return None
        if int(hour) > 23 or int(minute) > 59:
            return None
        minutes.append(int(hour) * 60 + int(minute))
    return (minutes[0], minutes[1]) if len(minutes) == 2 else None


def as_hours(typed: str) -> str:
    """Two times as the file has them, from what a person typed; empty for nothing. Raises `Malformed`, saying what is wrong."""
    words = "".join(typed.split()).translate({ord(dash): "-" for dash in "‐‑‒–—−"})
    if not words:
        return ""
    times = words.split("-")
    if len(times) != 2:
        raise Malformed("that needs two times with a dash between them, such as 22:00-07:00")
    for time in times:
        if hours(f"{time}-00:00") is None:
            raise Malformed(f"“{time}” is no time of the day: hours and minutes, from 00:00 to 23:59")
    start, end = hours(words) or (0, 0)
    if start == end:
        raise Malformed("the two times are the same, and there is nothing between them")
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def is_quiet(settings: Settings, minute_of_day: int) -> bool:
    """Whether a minute lies in the quiet hours, which may go over midnight."""
    quiet = hours(settings.quiet_hours)
    if quiet is None:
        return False
    start, end = quiet
    return start <= minute_of_day < end if start <= end else minute_of_day >= start or minute_of_day < end


def document() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings", "",
        "Ctrl+S shows them in the app, where each change applies at once.", "",
        f"The app's own are in `{FILE}` in the data directory, as `name = value`: those only that differ from the default. A mistake",
        "in it is said at the start, and passed over.", "",
        f"Those under {_PRIVACY} belong to the account and are kept with it, encrypted as all of it is. So are pins, mutes and",
        "archived chats, of which other devices are not told.", "",
    ]  # fmt: skip
    defaults: tuple[Owner, Owner] = (Settings(), AccountSettings())
    for section in dict.fromkeys(setting.section for setting in SCHEMA):
        lines += [f"## {section}", "", "| name | value | by default | meaning |", "| --- | --- | --- | --- |"]
        for each in (setting for setting in SCHEMA if setting.section == section):
            values = " or ".join(f"`{json.dumps(value)}`" for value, _ in each.choices)
            values += " or any other two times" if each.typed else ""
            default = json.dumps(each.value(defaults[each.of_account]))
            lines.append(f"| `{each.name}` | {values} | `{default}` | {each.label}. {each.help}. |")
        lines.append("")
    lines += [
        "Nothing rings or shows for a chat that is muted (Alt+M), or while you look at it. In tmux, notifications by the terminal",
        "need `set -g allow-passthrough on`. With `NO_COLOR` set to anything, the app shows no colour whichever theme is chosen.", "",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "settings.md").write_text(document(), encoding="utf-8")
