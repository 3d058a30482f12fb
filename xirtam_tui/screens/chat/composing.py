"""Writing in a chat: what it is for, what it could become as one writes, and telling that one does. Sending is the conversation's."""

from collections.abc import Callable, Iterable

from textual.containers import Vertical
from textual.reactive import reactive

from xirtam_core.chat import Chat
from xirtam_tui.actions import Situation
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import Trouble, attempt, explain
from xirtam_tui.keymap import Keymap
from xirtam_tui.running import running_app
from xirtam_tui.screens.chat.modes import Draft, Edit, Left, Mode, ModeStrip, taken_up
from xirtam_tui.screens.chat.suggesting import Suggesting
from xirtam_tui.screens.chat.typing import OwnTyping
from xirtam_tui.widgets.composer import Composer
from xirtam_tui.widgets.composer.suggestions import Suggestions


class Composing(Vertical):
    """The part of a conversation that is about what is being written; the rest composes its widgets."""

    chat: reactive[Chat | None] = reactive(None, init=False, repaint=False)  # what shows of it is repainted by itself

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="conversation")
        self.keymap = keymap
        self.situation: Callable[[], Situation] = Situation
        self._bridge: Bridge | None = None
        self._left: dict[str, Left] = {}  # by chat: what is kept of it reaches the list of chats only in a while
        self._untaken: Draft | None = (
            None  # what was kept of the open chat, until the message that it is about is found
        )
        self._typing = OwnTyping(self, self._tell_typing)
        self.contacts: Callable[[], Iterable[Chat]] = tuple
        """The chats of all whom this account knows."""
        self._suggesting = Suggesting(self, keymap.keys["composer.complete"])

    def on_mount(self) -> None:
        self.composer.takes_key = self._suggesting.take_key

    async def keep_draft(self) -> None:
        """Keeps what is written as the open chat's draft, on disk when this returns."""
        raise NotImplementedError

    def _keep_draft_now(self) -> None:
        self.run_worker(self.keep_draft(), group="draft", exclusive=True)

    @property
    def bridge(self) -> Bridge | None:
        """The way to the engine, once a chat has been opened."""
        return self._bridge

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
        self._untaken, self.query_one(ModeStrip).mode = None, mode
        if isinstance(mode, Edit):
            self.composer.load(mode.message.text)
        self._keep_draft_now()
        self.composer.focus()

    def give_up(self) -> bool:
        """Goes back to writing a new message, with what had been written of it; gives whether there was anything to give up."""
        mode = self.mode
        if isinstance(mode, Edit):
            self.composer.load(mode.before)
        self.query_one(ModeStrip).mode = None
        if mode is not None:
            self._keep_draft_now()
        return mode is not None

    # Going from chat to chat

    @property
    def _draft(self) -> Draft:
        """What is being written."""
        written = self.composer.text
        return Draft.of(written, self.mode) if self._untaken is None else self._untaken.rewritten(written)

    def _put_aside(self) -> None:
        if self.chat is not None:
            self._left[self.chat.id] = Left(self.mode, self._draft, self._untaken is None)

    def _take_out(self, chat: Chat) -> None:
        """Has the composer show what was being written in a chat."""
        kept = Draft.kept(chat)
        left = self._left.pop(chat.id, Left(None, kept, kept.about is None))
        self._untaken = None if left.is_taken_up else left.draft
        self.query_one(ModeStrip).mode = left.mode
        self.composer.load(left.draft.written)

    async def _take_up(self, chat: Chat, bridge: Bridge) -> None:
        """Finds what the draft is about. If that is gone, what was written is kept as a new message."""
        draft = self._untaken
        if draft is None:
            return
        mode = await taken_up(bridge, chat.id, draft)
        if self._untaken is not draft:
            return
        self._untaken, self.query_one(ModeStrip).mode = None, mode
        if mode is None and draft.edit is not None:
            parts = (draft.text, self.composer.text)
            self.composer.load("\n\n".join(part for part in parts if part.strip()))

    # Completing

    def on_text_area_changed(self) -> None:
        self._suggesting.suggest()
        if self.chat is not None and self.chat.peer is not None and not isinstance(self.mode, Edit):
            self._typing.note(self.chat.id, bool(self.composer.text) and not self.composer.text.startswith("/"))

    def on_suggestions_taken(self, event: Suggestions.Taken) -> None:
        event.stop()
        self._suggesting.take(event)

    def on_descendant_blur(self) -> None:
        self.suggestions.put_away()

    async def on_composer_editing(self, event: Composer.Editing) -> None:
        from xirtam_tui.screens.chat.editor import edited

        event.stop()
        await self.keep_draft()  # whatever happens to the editor, or to this while it runs
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
