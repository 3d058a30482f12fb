"""Changes of who owns the account's name, made one after the other behind everything else (spec: directory.md, Updates and ownership).

What is to be changed is in the database until it has landed, so that it goes on after a crash; what has been done already is read from
the directory, not remembered. A change that can never be made takes those with it that were to follow: a key must not be removed where
the one that was to replace it could not be added.
"""

import asyncio
from functools import partial

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import LAND_TIMEOUT_S, NextStep
from xirtam_core.directory.item import VerifiedItem
from xirtam_core.directory.ownership import NoOwner, find_step_from_owner, find_step_to_owner
from xirtam_core.directory.pow.solver import Progress as WorkProgress
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.name_changes import Stage
from xirtam_core.engine.network import Network
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, Refused, RetryLater, StorageFault, Unreachable, XirtamError
from xirtam_core.protocol.directory import AddOwner, DirectoryUpdate, UpdateType
from xirtam_core.protocol.update_history import BadHistory, WrongLink, apply
from xirtam_core.rpc.directory import UpdateRejected
from xirtam_core.storage import owner_keys as stored
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.owner_keys import OwnerWork, WorkKind

_FIRST_WAIT_S, _LONGEST_WAIT_S = 15.0, 600.0
CHANGED = "the name has changed since that was signed: nothing was done, do it again"


def held_secrets(database: Database, account: Account) -> list[SigningSecret]:
    """The keys that this device may own the account's name by, the newest first; the last one is its device key."""
    return [*stored.secrets(database), account.device_secret]


def find_owner_secret(database: Database, account: Account, owners: tuple[SigningPublic, ...]) -> SigningSecret | None:
    """The key of this device's that owns the name by now, the newest one; None where it owns it by none."""
    return next((each for each in held_secrets(database, account) if signing.public_of(each) in owners), None)


class OwnerChanges:
    """Works off what is to be changed."""

    def __init__(self, database: Database, session: Session, network: Network) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._wanted = asyncio.Event()
        self.owners: tuple[SigningPublic, ...] | None = None
        """Who was last seen to own the name."""
        self.stage: Stage | None = None
        """What is being done at this moment."""
        self.trouble: str | None = None
        """Why the last attempt came to nothing."""

    def hurry(self) -> None:
        """There is something to change, or the network is back."""
        self._wanted.set()

    async def run(self) -> None:
        """Works for ever."""
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        while True:
            self._wanted.clear()
            is_done = await self._work_off()
            if is_done:
                backoff.reset()
            try:
                async with asyncio.timeout(None if is_done else backoff.next_s()):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def look(self) -> VerifiedItem:
        """What the directory has of the account's name now; raises `Unreachable` and `Unverified`."""
        item = await self._network.item(self._session.account.username)
        self.owners = item.state.owners
        return item

    async def _work_off(self) -> bool:
        """Makes all changes that can be made now; gives whether none is left."""
        while (work := stored.first_work(self._database)) is not None:
            try:
                await self._make(work)
            except StorageFault:
                raise
            except (XirtamError, TimeoutError) as fault:
                self.trouble = str(fault) or "the directory is too slow"
                if not _is_final(fault):
                    return False
                stored.drop_work(self._database)
            else:
                self.trouble = None
                with self._database.transaction():
                    stored.work_done(self._database, work)
                    if work.kind is WorkKind.REMOVE:
                        stored.forget(self._database, SigningPublic(work.value))
            finally:
                self.stage = None
        return True

    async def _make(self, work: OwnerWork) -> None:
        self.stage = Stage("asking the directory about the name")
        item = await self.look()
        if work.kind is WorkKind.SIGNED:
            await self._hand_in(bcs.decode(DirectoryUpdate, work.value), item)
        else:
            secret = self._signer(work, item)
            me = self._session.account.username
            await self._network.change_name(me, secret, _next_step(work, secret), self._on_work, self._on_stage)
        await self.look()

    def _signer(self, work: OwnerWork, item: VerifiedItem) -> SigningSecret:
        """The key of this device's that can make a change: none takes itself away. Raises `NoOwner`."""
        for secret in held_secrets(self._database, self._session.account):
            public = signing.public_of(secret)
            if public in item.state.owners and not (work.kind is WorkKind.REMOVE and public == work.value):
                return secret
        raise NoOwner("this device does not own the account's name (any more)")

    async def _hand_in(self, update: DirectoryUpdate, item: VerifiedItem) -> None:
        """Makes an update that somebody else has signed; raises `Refused` where it does not fit any more, and `Unreachable`."""
        if item.contains(update.hash()):
            return
        me, directory = self._session.account.username, self._network.directory
        check_fits(item, update)
        self._on_stage(update.update_type, False)
        try:
            await directory.insert(me, update, on_progress=self._on_work)
        except UpdateRejected as refusal:
            if refusal.reason != str(WrongLink()):  # else it may be this very one that waits there, from before a crash
                raise
        self._on_stage(update.update_type, True)
        if not await directory.landed(me, update.hash(), timeout_s=LAND_TIMEOUT_S):
            raise Unreachable("the directory has not logged the change; it is tried again")

    def _on_stage(self, update: UpdateType, is_accepted: bool) -> None:
        what = "the new owner" if isinstance(update, AddOwner) else "the removal of an owner"
        self.stage = Stage(f"waiting for the directory to log {what}" if is_accepted else f"proving work for {what}")

    def _on_work(self, progress: WorkProgress) -> None:
        if self.stage is not None:
            self.stage = Stage(self.stage.words, progress.share, progress.expected_left_s)


def check_fits(item: VerifiedItem, update: DirectoryUpdate) -> None:
    """Raises `Refused` unless `update` may come next."""
    try:
        apply(item.state, update)
    except WrongLink:
        raise Refused(CHANGED) from None
    except BadHistory:
        raise NoOwner("the key that signed this does not own the name (any more): nothing was changed") from None


def _next_step(work: OwnerWork, secret: SigningSecret) -> NextStep:
    find = find_step_to_owner if work.kind is WorkKind.ADD else find_step_from_owner
    return partial(find, owner=signing.public_of(secret), other=SigningPublic(work.value))


def _is_final(fault: Exception) -> bool:
    """Whether trying again is no use: the directory, or what it has, says no."""
    return isinstance(fault, Malformed) or (isinstance(fault, Refused) and not isinstance(fault, RetryLater))
