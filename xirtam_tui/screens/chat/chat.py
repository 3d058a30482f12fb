"""The chat screen: going to chats, and taking in what happens in the engine."""

from functools import partial

from textual import events, on
from textual.timer import Timer

from xirtam_core.chat import Chat, Message
from xirtam_core.names import Username
from xirtam_tui.actions import ACTIONS, Scope, Situation
from xirtam_tui.arrangement import View
from xirtam_tui.bridge import Batch, Bridge
from xirtam_tui.failures import attempt
from xirtam_tui.keymap import Keymap
from xirtam_tui.moments import Clock
from xirtam_tui.running import running_app
from xirtam_tui.screens.chat import finding
from xirtam_tui.screens.chat.chat_list import ChatList
from xirtam_tui.screens.chat.chat_title import ChatTitle
from xirtam_tui.screens.chat.on_chat import OnChat
from xirtam_tui.screens.chat.on_message import COPIED
from xirtam_tui.screens.home.status import watch_home
from xirtam_tui.widgets.about import About
from xirtam_tui.widgets.about.lines import ChatOf
from xirtam_tui.widgets.composer import Composer
from xirtam_tui.widgets.contact_list import ContactList
from xirtam_tui.widgets.status_bar import StatusBar

_DWELL_S = 0.15  # passing by a chat with the arrow keys does not open it, and so does not mark it as read
_ENABLED = {action.method: action.is_enabled for action in ACTIONS if action.scope is Scope.CHAT}


