"""The panes of the chat screen, and how a person arranges them: the list, the conversation, and what is known of the open chat."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.message import Message as UiMessage

from xirtam_core.names import Username
from xirtam_tui.actions import Scope, Situation, bindings
from xirtam_tui.arrangement import View
from xirtam_tui.bridge import Bridge
from xirtam_tui.keymap import Keymap
from xirtam_tui.moments import Clock
from xirtam_tui.running import running_app
from xirtam_tui.screens.chat import widths
from xirtam_tui.screens.chat.about_chat import AboutChat
from xirtam_tui.screens.chat.chat_list import ChatList
from xirtam_tui.screens.chat.chat_title import ChatTitle
from xirtam_tui.screens.chat.conversation import Conversation
from xirtam_tui.screens.sized import Sized
from xirtam_tui.widgets.contact_list import ContactList
from xirtam_tui.widgets.divider import Divider
from xirtam_tui.widgets.status_bar import StatusBar

_STEP = 2  # columns by which a key makes the list wider


class Panes(Sized[None]):
    """Three panes from 120 columns on, two from 80 on, and one of those two below."""

    CSS_PATH = "chat.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.CHAT)

    class Arranged(UiMessage):
        """A person has arranged the panes otherwise: the list has so many columns, or is as it was, and details are hidden or not."""

        def __init__(self, list_width: int | None, *, hides_details: bool) -> None:
            super().__init__()
            self.list_width, self.hides_details = list_width, hides_details

    def __init__(self, account: Username, *, clock: Clock, keymap: Keymap) -> None:
        super().__init__()
        self._account, self._clock, self._keys = account, clock, keymap
        self._bridge: Bridge | None = None
        self._list_width: int | None = None  # as a person chose it

    def compose(self) -> ComposeResult:
        label = self._keys.label
        yield StatusBar(self._account, [(f"{label('chat.jump')} jump", "jump"), (f"{label('app.help')} help", "help")])
        with Horizontal(id="panes"):
            yield ChatList(clock=self._clock, keymap=self._keys)
            yield Divider(id="divider")
            conversation = Conversation(clock=self._clock, keymap=self._keys)
            conversation.situation = lambda: self.situation
            conversation.contacts = lambda: self.contacts.chats
            yield conversation
            yield AboutChat(clock=self._clock, keymap=self._keys)

    @property
    def contacts(self) -> ContactList:
        """The list of chats."""
        return self.query_one(ContactList)

    @property
    def conversation(self) -> Conversation:
        """The chat that is open."""
        return self.query_one(Conversation)

    @property
    def about(self) -> AboutChat:
        """What is known of the chat that is open."""
        return self.query_one(AboutChat)

    @property
    def situation(self) -> Situation:
        """What the actions depend on."""
        return Situation()

    # How they are arranged

    def show_view(self, view: View) -> None:
        """Arranges the panes as they were left."""
        if view.folded is not None:
            self.contacts.show_folded(frozenset(view.folded))
        self._list_width = view.list_width
        self.set_class(view.hides_details, "no-details")
        self._fit()

    @property
    def _columns(self) -> int:
        """The terminal's: this screen's own are known only once it has been laid out."""
        return running_app(self).size.width

    @property
    def _has_room_for_details(self) -> bool:
        return self.has_class("-wide")

    @property
    def _details_columns(self) -> int:
        return widths.DETAILS if self._has_room_for_details and not self.has_class("no-details") else 0

    def _fit(self) -> None:
        """Gives the list its columns; where there is one pane, the stylesheet gives it all of them, and the title leads back to it."""
        self.query_one(ChatTitle).fit()
        pane = self.query_one(ChatList)
        if self.has_class("-narrow"):
            pane.styles.clear_rule("width")
        else:
            pane.styles.width = widths.list_columns(self._list_width, self._columns, self._details_columns)

    async def take_size(self, size: Size) -> None:
        await super().take_size(size)
        if self.is_attached and self.query(ChatList):
            self._fit()

    def _widen(self, columns: int, *, is_final: bool = True) -> None:
        if self.has_class("-narrow") or self.has_class("no-list"):
            return
        self._list_width = widths.list_columns(columns, self._columns, self._details_columns)
        self._fit()
        if is_final:
            self._tell_arranged()

    def _tell_arranged(self) -> None:
        self.post_message(self.Arranged(self._list_width, hides_details=self.has_class("no-details")))

    @on(Divider.Dragged)
    def _drag(self, event: Divider.Dragged) -> None:
        self._widen(event.column, is_final=event.is_final)

    def on_descendant_focus(self) -> None:
        self._light_list()

    def on_descendant_blur(self) -> None:
        self._light_list()

    def _light_list(self) -> None:
        """The line beside the list shows that what is pressed goes to the list."""
        self.query_one(Divider).set_class(self.contacts.has_focus, "-lit")

    def action_toggle_list(self) -> None:
        self.toggle_class("no-list")

    def action_wider(self) -> None:
        self._widen(self.query_one(ChatList).size.width + _STEP)

    def action_narrower(self) -> None:
        self._widen(self.query_one(ChatList).size.width - _STEP)

    async def action_toggle_details(self) -> None:
        """Hides the details beside the chat, or shows them; where there is no room, in a dialog."""
        if self._has_room_for_details:
            self.toggle_class("no-details")
            self._fit()
            self._tell_arranged()
        else:
            await self.action_details()

    async def action_details(self) -> None:
        """Shows all that is known of the open chat, and what can be done about it."""
