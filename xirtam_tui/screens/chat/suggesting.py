"""What is offered while one writes: commands, emoji and people by their names."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from xirtam_core.chat import Chat
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import Trouble, explain
from xirtam_tui.widgets.composer import emoji, people, slash
from xirtam_tui.widgets.composer.people import Person
from xirtam_tui.widgets.composer.suggestions import Offer, Suggestions

if TYPE_CHECKING:
    from xirtam_tui.screens.chat.composing import Composing


class Suggesting:
    """Offers in a conversation what could be meant by what has been begun; `keys` are those that take it."""

    def __init__(self, here: "Composing", keys: Collection[str]) -> None:
        self._here, self._keys = here, keys
        self._members: list[Username] = []  # of the group that is open, as last heard
        self._is_naming = False

    def forget_members(self) -> None:
        """Another chat is open."""
        self._members, self._is_naming = [], False

    def take_key(self, key: str) -> bool:
        """Whether a key was meant for what is offered; what was put away is offered again by a key that takes it."""
        if self._here.suggestions.take_key(key):
            return True
        if key not in self._keys:
            return False
        self.suggest()
        return self._here.suggestions.is_open

    def suggest(self) -> None:
        """Offers what fits what is before the cursor now."""
        here = self._here
        begun, offers = self._offers()
        here.suggestions.show(begun, offers)
        was_naming, self._is_naming = self._is_naming, begun.startswith("@")
        if self._is_naming and not was_naming and here.chat is not None and here.chat.group is not None and here.bridge:
            here.run_worker(self._look_up_members(here.chat, here.bridge), group="members", exclusive=True)

    def take(self, taken: Suggestions.Taken) -> None:
        """Writes what was taken; a command that is meant to be run is run."""
        here, offer = self._here, taken.offer
        if taken.is_final and offer.command:
            here.composer.write_over(taken.begun, offer.command)
            here.suggestions.put_away()
            here.composer.call_later(here.composer.submit)  # as the composer: what it says then goes past here
        else:
            here.composer.write_over(taken.begun, offer.text)

    async def _look_up_members(self, chat: Chat, bridge: Bridge) -> None:
        """Offers those who are in a group as it is now. What was known of it is offered meanwhile."""
        here = self._here
        try:
            members = await bridge.groups.names(chat.id)
        except Exception as error:
            here.post_message(Trouble(explain(error)))
            return
        if here.chat is None or here.chat.id != chat.id or members == self._members:
            return
        self._members = members
        begun, offers = self._offers()
        if begun.startswith("@") and here.composer.has_focus:
            here.suggestions.show(begun, offers)

    def _offers(self) -> tuple[str, list[Offer]]:
        """What has been begun before the cursor, and what it could become; nothing where nothing has."""
        here = self._here
        before = here.composer.before_cursor
        if before == here.composer.text and (command := slash.command_begun(before)) is not None:
            return command, slash.offers(command, here.situation())
        if (name := emoji.emoji_begun(before)) is not None:
            return name, emoji.offers(name)
        if (name := people.name_begun(before)) is not None:
            me = None if here.bridge is None else here.bridge.account
            return name, people.offers(name, nameable(self._members, here.contacts(), me))
        return "", []


def nameable(members: Collection[Username], chats: Iterable[Chat], me: Username | None) -> list[Person]:
    """Whom one may want to name: the members of the group that is open, and one's contacts."""
    called = {chat.peer: chat.petname or "" for chat in chats if chat.peer and chat.standing is Standing.CONTACT}
    here = [Person(name, called.get(name, ""), is_here=True) for name in members if name != me]
    others = [name for name in called if name not in members and name != me]
    # That somebody is not in the group is worth a word: naming them tells them nothing.
    return [*here, *(Person(name, called[name] or ("not in this group" if members else "")) for name in others)]
