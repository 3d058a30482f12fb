"""Every setting and what it is set to, from the schema. A change applies, and is kept, at once."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from xirtam_core.settings import Settings as AccountSettings
from xirtam_tui.bridge.preferences import Preferences
from xirtam_tui.failures import explain
from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.sheet import Sheet
from xirtam_tui.settings import SCHEMA, Setting, Settings, Value, as_hours

_LABEL = 28
_HOME = "home"
_HOME_HELP = "Where your account lives. Enter: see what another server offers, and move there"
_AROUND = 14
"""Lines of the sheet that are not settings."""
_WIDTH = 60
"""Columns for the values of a setting, in the smallest terminal that shows the whole sheet."""
_BY_NAME = {setting.name: setting for setting in SCHEMA}


class SettingsSheet(Sheet[None]):
    """Shows the settings; `change` keeps the app's own and gives what is in force then, `preferences` the account's.

    `change` raises what the disk raises; `preferences` and `on_home`, which shows the account's home server, are None while no account
    is open.
    """

    heading = "Settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next value", show=False, priority=True),
        Binding("left", "turn(-1)", "Value before", show=False, priority=True),
    ]

    def __init__(
        self,
        chosen: Settings,
        change: Callable[[Settings], Settings],
        preferences: Preferences | None,
        on_home: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_home = on_home
        self._chosen, self._change, self._preferences = chosen, change, preferences
        self._account: AccountSettings | None = None

    def compose_body(self) -> ComposeResult:
        yield OptionList(*self._options(), id="hits", compact=True)
        yield Static("", id="meaning", markup=False)
        yield Static("", id="values", markup=False)
        yield Static("", id="keys", markup=False)
        yield Static("", id="answer", markup=False)

    async def on_mount(self) -> None:
        await self._ask_account()
        self.query_one("#sheet").styles.max_height = self.query_one(OptionList).option_count + _AROUND

    async def _ask_account(self) -> None:
        """Shows the account's settings too, where there is an account."""
        if self._preferences is None:
            return
        try:
            self._account = await self._preferences.settings()
        except Exception as error:
            self._say(explain(error).text)
            return
        hits = self.query_one(OptionList)
        at = hits.highlighted
        hits.clear_options()
        hits.add_options(self._options())
        hits.highlighted = at if at is not None else 1

    def _options(self) -> Iterator[Option]:
        section = ""
        for setting in SCHEMA:
            if setting.of_account and self._account is None:
                continue
            if setting.section != section:
                section = setting.section
                yield Option(Content.styled(section.upper(), "bold $text-muted"), disabled=True)
            yield Option(self._row(setting), id=setting.name)
        if self._on_home is not None:
            yield Option(Content.styled("ACCOUNT", "bold $text-muted"), disabled=True)
            yield Option(Content.assemble(f"{'Home server':<{_LABEL}}", ("move to another…", "bold")), id=_HOME)

    def _row(self, setting: Setting) -> Content:
        value = setting.value(self._owner(setting))
        style = "" if value is False else "bold"  # no colour: the bar of the row that is chosen may have the same
        return Content.assemble(f"{setting.label:<{_LABEL}}", (setting.words(value), style))

    def _owner(self, setting: Setting) -> Settings | AccountSettings:
        return self._account if setting.of_account and self._account is not None else self._chosen

    # What a person does

    def on_option_list_option_highlighted(self) -> None:
        self._explain()

    def _chosen_setting(self) -> Setting | None:
        option = self.query_one(OptionList).highlighted_option
        return _BY_NAME.get(option.id or "") if option is not None else None

    def _explain(self) -> None:
        """Says what the setting is for that is gone to, which values it may have, and by which keys."""
        option, setting = self.query_one(OptionList).highlighted_option, self._chosen_setting()
        if option is not None and option.id == _HOME:
            self.query_one("#meaning", Static).update(f"{_HOME_HELP}.")
            self.query_one("#values", Static).update("")
            self.query_one("#keys", Static).update("Enter see what others offer · ↑↓ another setting")
        if setting is None:
            return
        self.query_one("#meaning", Static).update(f"{setting.help}.")
        self.query_one("#values", Static).update(_values(setting, setting.value(self._owner(setting))))
        enter = "Enter your own" if setting.typed else "Enter the next"
        self.query_one("#keys", Static).update(f"←→ another value · {enter} · ↑↓ another setting")

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        setting = self._chosen_setting()
        if event.option_id == _HOME and self._on_home is not None:
            self._on_home()
        elif setting is not None and setting.typed:
            self.run_worker(self._ask(setting), group="ask", exclusive=True)
        else:
            await self.action_turn(1)

    async def _ask(self, setting: Setting) -> None:
        from xirtam_tui.screens.settings.typed import TypedValue

        sheet = TypedValue(setting, str(setting.value(self._owner(setting))), as_hours)
        typed = await running_app(self).push_screen_wait(sheet)
        if typed is not None:
            await self._set(setting, typed)

    async def action_turn(self, step: int) -> None:
        """Goes on to a setting's next value, or back."""
        setting = self._chosen_setting()
        if setting is not None:
            await self._set(setting, setting.after(setting.value(self._owner(setting)), step))

    async def _set(self, setting: Setting, value: Value) -> None:
        values: dict[str, Any] = {setting.name: value}
        try:
            if setting.of_account and self._preferences is not None:
                now = await self._preferences.settings()  # another app of the account may have changed others
                wanted = msgspec.convert(msgspec.to_builtins(now) | values, AccountSettings)
                self._account = await self._preferences.change(wanted)
            else:
                self._chosen = msgspec.convert(msgspec.to_builtins(self._chosen) | values, Settings)
                self._chosen = self._change(self._chosen)
        except Exception as error:
            self._say(explain(error).text)
        else:
            self._say("")
        hits = self.query_one(OptionList)
        for each in SCHEMA:
            if not each.of_account or self._account is not None:
                hits.replace_option_prompt(each.name, self._row(each))
        self._explain()

    def _say(self, words: str) -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(bool(words), "failed")


def _values(setting: Setting, chosen: Value) -> Content:
    """What may be chosen, and what is; no value is broken over two lines."""
    known = [*setting.choices]
    if all(value != chosen for value, _ in known):
        known.append((chosen, str(chosen)))
    shown, used = Content(""), 0
    for value, words in known:
        part = ("● " if value == chosen else "○ ") + words
        gap = "" if not used else "   " if used + 3 + len(part) <= _WIDTH else "\n"
        used = len(part) if gap == "\n" else used + len(gap) + len(part)
        shown += Content.assemble(gap, (part, "bold" if value == chosen else ""))
    return shown
