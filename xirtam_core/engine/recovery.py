"""An account whose devices are all lost, made to live again on this one with its recovery key (docs/recovery.md).

The new device's key is on the disk before anything is done with it. It becomes an owner of the name first: from then on it signs the
rest itself, so that a recovery that broke off goes on without the recovery key. What has been done is read from the directory and the
server, not remembered, so a step that was done twice does no harm.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from xirtam_core.clock import Clock
from xirtam_core.codec.primitives import SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import NextStep
from xirtam_core.directory.ownership import NoOwner, find_step_to_regain
from xirtam_core.directory.pow.solver import Progress as WorkProgress
from xirtam_core.engine.joining import mark_place
from xirtam_core.engine.network import Network
from xirtam_core.engine.newcomer import Newcomer
from xirtam_core.engine.register import check_server
from xirtam_core.engine.rotation import Rotation
from xirtam_core.engine.session import Session
from xirtam_core.errors import NewcomerRefused, NotFound, RecoveryKeyNeeded, Refused
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.certificate import self_signed
from xirtam_core.protocol.directory import AddOwner, DelOwner, Update, UpdateType, UserDescriptor
from xirtam_core.protocol.update_history import NameState
from xirtam_core.registration import RecoveryProgress, RecoveryStep
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import owner_keys
from xirtam_core.storage import recovering as stored
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.owner_keys import KnownOwner
from xirtam_core.storage.recovering import Recovering

OnRecovery = Callable[[RecoveryProgress], None]


class Wanted(msgspec.Struct, frozen=True):
    """What is to be recovered. `key` is the recovery key, None to go on without; `server` the home server, None for the one it has."""

    name: Username
    link: JoinLink
    key: SigningSecret | None
    server: ServerName | None
    keeps_owners: bool


class Recovery:
    """One recovery, in a database of its own."""

    def __init__(
        self, database: Database, wanted: Wanted, network: Network, clock: Clock, on_progress: OnRecovery
    ) -> None:
        self._database = database
        self._wanted = wanted
        self._network = network
        self._clock = clock
        self._on_progress = on_progress
        self._step = RecoveryStep.LOOK_UP

    async def run(self) -> Account:
        """Takes all steps that remain; gives the account. The caller, who knows when that is whole, forgets the recovery.

        Raises `NotFound` for an account that there is not, `NoOwner` for a key that does not own its name, `RecoveryKeyNeeded` where
        there is none, `NewcomerRefused`, `Refused`, `Unreachable` and `Unverified`.
        """
        self._tell(RecoveryStep.LOOK_UP)
        state = (await self._network.item(self._wanted.name)).state
        begun = self._begun(state)
        account = self._require_account()
        await check_server(self._network.directory, account.server)
        await self._regain(account, begun)
        await self._enter(account)
        with self._database.transaction():
            owner_keys.note(self._database, KnownOwner(begun.key, None, None))
            stored_account.store_registered(self._database)
        self._tell(RecoveryStep.DONE)
        return self._require_account()

    def _begun(self, state: NameState) -> Recovering:
        """What the recovery goes by: kept from an earlier attempt, or begun now, once the key is known to be good for it."""
        wanted, begun = self._wanted, stored.find(self._database)
        if begun is not None:
            account = self._require_account()
            stored_account.store_target(self._database, wanted.link, wanted.server or account.server)
            if signing.public_of(account.device_secret) in state.owners and not _is_newer(wanted, begun, state):
                return begun
            if wanted.key is None:
                return _still_good(wanted, begun, state)
            begun = Recovering(_owning(wanted, state), wanted.keeps_owners)
            stored.begin(self._database, begun)
            return begun
        begun = Recovering(_owning(wanted, state), wanted.keeps_owners)
        secret, server = signing.new_secret(), wanted.server or _home(wanted.name, state)
        account = Account(wanted.name, server, wanted.link, secret, self_signed(secret), None, is_registered=False)
        with self._database.transaction():
            stored_account.create(self._database, account)
            stored.begin(self._database, begun)
        return begun

    async def _regain(self, account: Account, begun: Recovering) -> None:
        """Has the name owned by this device, and lead to it, as far as that has not been done."""
        me, owner = account.username, signing.public_of(account.device_secret)
        blob = UserDescriptor(account.server, account.device_hash).blob()
        find = partial(find_step_to_regain, recovery=begun.key, owner=owner, blob=blob, keeps_owners=begun.keeps_owners)
        while (step := find(state := (await self._network.item(me)).state)) is not None:
            if isinstance(step, Update):
                await self._ask_server(account, state)
            signer = account.device_secret if owner in state.owners else self._recovery_key()
            await self._network.change_name(me, signer, _once(step, find), self._on_work, self._on_stage)

    def _recovery_key(self) -> SigningSecret:
        if self._wanted.key is None:
            raise RecoveryKeyNeeded(f"the recovery key of {self._wanted.name} is needed to go on: give it")
        return self._wanted.key

    async def _ask_server(self, account: Account, state: NameState) -> None:
        """Asks a server where the account is new whether it takes it; raises `NewcomerRefused`."""
        if state.value is not None and UserDescriptor.from_blob(state.value).server_name == account.server:
            return
        try:
            await Newcomer(account, self._network).ask()
        except NewcomerRefused:
            raise NewcomerRefused(
                f"{account.server} does not take {account.username} in: run this again with another server, or with a join link "
                "of its that has an invite; what has been done is kept"
            ) from None

    async def _enter(self, account: Account) -> None:
        """Signs in, begins to read from here on, and publishes a key."""
        self._tell(RecoveryStep.AUTHENTICATE)
        session = Session(self._database, account, self._network)
        try:
            await session.token()
            await mark_place(self._database, session)
            self._tell(RecoveryStep.PUBLISH_KEY)
            await Rotation(self._database, session, self._clock).rotate_if_due()
        except AccessDenied:
            raise Refused(
                f"{account.server} does not let this device in; what has been done is kept: try again later, and ask its operator "
                "whether the account has too many devices"
            ) from None

    def _require_account(self) -> Account:
        account = stored_account.find(self._database)
        assert account is not None
        return account

    def _tell(self, step: RecoveryStep, fraction: float | None = None, seconds_left: float | None = None) -> None:
        self._step = step
        self._on_progress(RecoveryProgress(step, fraction, seconds_left))

    def _on_stage(self, update: UpdateType, is_accepted: bool) -> None:
        match update:
            case AddOwner():
                step = RecoveryStep.AWAIT_OWNER if is_accepted else RecoveryStep.PROVE_OWNER
            case DelOwner():
                step = RecoveryStep.AWAIT_REMOVAL if is_accepted else RecoveryStep.PROVE_REMOVAL
            case Update():
                step = RecoveryStep.AWAIT_DESCRIPTOR if is_accepted else RecoveryStep.PROVE_DESCRIPTOR
        self._tell(step, None if is_accepted else 0.0)

    def _on_work(self, work: WorkProgress) -> None:
        self._tell(self._step, work.share, work.expected_left_s)


def _once(step: UpdateType, find: Callable[[NameState], UpdateType | None]) -> NextStep:
    """`step` alone, for as long as it is what comes next: what follows may be another key's to sign."""
    return lambda state: step if find(state) == step else None


