"""Control events as they arrive: each kind is taken by whoever has to do with it (spec: extensions.md, Control events).

They come through the same journal, checks and transaction as messages. They never make a chat, a request or a line in a transcript.
"""

import logging
from collections.abc import Callable

from xirtam_core.engine.outcome import Outcome
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.protocol.control import DEVICE
from xirtam_core.protocol.direct_message import Opened

Take = Callable[[Opened, Outcome], None]
"""Stores what an event says, inside the transaction of its batch; raises `Malformed` for one that says nothing sensible."""

_log = logging.getLogger(__name__)


class Controls:
    """Who takes which kind of control event, by its MIME type."""

    def __init__(self, me: Username) -> None:
        self._me = me
        self._takers: dict[str, Take] = {}

    def register(self, mime: str, take: Take) -> None:
        """Has `take` take the events of one kind."""
        self._takers[mime] = take

    def take(self, opened: Opened, outcome: Outcome) -> None:
        """Deals with an event that has been verified; one of an unknown kind, or that makes no sense, is let go."""
        take = self._takers.get(opened.event.mime)
        if take is None or (opened.event.mime == DEVICE and not self._is_to_myself(opened)):
            return
        try:
            take(opened, outcome)
        except Malformed as fault:
            _log.info("a control event is passed over: %s", type(fault).__name__)

    def _is_to_myself(self, opened: Opened) -> bool:
        return opened.sender == self._me and opened.peer == self._me
