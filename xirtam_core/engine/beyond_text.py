"""What people's clients say to each other beyond messages, its parts tied together (spec: extensions.md, Control events)."""

from xirtam_core.clock import Clock
from xirtam_core.engine.amending import Amending
from xirtam_core.engine.amendments import Amendments
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.greeting import Greeting
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.receipts import Receipts
from xirtam_core.engine.session import Session
from xirtam_core.engine.typing_notices import TypingNotices
from xirtam_core.storage.database import Database


class BeyondText:
    """Hellos, amendments, receipts and typing notices, each on its way in and out."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        peers: Peers,
        outbox: Outbox,
        controls: Controls,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        me = session.account.username
        self.greeting = Greeting(database, me, outbox, controls)
        amendments = Amendments(database, me, clock, controls, self.greeting)
        self.amending = Amending(database, me, outbox, amendments, self.greeting, announcer)
        self.receipts = Receipts(database, me, outbox, controls, self.greeting)
        self.typing = TypingNotices(database, session, network, peers, clock, controls, self.greeting)
