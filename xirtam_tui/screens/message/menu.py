"""What can be done about a message, to choose from with the mouse or with the keys that do it anyway."""

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from xirtam_core.chat import Message
from xirtam_tui import text
from xirtam_tui.actions import Action, Scope, Situation, actions
from xirtam_tui.keymap import Keymap
from xirtam_tui.screens.sheet.sheet import Sheet

_GOING = ("message.older", "message.newer", "message.menu")
_KEY_COLUMNS = 8


class MessageMenu(Sheet[str]):
    """Gives the name of the action that was chosen."""

    def __init__(self, message: Message, now: Situation, keymap: Keymap) -> None:
        super().__init__()
        self.heading = "Your message" if message.mine else f"A message of {message.sender}"
        self.explanation = text.line(message.text[:60])
        self._keys = keymap
        left_out = _GOING if message.reply_to is not None else (*_GOING, "message.jump")
        self._possible = [
            action for action in actions(Scope.MESSAGE) if action.id not in left_out and action.is_enabled(now)
        ]

    def compose_body(self) -> ComposeResult:
        yield OptionList(*(Option(self._row(action), id=action.method) for action in self._possible), compact=True)

    def _row(self, action: Action) -> Content:
        key = self._keys.label(action.id).ljust(_KEY_COLUMNS)
        return Content.assemble((key, "$accent"), action.name.ljust(12), (action.help, "$text-muted"))

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def on_key(self, event: events.Key) -> None:
        """The keys do here what they do on the message."""
        for action in self._possible:
            if event.key in self._keys.keys[action.id] and event.key != "enter":
                event.stop()
                self.dismiss(action.method)
                return
