"""Whose messages are kept (spec: extensions.md, Control events; client.md).

Contacts write as they like. Somebody unknown becomes a message request, or what the settings say; requests are bounded in number and
size, so that strangers cannot fill the disk. What somebody blocked writes is let go, and they are told nothing.
"""

from typing import Final

from xirtam_core.errors import Refused
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol.opened import Opened
from xirtam_core.settings import Strangers
from xirtam_core.storage import counters, early_controls, messages, people, settings
from xirtam_core.storage.database import Database
from xirtam_core.storage.people import Person

MOST_REQUESTERS: Final = 200
MOST_MESSAGES: Final = 50
MOST_BYTES: Final = 256 * 1024


class Admission:
    """Looks at each message before it is stored, in the transaction that stores it."""

    def __init__(self, database: Database, me: Username) -> None:
        self._database = database
        self._me = me

    def admits(self, opened: Opened) -> bool:
        """Whether a message is kept; whoever wrote it is known afterwards. Raises `Refused` for one too many of a stranger's."""
        if opened.sender == self._me:
            if opened.peer != self._me:  # another device has written to them
                people.make_contact(self._database, opened.peer)
            return True
        match people.standing(self._database, opened.sender):
            case Standing.CONTACT:
                return True
            case Standing.BLOCKED:
                counters.add_one(self._database, "blocked")
                return False
            case Standing.REQUEST:
                self._check_room(opened)
                return True
            case None:
                return self._admits_stranger(opened)

    def _admits_stranger(self, opened: Opened) -> bool:
        match settings.load(self._database).strangers:
            case Strangers.REFUSE:
                counters.add_one(self._database, "refused")
                return False
            case Strangers.ACCEPT:
                people.make_contact(self._database, opened.sender)
            case Strangers.ASK:
                if people.count(self._database, Standing.REQUEST) >= MOST_REQUESTERS:
                    raise Refused(f"{MOST_REQUESTERS} strangers wait to be accepted already")
                self._check_room(opened)
                people.store(self._database, Person(username=opened.sender, standing=Standing.REQUEST))
        return True

    def check_control(self, opened: Opened) -> None:
        """Raises `Refused` where what a stranger says about their messages takes more room than these may."""
        if people.standing(self._database, opened.sender) is Standing.REQUEST:
            self._check_size(opened, early_controls.size(self._database, opened.peer))

    def _check_room(self, opened: Opened) -> None:
        if messages.find_event(self._database, opened.peer, opened.sender, opened.event, opened.event_hash) is not None:
            return  # it is here already, and takes no room
        self._check_size(opened, 0)
        if messages.size_from_peer(self._database, opened.peer)[0] >= MOST_MESSAGES:
            raise Refused(f"a stranger's {MOST_MESSAGES} messages wait to be accepted already")

    def _check_size(self, opened: Opened, besides: int) -> None:
        _, size = messages.size_from_peer(self._database, opened.peer)
        if size + besides + len(opened.event.body) > MOST_BYTES:
            raise Refused(f"a stranger's messages come to more than {MOST_BYTES // 1024} KiB")