def _is_newer(wanted: Wanted, begun: Recovering, state: NameState) -> bool:
    """Whether the key that is given has taken the place of the one that this began with: it is the one to stay, then."""
    public = None if wanted.key is None else signing.public_of(wanted.key)
    return public is not None and public != begun.key and public in state.owners


def _still_good(wanted: Wanted, begun: Recovering, state: NameState) -> Recovering:
    """What was begun, if its key owns the name still (`_recovery_key` says where it is needed); raises `RecoveryKeyNeeded`."""
    if begun.key not in state.owners:
        raise RecoveryKeyNeeded(
            f"the recovery key that this began with does not own {wanted.name} any more: give the newest one"
        )
    return begun


def _owning(wanted: Wanted, state: NameState) -> SigningPublic:
    """The public half of the recovery key; raises `NotFound`, `RecoveryKeyNeeded` and `NoOwner` unless it owns the name."""
    if state.value is None and not state.owners:
        raise NotFound(f"there is no {wanted.name} in this network: is it the right join link, and the right name?")
    if wanted.key is None:
        raise RecoveryKeyNeeded(f"the recovery key of {wanted.name} is needed: give it")
    public = signing.public_of(wanted.key)
    if public not in state.owners:
        raise NoOwner(
            f"this is not a recovery key of {wanted.name}, or it was removed: nothing was changed. Is it the newest one?"
        )
    return public


def _home(name: Username, state: NameState) -> ServerName:
    if state.value is None:
        raise NotFound(f"{name} has no home server yet: say which one it is to have")
    return UserDescriptor.from_blob(state.value).server_name
