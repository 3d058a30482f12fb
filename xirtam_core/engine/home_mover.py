"""Moving the account to another home server, step by step, each of which can be taken up again (spec: extensions.md).

What is done already is read from the directory and the servers, not remembered; only the intention is on the disk, and whether the
directory may have been told, after which there is no way back but another move. The order is what loses nothing: the new server can
take messages before the directory sends anybody there, and this device lives there only once it can read them. The old server is
read on afterwards, and may be dead from the start.
"""

import asyncio
from functools import partial

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.crypto import dh
from xirtam_core.directory.item import VerifiedItem
from xirtam_core.directory.pow.solver import Progress as WorkProgress
from xirtam_core.engine.home_offer import PREPARE, server_info
from xirtam_core.engine.home_progress import HomeProgress
from xirtam_core.engine.moves import Moves
from xirtam_core.engine.network import Network
from xirtam_core.engine.owner_changes import find_owner_secret
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import IdentityChanged, Malformed, NotFound, Refused, RetryLater, StorageFault, XirtamError
from xirtam_core.home_move import HomeStep
from xirtam_core.names import ServerName
from xirtam_core.protocol import direct_message
from xirtam_core.protocol.account_events import Moved
from xirtam_core.protocol.blob import CONTROL
from xirtam_core.protocol.control import DEVICE
from xirtam_core.protocol.directory import Update, UpdateType, UserDescriptor
from xirtam_core.protocol.event import Event, ToUser
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.protocol.medium_key import sign_medium_key
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.protocol.update_history import NameState
from xirtam_core.rpc.directory import UpdateRejected
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import journal, left_keys, medium_keys, profiles
from xirtam_core.storage.database import Database
from xirtam_core.storage.home_move import StoredMove
from xirtam_core.storage.journal import Place

_OLD_ANSWERS_S = 10.0
"""How long the old server is waited for with what is not needed."""


class MovedElsewhere(Refused):
    """The directory says that the account lives at a third server: another device was first, and its word counts."""


