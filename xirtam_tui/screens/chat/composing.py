"""Writing in a chat: what it is for, what it could become as one writes, and telling that one does. Sending is the conversation's."""

from collections.abc import Callable

from textual.containers import Vertical
from textual.reactive import reactive

from xirtam_core.chat import Chat
from xirtam_tui.actions import Situation
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import Trouble, attempt, explain
from xirtam_tui.keymap import Keymap
from xirtam_tui.running import running_app
from xirtam_tui.screens.chat.modes import Edit, Mode, ModeStrip
from xirtam_tui.screens.chat.suggesting import offers_for
from xirtam_tui.screens.chat.typing import OwnTyping
from xirtam_tui.widgets.composer import Composer
from xirtam_tui.widgets.composer.completion import completed
from xirtam_tui.widgets.composer.suggestions import Suggestions
from xirtam_tui.widgets.words import Words

_MOST_NAMES = 6


class Composing(Vertical):
    """The part of a conversation that is about what is being written; the rest composes its widgets."""

    chat: reactive[Chat | None] = reactive(None, init=False)

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="conversation")
        self.keymap = keymap
        self.situation: Callable[[], Situation] = Situation
        self._bridge: Bridge | None = None
        self._modes: dict[str, tuple[Mode, str]] = {}  # of chats that are not open, with what was written in them
        self._typing = OwnTyping(self, self._tell_typing)
        self._completed = ""  # what was written when it was last said what a name could be

    def on_mount(self) -> None:
        self.composer.takes_key = self.suggestions.take_key

    def _show_hint(self) -> None:
        """Says below the composer what can be done."""

    @property
    def suggestions(self) -> Suggestions:
        """What could be meant by what has been begun."""
        return self.query_one(Suggestions)

    @property
    def composer(self) -> Composer:
        """What one writes."""
        return self.query_one(Composer)

    # Answering and changing

    @property
    def mode(self) -> Mode | None:
        """What is written is for, if not for a new message."""
        return self.query_one(ModeStrip).mode

    def begin(self, mode: Mode) -> None:
        """Has what is written next answer a message, or change one."""
        self.give_up()
        self.query_one(ModeStrip).mode = mode
        if isinstance(mode, Edit):
            self.composer.load(mode.message.text)
        self.composer.focus()

    def give_up(self) -> bool:
        """Goes back to writing a new message, with what had been written of it; gives whether there was anything to give up."""
        mode = self.mode
        if isinstance(mode, Edit):
            self.composer.load(mode.before)
        self.query_one(ModeStrip).mode = None
        return mode is not None

    def _put_mode_aside(self) -> None:
        if self.chat is not None and self.mode is not None:
            self._modes[self.chat.id] = self.mode, self.composer.text
        self.query_one(ModeStrip).mode = None

    def _take_mode_up(self, chat: Chat) -> None:
        mode, content = self._modes.pop(chat.id, (None, ""))
        self.query_one(ModeStrip).mode = mode
        if isinstance(mode, Edit):
            self.composer.load(content)

    # Completing

    def on_composer_completing(self, event: Composer.Completing) -> None:
        event.stop()
        if self.chat is not None and self._bridge is not None:
            self.run_worker(self._complete(self.chat, self._bridge, event.begun), group="completing", exclusive=True)

    async def _complete(self, chat: Chat, bridge: Bridge, begun: str) -> None:
        """Completes a name as far as it is clear, and says what it could be."""
        try:
            found = completed(begun, await bridge.groups.names(chat.id))
        except Exception as error:
            self.post_message(Trouble(explain(error)))
            return
        self.composer.complete(begun, found.text)
        self._completed = self.composer.text
        if len(found.names) != 1:
            more = f" · {len(found.names) - _MOST_NAMES} more" if len(found.names) > _MOST_NAMES else ""
            words = " · ".join(found.names[:_MOST_NAMES]) + more
            self.query_one("#hint", Words).say(words or f"nobody here is called {begun}…")

    def on_text_area_changed(self) -> None:
        self.suggestions.show(*offers_for(self.composer, self.situation()))
        if self.chat is not None and self.chat.peer is not None and not isinstance(self.mode, Edit):
            self._typing.note(self.chat.id, bool(self.composer.text) and not self.composer.text.startswith("/"))
        if self.composer.text != self._completed:
            self._show_hint()

    def on_suggestions_taken(self, event: Suggestions.Taken) -> None:
        event.stop()
        if event.is_final and event.offer.command:
            self.composer.write_over(event.begun, event.offer.command)
            self.suggestions.put_away()
            self.composer.call_later(self.composer.submit)  # as the composer: what it says then goes past here
        else:
            self.composer.write_over(event.begun, event.offer.text)

    def on_descendant_blur(self) -> None:
        self.suggestions.put_away()

    def on_composer_editing(self, event: Composer.Editing) -> None:
        from xirtam_tui.screens.chat.editor import edited

        event.stop()
        try:
            written = edited(running_app(self), self.composer.text)
        except Exception as error:
            self.post_message(Trouble(explain(error, "What is written is kept.")))
            return
        self.composer.load(written)
        self.post_message(Composer.Drafted(written))

    async def _tell_typing(self, chat: str, active: bool) -> None:
        if self._bridge is not None:
            await attempt(self._bridge.messages.set_typing(chat, active), self)
