"""The left pane: a filter, the chats, and how to start another."""

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from xirtam_tui.keymap import Keymap
from xirtam_tui.moments import Clock
from xirtam_tui.widgets.contact_list import ContactList


class ChatList(Vertical):
    """The contact list with its filter: Enter in it opens the first hit, and down goes to the list."""

    def __init__(self, *, clock: Clock, keymap: Keymap) -> None:
        super().__init__(id="list")
        self._clock, self._keys = clock, keymap

    def compose(self) -> ComposeResult:
        yield Input(placeholder="filter…", id="filter", compact=True, select_on_focus=False)
        yield ContactList(clock=self._clock, id="contacts")
        yield Static(self._keys.hint("chat.new_chat", "new chat"), id="list-hint", markup=False)

    @property
    def filter(self) -> Input:
        """Where one types a part of a name."""
        return self.query_one("#filter", Input)

    @property
    def contacts(self) -> ContactList:
        """The chats."""
        return self.query_one(ContactList)

    @on(Input.Changed)
    def _narrow_down(self, event: Input.Changed) -> None:
        self.contacts.filter_text = event.value.strip()

    @on(Input.Submitted)
    def _take_first(self) -> None:
        if not self.filter.value.strip():
            self.contacts.focus()  # nothing was looked for, so nowhere is gone to
        elif chats := self.contacts.ordered:
            self.post_message(ContactList.Picked(chats[0], is_final=True))
        self.filter.clear()

    def on_key(self, event: events.Key) -> None:
        if event.key == "down" and self.filter.has_focus:
            self.contacts.focus()
