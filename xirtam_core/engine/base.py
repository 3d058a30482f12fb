"""What the parts of an engine are built on, for those that tie parts together; each part is given only what it needs of it."""

from dataclasses import dataclass

from xirtam_core.clock import Clock
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.contact_book import ContactBook
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.fragments import Fragments
from xirtam_core.engine.group_posting import GroupPosting
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.names import Username
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database


@dataclass(frozen=True)
class Base:
    """An account's database, its servers, and the ways to people and to its own devices."""

    database: Database
    session: Session
    network: Network
    peers: Peers
    posting: GroupPosting
    outbox: Outbox
    controls: Controls
    own_devices: OwnDevices
    fragments: Fragments
    book: ContactBook
    clock: Clock
    announcer: Announcer

    @property
    def me(self) -> Username:
        """Whose account it is."""
        return self.session.account.username


def lay(database: Database, account: Account, network: Network, clock: Clock, announcer: Announcer) -> Base:
    """The base of an account's engine."""
    session = Session(database, account, network)
    peers = Peers(database, network, clock, announcer)
    peers.pin(account.username, account.root_hash)
    posting = GroupPosting(database, session, network, peers)
    outbox = Outbox(database, session, network, peers, posting, clock, announcer)
    controls = Controls(database, account.username)
    own_devices = OwnDevices(database, account.username, outbox, controls)
    fragments = Fragments(database, session, network, clock)
    book = ContactBook(database, account.username, own_devices, clock, announcer)
    return Base(
        database, session, network, peers, posting, outbox, controls, own_devices, fragments, book, clock, announcer
    )
