"""Changes of groups' names in the directory, made one after the other behind everything else (docs/protocol/named-groups.md).

What is to be changed is in the database until it has landed, so that it goes on after a crash; what has been done already is read from
the directory, not remembered.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import NextStep
from xirtam_core.directory.ownership import NameTaken, find_next_step, find_step_from_owner, find_step_to_owner
from xirtam_core.directory.pow.solver import Progress as WorkProgress
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.network import Network
from xirtam_core.errors import Malformed, Refused, RetryLater, StorageFault, XirtamError
from xirtam_core.protocol.directory import AddOwner, DelOwner, Update, UpdateType
from xirtam_core.protocol.group_name import GroupListing
from xirtam_core.protocol.update_history import NameState
from xirtam_core.storage import name_keys, name_work
from xirtam_core.storage.database import Database
from xirtam_core.storage.name_work import NameWork, WorkKind

_FIRST_WAIT_S, _LONGEST_WAIT_S = 15.0, 600.0


class Stage(msgspec.Struct, frozen=True):
    """What is being done about a name, in words; `share` and `seconds_left` of a proof of work where they can be told."""

    words: str
    share: float | None = None
    seconds_left: float | None = None


class NameChanges:
    """Works off what is to be changed."""

    def __init__(self, database: Database, network: Network, announce: Callable[[str], None]) -> None:
        """`announce` is called with the chat of a group about whose name something has changed."""
        self._database = database
        self._network = network
        self._announce = announce
        self._wanted = asyncio.Event()
        self._followers: list[Callable[[NameWork], None]] = []
        self.stages: dict[str, Stage] = {}
        """What is being done at this moment, by group."""
        self.troubles: dict[str, str] = {}
        """Why the last attempt came to nothing, by group."""

    def when_done(self, then: Callable[[NameWork], None]) -> None:
        """Calls `then` with each change that has landed, in the transaction that notes that."""
        self._followers.append(then)

    def hurry(self) -> None:
        """There is something to change."""
        self._wanted.set()

    async def run(self) -> None:
        """Works for ever."""
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        while True:
            self._wanted.clear()
            are_done = [await self._work_off(chat) for chat in name_work.chats(self._database)]
            if all(are_done):
                backoff.reset()
            try:
                async with asyncio.timeout(None if all(are_done) else backoff.next_s()):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def _work_off(self, chat: str) -> bool:
        """Makes all changes of one group's name that can be made now; gives whether none is left."""
        while (work := name_work.first(self._database, chat)) is not None:
            try:
                await self._make(work)
            except StorageFault:
                raise
            except (XirtamError, TimeoutError) as fault:
                self.troubles[chat] = str(fault) or "the directory is too slow"
                if not _is_final(fault):
                    return False
                name_work.done(self._database, work)
            else:
                self.troubles.pop(chat, None)
                with self._database.transaction():
                    name_work.done(self._database, work)
                    for then in self._followers:
                        then(work)
            finally:
                self.stages.pop(chat, None)
                self._announce(chat)
        return True

    async def _make(self, work: NameWork) -> None:
        self.stages[work.chat] = Stage("asking the directory about the name")
        owner = self._owner(work, (await self._network.item(work.name)).state)

        def on_stage(update: UpdateType, is_accepted: bool) -> None:
            self.stages[work.chat] = Stage(_words(update, is_accepted))

        def on_progress(progress: WorkProgress) -> None:
            words = self.stages[work.chat].words
            self.stages[work.chat] = Stage(words, progress.share, progress.expected_left_s)

        await self._network.change_name(work.name, owner, _next_step(work, owner), on_progress, on_stage)

    def _owner(self, work: NameWork, state: NameState) -> SigningSecret:
        """The key of this account's that can make a change; raises `NameTaken` and `Refused`."""
        known = name_keys.of(self._database, work.chat, work.name)
        for secret in known:
            if signing.public_of(secret) in state.owners:
                return secret
        if known and not state.owners and work.kind is WorkKind.LIST:
            return known[0]
        if work.kind is WorkKind.LIST:
            raise NameTaken(work.name)
        raise Refused(f"this account does not own {work.name} (any more)")


def _next_step(work: NameWork, owner: SigningSecret) -> NextStep:
    mine = signing.public_of(owner)
    match work.kind:
        case WorkKind.LIST:
            return partial(find_next_step, work.name, owner=mine, blob=bcs.decode(GroupListing, work.value).blob())
        case WorkKind.ADD_OWNER:
            return partial(find_step_to_owner, owner=mine, other=SigningPublic(work.value))
        case WorkKind.REMOVE_OWNER:
            return partial(find_step_from_owner, owner=mine, other=SigningPublic(work.value))


def _is_final(fault: Exception) -> bool:
    """Whether trying again is no use: the directory, or what it has, says no."""
    return isinstance(fault, Malformed) or (isinstance(fault, Refused) and not isinstance(fault, RetryLater))


def _words(update: UpdateType, is_accepted: bool) -> str:
    match update:
        case AddOwner():
            what = "the new owner"
        case DelOwner():
            what = "the removal of an owner"
        case Update():
            what = "the listing"
    return f"waiting for the directory to log {what}" if is_accepted else f"proving work for {what}"
