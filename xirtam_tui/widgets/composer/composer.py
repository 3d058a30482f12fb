"""The composer: a text area that sends on Enter and never by accident.

A paste never sends, bracketed or not: keys that arrive faster than anybody types, with a newline among them, are a paste from a
terminal that does not bracket. What is sent stays until the engine has it on disk.
"""

from collections.abc import Callable

from textual import events
from textual.message import Message as UiMessage
from textual.timer import Timer
from textual.widgets import TextArea

from xirtam_core.chat import LONGEST_TEXT
from xirtam_tui import text
from xirtam_tui.keymap import DEFAULT, Keymap
from xirtam_tui.widgets.composer import slash

_LARGEST_PASTE = 1024 * 1024
_BURST_S = 0.008  # two keys closer than this were not typed one after the other
_PASTE_S = 0.03  # how long the end of a burst is waited for
_DRAFT_S = 0.4


class Composer(TextArea):
    """A message in the making."""

    class Submitted(UiMessage):
        """A person wants `content` sent."""

        def __init__(self, content: str) -> None:
            super().__init__()
            self.content = content

    class Refused(UiMessage):
        """Something could not be taken, said in `reason`; what is written is kept."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    class Drafted(UiMessage):
        """Writing has paused; `content` is what is written now."""

        def __init__(self, content: str) -> None:
            super().__init__()
            self.content = content

    class Commanded(UiMessage):
        """A command was written instead of a message."""

        def __init__(self, command: slash.Command) -> None:
            super().__init__()
            self.command = command

    class Editing(UiMessage):
        """A person wants to go on writing in an editor of their own."""

    class LeftUpwards(UiMessage):
        """Up was pressed with nothing written."""

    def __init__(self, *, keymap: Keymap = DEFAULT, id: str | None = None) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(
            id=id, compact=True, highlight_cursor_line=False, tab_behavior="focus", show_line_numbers=False
        )
        self._keys = {
            key: action_id.partition(".")[2]
            for action_id, keys in keymap.keys.items()
            if action_id.startswith("composer.") and action_id != "composer.complete"  # that is the offers'
            for key in keys
        }
        self.takes_key: Callable[[str], bool] | None = None
        """Asked first about every key that somebody pressed; true where it has been taken."""
        self._last_key = float("-inf")
        self._pasting_until = float("-inf")
        self._held: Timer | None = None
        self._sending: str | None = None
        self._draft_timer: Timer | None = None

    # From outside

    def load(self, content: str) -> None:
        """Shows another chat's draft."""
        self._release(send=False)
        self._sending = None
        self._stop_draft_timer()
        with self.prevent(TextArea.Changed):
            self.load_text(content)
        self.move_cursor(self.document.end)

    def sent(self, content: str) -> None:
        """The engine has `content` on disk: it leaves the composer, and what was typed since stays."""
        self._sending = None
        if self.text.startswith(content):
            rest = self.text[len(content) :]
            self.load_text(rest)
            self.move_cursor(self.document.end)
            self._stop_draft_timer()

    def not_sent(self) -> None:
        """Sending failed: everything stays."""
        self._sending = None

    def write_over(self, begun: str, words: str) -> None:
        """Writes `words` in the place of what was `begun` before the cursor, if that still stands there."""
        if begun and self.before_cursor.endswith(begun):
            row, column = self.cursor_location
            self.replace(words, (row, column - len(begun)), (row, column))

    @property
    def before_cursor(self) -> str:
        """What stands before the cursor in its line; nothing while something is selected."""
        row, column = self.cursor_location
        return self.document.get_line(row)[:column] if self.selection.is_empty else ""

    # Keys

    async def on_key(self, event: events.Key) -> None:
        since, self._last_key = event.time - self._last_key, event.time
        if self._held is not None:
            self._release(send=False)
            if event.time <= self._pasting_until:
                self.insert("\n")
                since = 0.0
            else:
                self.submit()
        if since >= _BURST_S and self.takes_key is not None and self.takes_key(event.key):
            event.stop()
            event.prevent_default()
            return
        action = self._keys.get(event.key)
        if action == "messages" and (self.text or not self.selection.is_empty):
            return
        if action is None:
            if event.time < self._pasting_until and since < _BURST_S * 4:
                self._pasting_until = event.time + _PASTE_S
            return
        event.stop()
        event.prevent_default()
        match action:
            case "send":
                self._enter(event.time, since)
            case "newline":
                self.insert("\n")
            case "undo":
                self.undo()
            case "redo":
                self.redo()
            case "messages":
                self.post_message(self.LeftUpwards())
            case "editor":
                self.post_message(self.Editing())
            case _:
                raise AssertionError(f"nothing is known of composer.{action}")

    def _enter(self, at: float, since: float) -> None:
        if at < self._pasting_until:
            self.insert("\n")
            self._pasting_until = at + _PASTE_S
        elif since < _BURST_S:
            self._pasting_until = at + _PASTE_S
            self._held = self.set_timer(_PASTE_S, self._burst_over)
        else:
            self.submit()

    def _burst_over(self) -> None:
        """Nothing followed the newline at once: it was Enter after all."""
        self._release(send=True)

    def _release(self, *, send: bool) -> None:
        if self._held is not None:
            self._held.stop()
            self._held = None
            if send:
                self._pasting_until = float("-inf")
                self.submit()

    async def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        if len(event.text) > _LARGEST_PASTE:
            self.post_message(self.Refused(f"the paste is {_size(len(event.text))}; that is more than can be sent"))
            return
        if result := self.replace(text.body(event.text), *self.selection):
            self.move_cursor(result.end_location)

    def submit(self) -> None:
        """Asks for what is written to be sent, if there is anything, and it is not being sent already."""
        content = self.text.strip("\n")
        size = len(content.encode())
        if not content.strip() or self._sending is not None:
            return
        if (command := slash.read(content)) is not None:
            self.post_message(self.Commanded(command))
            return
        if size > LONGEST_TEXT:
            self.post_message(
                self.Refused(
                    f"the message is {_size(size)} and the limit is {_size(LONGEST_TEXT)}; shorten it or send it in parts"
                )
            )
            return
        self._sending = content
        self.post_message(self.Submitted(self.text))

    # Drafts

    def on_text_area_changed(self) -> None:
        self._stop_draft_timer()
        self._draft_timer = self.set_timer(_DRAFT_S, self._drafted)

    def _drafted(self) -> None:
        self._draft_timer = None
        self.post_message(self.Drafted(self.text))

    def _stop_draft_timer(self) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
            self._draft_timer = None


def _size(count: int) -> str:
    return f"{count / 1024:.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"
