"""A device on its way into its account, each step of which can be taken up again after a crash (spec: extensions.md, Pairing).

What it joins with is on the disk before anything is shown or asked. It is one of the account from the transaction on that stores the
chain; what is left then, to sign in and to publish a key, can be done any number of times.
"""

from collections.abc import Callable

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.devices import PairingOffer
from xirtam_core.engine.network import Network
from xirtam_core.engine.reply_awaiting import Answered, ReplyAwaiting
from xirtam_core.engine.rotation import Rotation
from xirtam_core.engine.session import Session
from xirtam_core.errors import NotFound, Refused, Unverified
from xirtam_core.protocol import certificate
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.protocol.pairing import PairingReply
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import introduction, journal, peers, welcomes
from xirtam_core.storage import joining as stored
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.joining import Joining, Waiting
from xirtam_core.storage.journal import Place

OnCode = Callable[[PairingOffer], None]

_MARK = "xirtam.v1.mark"
"""A blob that every reader passes over. It is sent for its place in the mailbox alone."""
_MARK_TTL_S = 60
_MARGIN_NS = 10 * 10**9
"""How late an entry may become visible on a server that is not ours."""


class Joiner:
    """One device that joins."""

    def __init__(self, database: Database, joining: Joining, network: Network, clock: Clock, on_code: OnCode) -> None:
        self._database = database
        self._joining = joining
        self._network = network
        self._clock = clock
        self._on_code = on_code

    async def run(self) -> Account:
        """Takes all steps that remain; gives the account.

        Raises `NotFound` where the network has no such user, `Unverified` for a bundle that does not make a device of this user
        (any more), `Refused`, `Unreachable`. Waits for as long as it takes for a code to be answered.
        """
        if stored_account.find(self._database) is None:
            await self._be_admitted()
        return await self._enter()

    async def _be_admitted(self) -> None:
        user = await self._look_up()
        match self._joining.admission:
            case CertificateChain() as chain:
                self._check(chain, user)
                self._become(chain, user, None)
            case Waiting() as waiting:
                answered = await self._await_reply(waiting)
                self._become(answered.reply.certificate_chain(), answered.user, answered.reply)

    async def _await_reply(self, waiting: Waiting) -> Answered:
        code = self._joining.code(waiting)
        offer = PairingOffer(
            account=code.username, code=code.text(), fingerprint=code.fingerprint(), since_s=self._joining.began_s
        )
        self._on_code(offer)
        return await ReplyAwaiting(self._network, code, waiting.secret, self._clock).wait()

    async def _look_up(self) -> UserDescriptor:
        name = self._joining.username
        user = await self._network.user(name)
        if user is None:
            raise NotFound(f"there is no {name} in this network: is it the right join link, and the right name?")
        return user

    def _check(self, chain: CertificateChain, user: UserDescriptor) -> None:
        name = self._joining.username
        try:
            certificate.verify(chain, user.root_cert_hash, seconds(self._clock))
        except Unverified as fault:
            raise Unverified(
                f"this device is none of {name}'s in this network ({fault}): it may be of another network, or too old. "
                "Make a new one on a device of the account"
            ) from None

    def _become(self, chain: CertificateChain, user: UserDescriptor, reply: PairingReply | None) -> None:
        """From here on this is a device of the account."""
        mine, now_s = self._joining, seconds(self._clock)
        account = Account(
            mine.username, user.server_name, mine.link, mine.device_secret, chain, token=None, is_registered=False
        )
        with self._database.transaction():
            stored_account.create(self._database, account)
            peers.store(self._database, mine.username, user, now_s, None)
            if reply is not None:
                introduction.store(self._database, reply, self._clock.now_ns())
                if (issuer := chain.issuer_hash()) is not None:
                    welcomes.keep_question(self._database, issuer)
            stored.drop(self._database)
        self._database.forget_deleted()

    async def _enter(self) -> Account:
        """Signs in and publishes a key, with what is the home server by now."""
        user, account = await self._look_up(), self._require_account()
        self._check(account.chain, user)
        if user.server_name != account.server:
            stored_account.store_target(self._database, account.link, user.server_name)
        session = Session(self._database, self._require_account(), self._network)
        try:
            await session.token()
            await mark_place(self._database, session)
            await Rotation(self._database, session, self._clock).rotate_if_due()
        except AccessDenied:
            raise Refused(
                f"{user.server_name} does not let this device in; what it has is kept: try again later, and ask its operator "
                "whether the account has too many devices"
            ) from None
        stored_account.store_registered(self._database)
        return self._require_account()

    def _require_account(self) -> Account:
        account = stored_account.find(self._database)
        assert account is not None
        return account


async def mark_place(database: Database, session: Session) -> None:
    """Starts to read the account's mailbox from here on: what came before this device has a key is sealed to others."""
    mailbox = direct_mailbox(session.account.username)
    server, token = await session.server(), await session.token()
    now_ns = await server.mailbox_send(token, mailbox, Blob(_MARK, Base64Bytes(b"")), _MARK_TTL_S)
    place, after_ns = Place(session.account.server, mailbox), max(0, now_ns - _MARGIN_NS)
    with database.transaction():
        journal.follow(database, place, after_ns=after_ns)
        journal.mark_looked_back(database, place, max(journal.looked_back_ns(database, place), after_ns))
