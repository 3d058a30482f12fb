"""One conversation: who it is with, what was said, and what one writes. Owns all of it for the chat that is open."""

import asyncio
from functools import partial

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive

from xirtam_core.chat import Chat, Message, SendState
from xirtam_tui.bridge import Batch, Bridge
from xirtam_tui.emoji_names import shown
from xirtam_tui.failures import Failure, Trouble, attempt, explain, sentence
from xirtam_tui.keymap import Keymap
from xirtam_tui.moments import Clock
from xirtam_tui.screens.chat import modes, standing
from xirtam_tui.screens.chat.chat_history import ChatHistory
from xirtam_tui.screens.chat.chat_title import ChatTitle
from xirtam_tui.screens.chat.composing import Composing
from xirtam_tui.screens.chat.hints import Hint, message_hint, writing_hint
from xirtam_tui.screens.chat.jump_line import JumpLine
from xirtam_tui.screens.chat.modes import Draft, Edit, ModeStrip
from xirtam_tui.screens.chat.on_message import ON_MESSAGE, toggle_reaction
from xirtam_tui.screens.chat.typing import OthersTyping
from xirtam_tui.screens.chat.unsent import Unsent
from xirtam_tui.screens.chat.why_not import why_not
from xirtam_tui.widgets.composer import Composer, slash
from xirtam_tui.widgets.composer.suggestions import Suggestions
from xirtam_tui.widgets.transcript import Transcript
from xirtam_tui.widgets.words import Words

_KEPT = "The message is kept here."


