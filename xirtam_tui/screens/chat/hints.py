"""The line below the composer: the keys that do something here and now."""

from rich.cells import cell_len

from xirtam_tui.actions import Scope, Situation, actions
from xirtam_tui.keymap import Keymap
from xirtam_tui.widgets.words import Words

_BETWEEN = " · "
_NOT_HINTED = ("message.older", "message.newer", "message.jump", "message.details", "message.menu")
_FIRST = ("message.retry", "message.discard")


class Hint(Words):
    """The line itself; what does not fit as a whole is left out, from the end."""

    def __init__(self) -> None:
        super().__init__(id="hint")
        self._hint = ""

    def hint(self, words: str) -> None:
        """Shows `words`, which have dots between them."""
        self._hint = words
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        width, items = self.content_size.width, self._hint.split(_BETWEEN)
        while len(items) > 1 and 0 < width < cell_len(_BETWEEN.join(items)):
            items.pop()
        self.say(_BETWEEN.join(items))


def writing_hint(keys: Keymap) -> str:
    """What one who writes can do."""
    hints = (("composer.send", "send"), ("composer.newline", "new line"), ("composer.messages", "messages"))
    return _BETWEEN.join(filter(None, (keys.hint(*each) for each in hints)))


def message_hint(now: Situation, keys: Keymap) -> str:
    """What can be done about the message that is chosen: first what one that was not sent needs; the menu has what does not fit."""
    kinds = [action for action in actions(Scope.MESSAGE) if action.id not in _NOT_HINTED and action.is_enabled(now)]
    words = {action.id: keys.hint(action.id, action.name.lower()) for action in kinds}
    first = [words.pop(each) for each in _FIRST if each in words]
    hints = (keys.hint("chat.back", "back"), *first, keys.hint("message.menu", "menu"), *words.values())
    return _BETWEEN.join(filter(None, hints))
