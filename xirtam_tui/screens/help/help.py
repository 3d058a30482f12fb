"""Every key and what it does, from the action registry."""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from xirtam_tui.actions import Action, Scope, actions
from xirtam_tui.keymap import FILE, Keymap
from xirtam_tui.screens.sheet.sheet import Sheet
from xirtam_tui.widgets.facts.facts import Fact, Facts

_KEYS = 21


class Help(Sheet[None]):
    """The list of actions by where they work; what is typed above it leaves those that have it in them."""

    heading = "What you can do, and with which keys"

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keys = keymap

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="a word or a key", compact=True, id="sought")
        with VerticalScroll(id="actions", can_focus=False):
            yield Facts(_KEYS, id="keys")
        yield Static(Content.styled(self._about_keys(), "$text-muted"), id="about-keys")

    def on_mount(self) -> None:
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(event.value.strip().casefold())

    def on_key(self, event: object) -> None:
        key = getattr(event, "key", "")
        page = self.query_one("#actions", VerticalScroll)
        scroll = {
            "up": page.scroll_up,
            "down": page.scroll_down,
            "pageup": page.scroll_page_up,
            "pagedown": page.scroll_page_down,
        }.get(key)
        if scroll is not None:
            scroll(animate=False)

    def _about_keys(self) -> str:
        chosen = f"the preset “{self._keys.preset}”" if self._keys.preset else "the default keys"
        return f"These are {chosen}; {FILE} in the data directory changes them."

    def _show(self, sought: str) -> None:
        nothing = Content.styled("Nothing is called that.", "$text-muted")
        self.query_one("#keys", Facts).show(list(self._found(sought)) or [(nothing, "")])
        self.query_one("#actions").scroll_home(animate=False)

    def _found(self, sought: str) -> Iterator[Fact]:
        for scope in Scope:
            found = [action for action in actions(scope) if self._fits(action, sought)]
            if found:
                yield Content.styled(scope.value, "bold $accent"), ""
                yield from map(self._fact, found)
                yield "", ""

    def _fits(self, action: Action, sought: str) -> bool:
        words = " ".join((action.name, action.help, action.command, *self._keys.labels(action.id)))
        return sought in words.casefold()

    def _fact(self, action: Action) -> Fact:
        keys = " ".join(self._keys.labels(action.id)[:2]) or action.command
        return Content.styled(f"  {keys}", "bold"), Content.styled(action.help, "$text-muted")
