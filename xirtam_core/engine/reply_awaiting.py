"""A new device's wait for the reply to its pairing code (spec: extensions.md, Pairing)."""

import asyncio
import logging
from collections.abc import Iterable

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import DhSecret
from xirtam_core.engine.network import Network
from xirtam_core.errors import Malformed, NotFound, SecurityAlarm, Unverified, XirtamError
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.mailbox import MailboxEntry, ReceiveFrom
from xirtam_core.protocol.pairing import PairingCode, PairingReply, open_reply
from xirtam_core.storage.journal import LATEST_RECEIVED

_PAUSE_S = 3.0
_WAIT_MS = 15_000
_FRESH_S = 60.0
_log = logging.getLogger(__name__)


class Answered(msgspec.Struct, frozen=True):
    """The reply, and whom it was verified against."""

    reply: PairingReply
    user: UserDescriptor


class ReplyAwaiting:
    """Reads the code's mailbox, which comes into being with the reply; until then the server knows none."""

    def __init__(self, network: Network, code: PairingCode, secret: DhSecret, clock: Clock) -> None:
        self._network = network
        self._code = code
        self._secret = secret
        self._clock = clock
        self._user: UserDescriptor | None = None
        self._asked = 0.0
        self._after = 0

    async def wait(self) -> Answered:
        """The first reply that verifies, however long it takes. Raises `NotFound` where the user is gone, and security alarms."""
        while True:
            try:
                user = await self._look_up()
                found = self._find(await self._read(user), user)
            except (NotFound, SecurityAlarm):
                raise
            except XirtamError as fault:  # there is no mailbox yet, or no network at the moment
                _log.debug("no reply to the pairing code yet: %s", type(fault).__name__)
            else:
                if found is not None:
                    return Answered(found, user)
            await asyncio.sleep(_PAUSE_S)

    async def _look_up(self) -> UserDescriptor:
        """The user as the directory gave them within the last minute: they may move, and a root key may change."""
        now = asyncio.get_running_loop().time()
        if self._user is None or now - self._asked >= _FRESH_S:
            found = await self._network.user(self._code.username)
            if found is None:
                raise NotFound(f"{self._code.username} is no longer in the directory")
            self._user, self._asked = found, now
        return self._user

    async def _read(self, user: UserDescriptor) -> Iterable[MailboxEntry]:
        server, mailbox = await self._network.home_server(user.server_name), self._code.mailbox()
        answer = await server.mailbox_multirecv((ReceiveFrom(self._code.token, mailbox, self._after),), _WAIT_MS)
        return answer.get(mailbox, ())

    def _find(self, entries: Iterable[MailboxEntry], user: UserDescriptor) -> PairingReply | None:
        """The reply among what came; anybody who saw the code may have written there, too."""
        for entry in entries:
            self._after = max(self._after, min(entry.received_at, LATEST_RECEIVED))
            try:
                return open_reply(entry.message, self._code, self._secret, user.root_cert_hash, seconds(self._clock))
            except (Malformed, Unverified) as fault:
                _log.warning("what came for the pairing code is no reply to it: %s", type(fault).__name__)
        return None
