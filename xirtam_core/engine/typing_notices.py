"""Who is writing something just now: told and heard, and kept by nobody (spec: extensions.md, Control events).

A notice goes straight to the peer's server, with a time to live of as long as it is good for; it is lost rather than late.
"""

import asyncio
from typing import Final

from xirtam_core.clock import Clock
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.greeting import Greeting
from xirtam_core.engine.network import Network
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import XirtamError
from xirtam_core.events import Typing
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol import direct_message
from xirtam_core.protocol.blob import CONTROL
from xirtam_core.protocol.control import TYPING, TypingNotice
from xirtam_core.protocol.event import Event, ToUser
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import chats, peers, people, settings
from xirtam_core.storage.database import Database

GOOD_FOR_S: Final = 15
_REPEAT_S = 8.0
"""How long nothing is said again: soon enough for a peer who hears it to see no gap."""
_PATIENCE_S = 5.0
_STALE_NS = 30 * 10**9


class TypingNotices:
    """Tells peers that something is being written to them, and hears it of them."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        known: Peers,
        clock: Clock,
        controls: Controls,
        greeting: Greeting,
    ) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._peers = known
        self._clock = clock
        self._greeting = greeting
        self._told: dict[Username, float] = {}
        controls.register(TYPING, self._take)

    async def tell(self, peer: Username, *, active: bool) -> None:
        """Tells the peer, unless they were told just now, or may not know. Never fails, and waits a few seconds at most."""
        now = asyncio.get_running_loop().time()
        told = self._told.get(peer)
        is_said = told is not None and now - told < (_REPEAT_S if active else GOOD_FOR_S)
        if is_said is active or not self._may_tell(peer):
            return
        if active:
            self._told[peer] = now
        else:
            del self._told[peer]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._send(peer, TypingNotice(active))
        except (XirtamError, TimeoutError):
            return

    def _may_tell(self, peer: Username) -> bool:
        known = peers.find(self._database, peer)
        return (
            peer != self._session.account.username
            and settings.load(self._database).send_typing
            and self._greeting.may_tell(peer)
            and self._greeting.understands(peer, "typing")
            and known is not None
            and known.alarm is None
        )

    async def _send(self, peer: Username, notice: TypingNotice) -> None:
        receivers = await self._peers.receivers(peer, anew=False)
        home = (await self._peers.identity(peer)).server
        server = await self._network.home_server(home)
        if not receivers or not self._may_tell(peer):  # these look-ups may have found out that their identity changed
            return
        body = direct_message.Base64Bytes(notice.render())
        event = Event(ToUser(peer), self._clock.now_ns(), TYPING, body)
        me = self._session.account
        blob = direct_message.seal(CONTROL, event, me.username, me.device_secret, me.chain, receivers)
        await server.mailbox_send(self._session.token_for(home), direct_mailbox(peer), blob, GOOD_FOR_S)

    def _take(self, opened: Opened, outcome: Outcome) -> None:
        notice = TypingNotice.parse(opened.event.body)
        if opened.sender != opened.peer or not chats.exists(self._database, opened.peer):
            return
        self._greeting.heard(opened.sender, outcome)
        is_of_now = abs(self._clock.now_ns() - opened.event.sent_at) < _STALE_NS  # a server may hand it out much later
        if is_of_now and people.standing(self._database, opened.peer) is Standing.CONTACT:
            outcome.news.append(Typing(chat=opened.peer, sender=opened.sender, active=notice.active))
