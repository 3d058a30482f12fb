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
from xirtam_tui.screens.sheet.sheet import Sheet
from xirtam_tui.settings import SCHEMA, Setting, Settings

_LABEL = 28
_HOME = "home"
_HOME_HELP = "Where your account lives. Enter: see what another server offers, and move there"
_BY_NAME = {setting.name: setting for setting in SCHEMA}


class SettingsSheet(Sheet[None]):
    """Shows the settings; `change` keeps the app's own, `preferences` the account's.

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
        change: Callable[[Settings], None],
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
        yield Static("", id="answer", markup=False)

    async def on_mount(self) -> None:
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

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        setting = _BY_NAME.get(event.option_id or "")
        meaning = _HOME_HELP if event.option_id == _HOME else "" if setting is None else setting.help
        self.query_one("#meaning", Static).update(f"{meaning}." if meaning else "")

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id == _HOME and self._on_home is not None:
            self._on_home()
        else:
            await self.action_turn(1)

    async def action_turn(self, step: int) -> None:
        """Goes on to a setting's next value, or back."""
        option = self.query_one(OptionList).highlighted_option
        setting = _BY_NAME.get(option.id or "") if option is not None else None
        if setting is None:
            return
        values: dict[str, Any] = {setting.name: setting.after(setting.value(self._owner(setting)), step)}
        try:
            if setting.of_account and self._account is not None and self._preferences is not None:
                wanted = msgspec.convert(msgspec.to_builtins(self._account) | values, AccountSettings)
                self._account = await self._preferences.change(wanted)
            else:
                self._chosen = msgspec.convert(msgspec.to_builtins(self._chosen) | values, Settings)
                self._change(self._chosen)
        except Exception as error:
            self._say(explain(error).text)
        else:
            self._say("")
        self.query_one(OptionList).replace_option_prompt(setting.name, self._row(setting))

    def _say(self, words: str) -> None:
        answer = self.query_one("#answer", Static)
        answer.update(words)
        answer.set_class(bool(words), "failed")
