"""Control events as they arrive: each kind is taken by whoever has to do with it (spec: extensions.md, Control events).

They come through the same journal, checks and transaction as messages. They never make a chat, a request or a line in a transcript.
"""

import logging
from collections.abc import Callable

from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.engine.outcome import Outcome
from xirtam_core.errors import Malformed, Refused, StorageFault
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol.control import DEVICE
from xirtam_core.protocol.event import is_group
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import devices, people
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage

Take = Callable[[Opened, Outcome], None]
"""Stores what an event says, inside the transaction of its batch; raises `Malformed` for one that says nothing sensible, and
`Refused` for one too many."""

_log = logging.getLogger(__name__)


class Controls:
    """Who takes which kind of control event, by its MIME type; and who follows the messages that they are about."""

    def __init__(self, database: Database, me: Username) -> None:
        self._database = database
        self._me = me
        self._takers: dict[str, Take] = {}
        self._of_groups: set[str] = set()
        self._followers: list[Callable[[StoredMessage, Outcome], None]] = []
        self._closers: list[Callable[[Outcome], None]] = []

    def register(self, mime: str, take: Take, *, in_groups: bool = False) -> None:
        """Has `take` take the events of one kind, those said in direct chats alone unless it is one that groups have as well."""
        self._takers[mime] = take
        if in_groups:
            self._of_groups.add(mime)

    def when_stored(self, then: Callable[[StoredMessage, Outcome], None]) -> None:
        """Calls `then` for each message that has arrived and was new, in the transaction that stores it."""
        self._followers.append(then)

    def when_concluded(self, then: Callable[[Outcome], None]) -> None:
        """Calls `then` once all of a batch has been dealt with, in its transaction."""
        self._closers.append(then)

    def stored(self, message: StoredMessage, outcome: Outcome) -> None:
        """A message has arrived that was not here before."""
        for follow in self._followers:
            follow(message, outcome)

    def conclude(self, outcome: Outcome) -> None:
        """All of a batch has been dealt with."""
        for close in self._closers:
            close(outcome)

    def take(self, opened: Opened, outcome: Outcome) -> None:
        """Deals with an event that has been verified; one of an unknown kind, or that makes no sense, is let go."""
        take = self._takers.get(opened.event.mime)
        if take is None or (opened.event.mime == DEVICE and not self._is_to_myself(opened)):
            return
        if is_group(opened.chat) and opened.event.mime not in self._of_groups:
            return
        if people.standing(self._database, opened.sender) is Standing.BLOCKED:
            return
        if opened.sender == self._me and devices.is_revoked(self._database, bcs_hash(opened.device_pk)):
            return  # its key still signs, but whoever has it shall change nothing that was said
        try:
            take(opened, outcome)
        except StorageFault:
            raise
        except (Malformed, Refused) as fault:
            _log.info("a control event is passed over: %s", type(fault).__name__)
        except Exception as fault:  # whoever sent it: no event may keep those after it from being read
            _log.error("a control event is passed over, as taking it failed: %s", type(fault).__name__)

    def _is_to_myself(self, opened: Opened) -> bool:
        return opened.sender == self._me and opened.chat == self._me