class HomeMover:
    """Carries a move out."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        peers: Peers,
        moves: Moves,
        clock: Clock,
        progress: HomeProgress,
    ) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._peers = peers
        self._moves = moves
        self._clock = clock
        self._progress = progress

    async def carry_out(self, move: StoredMove) -> None:
        """Takes all steps that remain, until this device lives at the new server.

        Raises `Unreachable` and the like where that cannot be done now, and what `is_final` says of where it never can.
        """
        me = self._session.account
        item = await self._network.item(me.username)
        if self._next_step(move, item.state) is not None:
            self._check_unmoved(move, item)
            if move.server != me.server:
                await self._prepare(move)
                await self._take_profile(move)
            await self._enter_directory(move, item.state)
        await self._tell_devices(move)
        self._progress.reach(HomeStep.SETTLE)
        await self._moves.follow()

    async def _prepare(self, move: StoredMove) -> None:
        """Has a key at the new server before anybody can be sent there; where that cannot prepare, it is done afterwards."""
        self._progress.reach(HomeStep.PREPARE)
        me, server = self._session.account, await self._network.home_server(move.server)
        info = await server_info(server)
        if info is None:
            return
        try:
            if move.invite is not None and info.registration == "invite":
                await server.redeem_invite(me.username, move.invite)
            if PREPARE not in info.features:
                return
            token = await self._session.sign_in_at(move.server)
        except AccessDenied:
            raise Refused(
                f"{move.server} does not take {me.username}; nothing was changed, choose another server"
            ) from None
        async with self._session.publishing:
            key = medium_keys.newest(self._database) or medium_keys.add(self._database, seconds(self._clock))
            signed = sign_medium_key(me.device_secret, dh.public_of(key.secret), key.created_s)
            await server.device_add_medium_pk(token, signed)
            place = Place(move.server, direct_mailbox(me.username))
            with self._database.transaction():
                journal.prepare(self._database, place, token)
                left_keys.put(self._database, place, key, seconds(self._clock))
        self._progress.changed_mailboxes()

    async def _take_profile(self, move: StoredMove) -> None:
        """Takes along what is said of the account: as the old server shows it, else as this device knows it, without the picture."""
        self._progress.reach(HomeStep.PROFILE)
        me = self._session.account
        try:
            async with asyncio.timeout(_OLD_ANSWERS_S):
                profile = await self._shown_at(move.old)
        except StorageFault:
            raise
        except (XirtamError, TimeoutError):  # one that does not answer keeps nobody from leaving it
            said = profiles.last_said(self._database, me.username, me.root_hash)
            profile = None if said is None else UserProfile.signed(me.device_secret, said[0], None, said[1])
        if profile is None:
            return
        try:
            await (await self._network.home_server(move.server)).profile_set(me.username, profile)
        except (AccessDenied, Malformed):
            return  # it has a newer one, or takes none before the account lives there, or nobody could take this one

    async def _shown_at(self, server: ServerName) -> UserProfile | None:
        """What a server shows of the account, if a device of it says so; signed by this one, as a new server knows no other yet."""
        me, old = self._session.account, await self._network.home_server(server)
        profile, chains = await asyncio.gather(old.profile(me.username), old.device_certs(me.username))
        if profile is None:
            return None
        identity = await self._peers.identity(me.username)
        signers = [chain for chain in (chains or {}).values() if profile.is_signed_by(chain.this.pk)]
        if not any(self._peers.has_device(identity, chain) for chain in signers):
            return None
        return profile if profile.is_signed_by(me.chain.this.pk) else profile.signed_anew(me.device_secret)

    async def _enter_directory(self, move: StoredMove, state: NameState) -> None:
        me = self._session.account
        owner = find_owner_secret(self._database, me, state.owners)
        if owner is None:
            raise Refused("this device does not own the account's name in the directory (any more): it cannot move it")

        def on_stage(update: UpdateType, is_accepted: bool) -> None:
            self._progress.reach(HomeStep.AWAIT if is_accepted else HomeStep.PROVE)

        def on_work(work: WorkProgress) -> None:
            self._progress.work(work.share, work.expected_left_s)

        await self._network.change_name(
            me.username,
            owner,
            partial(self._next_step, move),
            on_work,
            on_stage,
            self._progress.submit,
        )

    def _check_unmoved(self, move: StoredMove, item: VerifiedItem) -> None:
        """Raises `MovedElsewhere` where the account has been moved since the move was decided on, and be it to and fro.

        This device may have been off for long. What it decided may have been carried out, and another device have decided otherwise.
        """
        if item.values_since(move.since):
            assert item.state.value is not None, "what was put there is there"
            raise MovedElsewhere(
                f"another device has moved the account to {UserDescriptor.from_blob(item.state.value).server_name} meanwhile: "
                "it stays there"
            )

    def _next_step(self, move: StoredMove, state: NameState) -> Update | None:
        """What brings the directory's entry to the new server; None where it is there. Raises `Refused` and `IdentityChanged`."""
        me = self._session.account
        there = UserDescriptor(move.server, me.root_hash)
        found = None if state.value is None else _descriptor(state)
        if found == there:
            return None
        if found is None or found.root_cert_hash != me.root_hash:
            raise IdentityChanged(f"the directory names another identity key for {me.username}: it was not moved")
        if found.server_name != move.old:
            raise MovedElsewhere(
                f"another device has moved the account to {found.server_name} meanwhile: it stays there"
            )
        return Update(there.blob())

    async def _tell_devices(self, move: StoredMove) -> None:
        """Tells the account's other devices where they still read. They find out by themselves as well, if later."""
        self._progress.reach(HomeStep.TELL)
        for server in sorted({self._session.account.server, move.old} - {move.server}):
            try:
                async with asyncio.timeout(_OLD_ANSWERS_S):
                    await self._tell_at(server, move)
            except StorageFault:
                raise
            except (XirtamError, TimeoutError):
                continue

    async def _tell_at(self, server: ServerName, move: StoredMove) -> None:
        me = self._session.account
        receivers = await self._peers.receivers_at(me.username, server)
        if not receivers:
            return
        with self._database.transaction():
            sent_at = stored_account.next_sent_at(self._database, self._clock.now_ns())
        event = Event(ToUser(me.username), sent_at, DEVICE, Base64Bytes(Moved(move.server).render()))
        blob = direct_message.seal(CONTROL, event, me.username, me.device_secret, me.chain, receivers)
        home = await self._network.home_server(server)
        await home.mailbox_send(self._session.token_for(server), direct_mailbox(me.username), blob, 0)


def is_final(fault: XirtamError) -> bool:
    """Whether a move that the directory has not been told of cannot be made, however often it is tried."""
    is_no = isinstance(fault, Refused) and not isinstance(fault, RetryLater)
    return is_no or isinstance(fault, Malformed | NotFound | IdentityChanged)


def is_refused_for_good(fault: XirtamError) -> bool:
    """Whether a move is over although the directory was to be told: it will not have it, or has something else since."""
    return isinstance(fault, MovedElsewhere | UpdateRejected)


def _descriptor(state: NameState) -> UserDescriptor | None:
    assert state.value is not None
    try:
        return UserDescriptor.from_blob(state.value)
    except Malformed:
        return None