class Conversation(Composing):
    """Shows the chat it is told to open, and does what a person wants done in it."""

    at_latest: reactive[bool] = reactive(True, init=False)
    chosen: reactive[Message | None] = reactive(None, init=False)

    def __init__(self, *, clock: Clock, keymap: Keymap) -> None:
        super().__init__(keymap)
        self._clock = clock
        self._is_open = False
        self._unsent = Unsent()
        self._kept = Draft()  # what is on disk as the open chat's draft
        self._keeping = asyncio.Lock()
        self._invitation = ""
        self._others = OthersTyping(self, self._show_writing)

    def compose(self) -> ComposeResult:
        yield ChatTitle()
        yield Words(id="alarm")
        yield Words(id="standing")
        yield Transcript(clock=self._clock, id="transcript")
        with Vertical(id="writing"):
            yield Suggestions(keys=self.keymap.keys["composer.complete"], id="suggestions")
            yield JumpLine()
            yield ModeStrip(give_up=self.keymap.label("chat.back"))
            yield Composer(keymap=self.keymap, id="composer")
            yield Hint()

    def on_mount(self) -> None:
        self._show_hint()

    @property
    def transcript(self) -> Transcript:
        """What was said."""
        return self.query_one(Transcript)

    # Opening and closing

    def turn_to(self, chat: Chat, bridge: Bridge) -> None:
        """Has what is typed from now on be for `chat`; what was written in the one before is kept as its draft, but not waited for."""
        if self._is_of(chat):
            return
        self._is_open = False
        self._typing.stop()
        self._put_aside()
        if self.chat is not None and self._bridge is not None:
            kept = None if self._keeping.locked() else self._kept  # what is being kept just now may be another
            self.run_worker(partial(self._keep, self.chat, self._bridge, self._draft, kept), group="drafts of others")
        self._unsent.clear()
        self._bridge, self._kept, self.chat, self.chosen = bridge, Draft.kept(chat), chat, None
        self._suggesting.forget_members()
        self._take_out(chat)
        self._show_writing()
        self.transcript.close(empty="")  # what comes now is of another chat

    async def open(self, chat: Chat, bridge: Bridge) -> None:
        """Shows `chat`."""
        self.turn_to(chat, bridge)
        self._is_open = False
        await self._take_up(chat, bridge)
        self.transcript.me = bridge.account
        await self._show_history(chat, bridge)

    async def show_again(self) -> None:
        """Shows what was said anew; what is being written stays."""
        self.watch_chat(self.chat, self.chat)
        self.query_one(ModeStrip).refresh()
        if self.chat is not None and self._bridge is not None:
            await self._show_history(self.chat, self._bridge)

    async def _show_history(self, chat: Chat, bridge: Bridge) -> None:
        opened = self.transcript.open(
            ChatHistory(bridge, chat.id),
            read_up_to=chat.read_up_to,
            unread=chat.unread,
            beginning=standing.beginning(chat, bridge.account),
            empty=standing.nothing_said(chat),
        )
        self._is_open = await attempt(opened, self)

    def shows(self, chat: str) -> bool:
        """Whether a chat is open with what was said in it: opening one may have been broken off by another."""
        return self._is_open and self.chat is not None and self.chat.id == chat

    async def keep_draft(self) -> None:
        """Keeps what is written as the open chat's draft, on disk when this returns, with those of the chats before."""
        chat, bridge = self.chat, self._bridge
        if chat is not None and bridge is not None:
            await self._keep(chat, bridge, self._draft, self._kept)

    async def _keep(self, chat: Chat, bridge: Bridge, draft: Draft, kept: Draft | None) -> None:
        async with self._keeping:  # one after the other: the last one is to hold
            if draft == (self._kept if self._is_of(chat) else kept):
                return
            keeping = bridge.set_draft(chat.id, draft.text, reply_to=draft.reply_to, edit=draft.edit)
            if await attempt(keeping, self) and self._is_of(chat):
                self._kept = draft

    def _is_of(self, chat: Chat) -> bool:
        return self.chat is not None and self.chat.id == chat.id

    @property
    def can_write(self) -> bool:
        """Whether there is somebody to write to."""
        return self.chat is not None and modes.can_write_in(self.chat)

    def enter(self) -> None:
        """Goes to where one writes; to the messages where one cannot."""
        (self.composer if self.can_write else self.transcript).focus()

    def _close(self) -> None:
        """Shows no chat: the one that was open is gone, and its draft with it."""
        self.composer.load("")
        self._untaken, self.query_one(ModeStrip).mode = None, None
        self._kept, self._invitation, self.chat, self.chosen = Draft(), "", None, None

    def invite(self, intro: str, *, is_first: bool) -> None:
        """Says what to do while no chat is open; `is_first` when there is none at all."""
        key = self.keymap.label("chat.new_chat") or f"{self.keymap.label('app.command_palette')}, New chat"
        words = f"No chats yet. {key}, then a name such as @bobby" if is_first else "Choose a chat on the left"
        invitation = f"{intro}\n\n{words}" if intro else words
        if self.chat is None and invitation != self._invitation:
            self._invitation = invitation
            self.transcript.close(empty=invitation)

    def apply(self, batch: Batch) -> None:
        """Takes in what happened."""
        for chat, is_writing in batch.typing.items():
            self._others.hear(chat, is_writing)
        for chat in batch.gone:
            self._left.pop(chat, None)
        if self.chat is None:
            return
        if self.chat.id in batch.gone:
            self._close()
            return
        here = [message for message in batch.messages.values() if message.chat == self.chat.id]
        self.transcript.put(here)
        gone = [removed.id for removed in batch.removed if removed.chat == self.chat.id]
        for message_id in gone:
            self.transcript.take_away(message_id)
        if self._unsent.note(here, gone):
            self._show_hint()
        if self.chat.id in batch.filled and not self.transcript.shows_nothing:  # a chat without any is opened anew
            self.run_worker(attempt(self.transcript.read_again(), self), group="reading again")
        self.chat = batch.chats.get(self.chat.id, self.chat)

    @property
    def has_missed_all(self) -> bool:
        """Whether nothing shows of a chat in which something was said: older messages come to a new device unannounced."""
        return self.chat is not None and self.chat.last is not None and self.transcript.shows_nothing

    # What is said around the transcript

    def watch_chat(self, before: Chat | None, chat: Chat | None) -> None:
        self.set_class(chat is not None, "has-chat")
        self.set_class(self.can_write, "can-write")
        self.transcript.can_write = self.can_write
        self.transcript.can_pin = self.can_write and chat is not None and chat.group is not None and chat.group.is_admin
        if self.can_write and before is not None and before.id == (chat and chat.id) and not modes.can_write_in(before):
            self.call_after_refresh(self.composer.focus)  # they have just been accepted
        self.set_class(chat is not None and chat.alarm is not None, "has-alarm")
        if chat is not None:
            placeholder = Content(f"Write to {shown(chat.title)}")  # as text: markup is what peers may write
            if self.composer.placeholder != placeholder:
                self.composer.placeholder = placeholder
            self.query_one(ChatTitle).show(chat)
            words = standing.standing_words(chat, self.keymap)
            self.set_class(bool(words), "has-words")
            self.query_one("#standing", Words).say(words)
            key = self.keymap.label("chat.acknowledge")
            self.query_one("#alarm", Words).say(f"⚠ {chat.alarm}\n  {key} I have seen this" if chat.alarm else "")
        self._show_jump()

    def watch_at_latest(self) -> None:
        self._show_jump()

    def watch_chosen(self) -> None:
        self._show_hint()

    def _show_jump(self) -> None:
        unread = self.chat.unread if self.chat is not None else 0
        mentions = f", @{self.chat.mentions}" if self.chat is not None and self.chat.mentions else ""
        label = f"↓ {unread} new{mentions}" if unread else "↓ latest"
        key = self.keymap.label("chat.latest")
        self.query_one(JumpLine).label = "" if self.at_latest else f"{label} · {key}"

    def _show_hint(self) -> None:
        if self.chosen is not None:
            words = message_hint(self.transcript.situation, self.keymap)
        elif self.chat is not None and self._unsent:
            words = self._unsent.words(self.chat.server)
        else:
            words = writing_hint(self.keymap)
        self.query_one(Hint).hint(words)

    # Reading

    def on_transcript_seen(self, event: Transcript.Seen) -> None:
        event.stop()
        if self.chat is not None and self._bridge is not None:
            self.run_worker(attempt(self._bridge.mark_read(self.chat.id, event.position), self), group="reading")

    def on_transcript_moved(self, event: Transcript.Moved) -> None:
        event.stop()
        self.at_latest = event.at_latest

    async def on_jump_line_clicked(self, event: JumpLine.Clicked) -> None:
        event.stop()
        await attempt(self.transcript.show_latest(), self)

    def on_transcript_failed(self, event: Transcript.Failed) -> None:
        event.stop()
        self.post_message(Trouble(explain(event.error)))

    # The message cursor

    def on_key(self, event: events.Key) -> None:
        """A key that cannot do to the chosen message what it is for says why."""
        if self.transcript.has_focus and (words := why_not(event.key, self.keymap, self.transcript.situation)):
            event.stop()
            self.notify(words, timeout=4, markup=False)

    def on_transcript_cursor_moved(self, event: Transcript.CursorMoved) -> None:
        event.stop()
        self.chosen = event.message
        if event.past_end:
            self.composer.focus()

    def on_transcript_chosen(self, event: Transcript.Chosen) -> None:
        event.stop()
        self.do(event.action, event.message)

    def on_transcript_reacted(self, event: Transcript.Reacted) -> None:
        event.stop()
        if self._bridge is not None:
            self.run_worker(toggle_reaction(self, self._bridge, event.message, event.emoji), group="on a message")

    def do(self, action: str, message: Message) -> None:
        """Does something about a message, by the name of the action."""
        bridge = self._bridge
        if bridge is None:
            return
        if action in ON_MESSAGE:
            self.run_worker(ON_MESSAGE[action](self, bridge, message), group="on a message")
        elif action == "retry" and message.state is SendState.FAILED:
            self.run_worker(attempt(bridge.retry(message.id), self, _KEPT))
        elif action == "discard" and message.state in (SendState.FAILED, SendState.QUEUED):
            self.run_worker(self._discard(bridge, message))

    async def _discard(self, bridge: Bridge, message: Message) -> None:
        """Takes a message back; its text returns to the composer, below what is written there."""
        if await attempt(bridge.discard(message.id), self, _KEPT):
            written = self.composer.text
            self.composer.load(f"{written}\n\n{message.text}" if written.strip() else message.text)
            self.composer.focus()
            await self.keep_draft()

    def _show_writing(self) -> None:
        chat = self.chat
        is_writing = chat is not None and chat.id in self._others
        words = "" if not is_writing or chat is None else f"{chat.title if chat.peer else 'somebody'} is writing…"
        self.query_one(JumpLine).writing = words

    # Writing

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        event.stop()
        if self.chat is None or self._bridge is None:
            self.composer.not_sent()
        elif self.chat.alarm is not None:
            self.composer.not_sent()
            key = self.keymap.label("chat.acknowledge")
            self.post_message(Trouble(Failure("Not sent", f"First look at the warning above ({key}). {_KEPT}")))
        else:
            self.run_worker(self._send(self.chat, self._bridge, event.content))

    async def _send(self, chat: Chat, bridge: Bridge, content: str) -> None:
        await self._take_up(chat, bridge)
        mode = self.mode
        self._typing.stop(tell=False)
        sent = await attempt(modes.say(bridge, chat.id, slash.plain(content.strip("\n")), mode), self, _KEPT)
        if self.chat is None or self.chat.id != chat.id:
            return
        if sent and isinstance(mode, Edit):
            self.composer.not_sent()  # nothing is to leave the composer but what was changed
            self.give_up()
        elif sent:
            self.query_one(ModeStrip).mode = None
            self.composer.sent(content)
            await self.transcript.show_latest()
            await self.keep_draft()
        else:
            self.composer.not_sent()

    def on_composer_refused(self, event: Composer.Refused) -> None:
        event.stop()
        self.post_message(Trouble(Failure("Not sent", sentence(event.reason))))

    def on_composer_drafted(self, event: Composer.Drafted) -> None:
        event.stop()
        self._keep_draft_now()

    def on_composer_left_upwards(self, event: Composer.LeftUpwards) -> None:
        event.stop()
        if self.transcript.start_cursor():
            self.transcript.focus()