class ChatScreen(OnChat):
    """Everything one does in an account. Painted before the account is open; `attach` brings it to life."""

    def __init__(self, account: Username, *, clock: Clock, keymap: Keymap, intro: str | None) -> None:
        super().__init__(account, clock=clock, keymap=keymap)
        self._intro = intro
        self._dwell: Timer | None = None
        self._visited: list[str] = []  # chats in the order in which they were opened, the latest last

    async def attach(self, bridge: Bridge, view: View, *, by_recency: bool = False) -> None:
        """Shows the account that has been opened, with its panes as they were left. Raises what the engine raises."""
        self._bridge = bridge
        status = await bridge.status()
        self.show_view(view)
        self.query_one(StatusBar).status = status
        await watch_home(self, bridge)
        self.about.titles = lambda: {chat.id: chat.title for chat in self.contacts.chats if chat.group is not None}
        self.about.open(None, bridge)
        self.contacts.by_recency = by_recency
        self.contacts.show(await bridge.chats())
        self._invite()
        first = self.contacts.first_contact
        if first is not None and not self.has_class("-narrow"):
            self.conversation.transcript.is_attended = False
            await self._open(first, write=True)
        else:
            self.contacts.focus()

    def on_mount(self) -> None:
        # The app alone is told that the terminal has been left and come back to.
        self.watch(running_app(self), "app_focus", self._look, init=False)

    def apply(self, batch: Batch) -> None:
        """Takes in what happened in the engine."""
        if batch.status is not None:
            self.query_one(StatusBar).status = batch.status
        had_contact = self.contacts.first_contact is not None
        if batch.gone:
            self.contacts.take_away(batch.gone)
        if batch.chats:
            self.contacts.put(batch.chats.values())
        had_chat = self.conversation.chat is not None
        self.conversation.apply(batch)
        self._tell_about(batch)
        if self.conversation.has_missed_all:
            self.run_worker(self.draw_again(), group="drawing", exclusive=True)
        if had_chat and self.conversation.chat is None:
            self._leave()
        self._invite()
        # The very first chat: nothing else could be meant. What a stranger writes opens when a person wants it to, and a stranger
        # becomes a contact by being accepted, or in a private network by itself.
        is_idle = self.conversation.chat is None and not self.has_class("-narrow")
        if is_idle and not had_contact:
            self._go(self.contacts.first_contact)

    def _show_about(self) -> None:
        self.about.open(self.conversation.chat, self._bridge)

    def _tell_about(self, batch: Batch) -> None:
        chat = self.conversation.chat
        if chat is not None and chat.id in batch.chats:
            self.about.take(chat, batch)

    @property
    def looking_at(self) -> str | None:
        """The chat whose messages are on the screen."""
        chat = self.conversation.chat
        return chat.id if self._shows_chat and chat is not None and self.conversation.transcript.is_attended else None

    @property
    def _shows_chat(self) -> bool:
        """Whether the open chat is on the screen: in few columns there is one pane at a time."""
        return not self.has_class("-narrow") or self.has_class("show-chat")

    async def draw_again(self) -> None:
        """Draws what has been said anew: how it is shown has changed."""
        self.contacts.refresh()
        await self.conversation.show_again()

    def attend(self) -> None:
        """A person does something: what is on the screen counts as read from now on."""
        transcript = self.conversation.transcript
        if not transcript.is_attended:
            transcript.is_attended = True
            self.call_after_refresh(transcript.look)  # once a chat that is being opened has its place

    def _leave(self) -> None:
        """Goes back to the list: the chat that was open is gone."""
        self.contacts.open_chat = None
        self.about.open(None, None)
        self.remove_class("show-chat")
        self.contacts.focus()

    @property
    def queued(self) -> int:
        """How many own messages no server has yet."""
        status = self.query_one(StatusBar).status
        return status.queued if status is not None else 0

    @property
    def situation(self) -> Situation:
        """What the actions depend on."""
        if self._bridge is None:
            return Situation()
        conversation = self.conversation
        chat = conversation.chat
        alarm = chat is not None and chat.alarm is not None
        status = self.query_one(StatusBar).status
        return Situation(
            in_chats=True,
            chat_open=chat is not None,
            alarm=alarm or (status is not None and status.alarm is not None),
            standing=None if chat is None or chat.peer == self._account else chat.standing,
            group=None if chat is None or chat.group is None else chat.group.state,
            message=conversation.chosen,
            can_write=conversation.can_write,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _ENABLED:
            return _ENABLED[action](self.situation)
        return super().check_action(action, parameters)

    def _invite(self) -> None:
        """Says what to do first while there is no chat to show."""
        self.conversation.invite(self._intro or "", is_first=self.contacts.is_empty)

    # Going to a chat

    async def _open(self, chat: Chat, *, write: bool) -> None:
        if self._bridge is None:
            return
        self.contacts.open_chat = chat.id
        self._visited = [*(each for each in self._visited if each != chat.id), chat.id]
        self.set_class(write, "show-chat")
        if not self.conversation.shows(chat.id):
            await self.conversation.open(self.contacts.chat(chat.id) or chat, self._bridge)
            self.call_after_refresh(self._show_about)  # what was said does not wait for it
        if write:
            self.conversation.enter()

    def _go(self, chat: Chat | None, *, write: bool = True) -> None:
        if self._dwell is not None:
            self._dwell.stop()
        if chat is not None:
            self.contacts.open_chat = chat.id
            if self._bridge is not None:
                self.conversation.turn_to(self.contacts.chat(chat.id) or chat, self._bridge)
                if write and self.conversation.can_write:
                    self.conversation.enter()  # what is typed next is for this chat, and waits for nothing that is loaded
            self.run_worker(partial(self._open, chat, write=write), group="open", exclusive=True)

    async def show_message(self, chat: Chat, message: Message) -> None:
        """Goes to a message of a chat."""
        await self._open(chat, write=True)
        await attempt(finding.show(self.conversation.transcript, message), self)

    @on(ContactList.Picked)
    def _picked(self, event: ContactList.Picked) -> None:
        if event.is_final:
            self._go(event.chat)
            return
        self.contacts.open_chat = event.chat.id
        if self._dwell is not None:
            self._dwell.stop()
        if not self.has_class("-narrow"):
            self._dwell = self.set_timer(_DWELL_S, lambda: self._go(event.chat, write=False))

    @on(ChatTitle.Followed)
    async def _follow_title(self, event: ChatTitle.Followed) -> None:
        if event.is_back:
            self.remove_class("show-chat")
            self.contacts.focus()
        else:
            await self.action_details()

    @on(StatusBar.Followed)
    async def _follow_bar(self, event: StatusBar.Followed) -> None:
        app = running_app(self)
        await app.run_action(event.action, app if event.action == "help" else self)

    @on(About.Followed)
    async def _follow(self, event: About.Followed) -> None:
        """Does what a line of the details leads to."""
        target = event.target
        if isinstance(target, str):
            await running_app(self).run_action(target, self)
        elif isinstance(target, ChatOf):
            self._go(self.contacts.chat(target.id))
        elif (chat := self.contacts.chat(target.chat)) is not None:
            self.run_worker(self.show_message(chat, target), group="finding")

    def on_key(self, event: events.Key) -> None:
        """What is typed in the list is meant for whom one writes to, or for the filter.

        A letter that was typed while the one before it moved the focus there comes by here too: neither lets a letter pass itself.
        """
        composer, words = self.conversation.composer, self.query_one(ChatList).filter
        is_meant = self.focused in (self.contacts, composer, words) and not self._keys.is_modal
        if not is_meant or not event.is_printable or not event.character:
            return
        event.stop()
        is_in_list = self.focused is self.contacts
        if self.focused is composer or (is_in_list and self.conversation.can_write and self._shows_chat):
            composer.focus()
            composer.insert(event.character)
        else:
            if is_in_list:
                self.action_find()
            words.insert_text_at_cursor(event.character)

    def _look(self) -> None:
        if self._bridge is not None:
            self.conversation.transcript.look()

    def action_copy_text(self) -> None:
        super().action_copy_text()
        self.notify(COPIED, timeout=3)

    def on_screen_resume(self) -> None:
        self._look()

    # Actions, in the registry's order

    async def action_new_chat(self, name: str = "") -> None:
        from xirtam_tui.screens.new_chat.new_chat import NewChat

        if self._bridge is not None:
            asked = NewChat(self._bridge.start_chat, self._bridge.groups, name=name)
            await running_app(self).push_screen(asked, self._started)

    def _started(self, chat: Chat | None) -> None:
        if chat is not None:
            self.contacts.put([chat])
            self._go(chat)

    async def action_new_group(self) -> None:
        from xirtam_tui.screens.new_group.new_group import NewGroup

        if self._bridge is not None:
            await running_app(self).push_screen(NewGroup(self._bridge.groups.create), self._started)

    async def action_jump(self) -> None:
        from xirtam_tui.screens.switcher.switcher import Switcher

        await running_app(self).push_screen(Switcher(finding.by_recency(self.contacts, self._visited)), self._jump)

    async def _jump(self, found: Chat | str | None) -> None:
        if isinstance(found, str):
            await self.action_new_chat(found)
        else:
            self._go(found)

    def action_next_unread(self) -> None:
        found = finding.next_unread(self.contacts)
        if found is None:
            self.notify("Nothing else is unread", timeout=2)
        self._go(found)

    def action_next_chat(self) -> None:
        self._step(1)

    def action_previous_chat(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        """Goes to a neighbouring chat; with keys as in vim, in the list without leaving that."""
        if self._keys.is_modal and self.contacts.has_focus:
            self.contacts.action_move(step)
        else:
            self._go(self.contacts.neighbour(step))

    def action_find(self) -> None:
        self.remove_class("show-chat", "no-list")
        self.query_one(ChatList).filter.focus()

    def action_back(self) -> None:
        conversation = self.conversation
        if conversation.suggestions.put_away():
            return
        if self.focused is conversation.composer and conversation.give_up():
            return
        if self._keys.is_modal and self.focused is conversation.composer and conversation.transcript.start_cursor():
            conversation.transcript.focus()
        elif self.focused is conversation.transcript and conversation.can_write and not self._keys.is_modal:
            conversation.composer.focus()
        elif self.focused in (conversation.composer, conversation.transcript):
            self.remove_class("show-chat", "no-list")
            self.contacts.focus()
        elif self.focused is self.query_one(ChatList).filter:
            self.query_one(ChatList).filter.clear()
            self.contacts.focus()
        elif self._keys.is_modal:  # a preset in which Esc never leads to writing
            self.remove_class("show-chat", "no-list")
            self.contacts.focus()
        elif conversation.chat is not None and self._shows_chat:
            conversation.enter()

    def action_older(self) -> None:
        self.conversation.transcript.page(-1)

    def action_newer(self) -> None:
        self.conversation.transcript.page(1)

    async def action_oldest(self) -> None:
        await attempt(self.conversation.transcript.show_oldest(), self)

    async def action_latest(self) -> None:
        await attempt(self.conversation.transcript.show_latest(), self)

    def action_first_unread(self) -> None:
        self.conversation.transcript.show_unread()

    def action_fold(self) -> None:
        self.contacts.fold()

    def action_unfold(self) -> None:
        self.contacts.unfold()

    def action_write(self) -> None:
        if self.conversation.chat is not None:
            self.add_class("show-chat")
            self.conversation.enter()

    async def action_search(self, words: str = "") -> None:
        await self._search(None, words)

    async def action_search_chat(self, words: str = "") -> None:
        await self._search(self.conversation.chat, words)

    async def _search(self, within: Chat | None, words: str) -> None:
        if self._bridge is not None:
            await finding.search(self, self._bridge, within, words, self._clock)

    @on(Composer.Commanded)
    async def _run_command(self, event: Composer.Commanded) -> None:
        await finding.run_command(self, event.command)
