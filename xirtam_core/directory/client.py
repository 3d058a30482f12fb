"""The light client: looks names up and publishes them, believing nothing that the directory has not proved (spec: directory.md, RPC).

A look-up asks for the item first and then, if the item is of a height above what is stored, for an anchor and the headers up to it.
The item counts as of its own height. That must be no lower than what was known when it was asked for, and what was known no older than
a minute: else an old answer, of before a name changed hands, would do.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from xirtam_core.codec.primitives import Hash, IntegerBytes, SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory import smt
from xirtam_core.directory.chain import StaleAnchor
from xirtam_core.directory.followed_log import FollowedLog
from xirtam_core.directory.item import VerifiedItem, verify_item
from xirtam_core.directory.ownership import find_next_step
from xirtam_core.directory.pow.solver import Progress, solve
from xirtam_core.directory.store import HeaderStore
from xirtam_core.errors import Equivocation, Refused, RetryLater, Unreachable
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import (
    DirectoryAnchor,
    DirectoryUpdate,
    Name,
    PowSolution,
    ServerDescriptor,
    UpdateType,
    UserDescriptor,
    sign_update,
)
from xirtam_core.protocol.update_history import NameState, WrongLink
from xirtam_core.rpc.directory import Directory, UpdateRejected

LAND_TIMEOUT_S: Final = 120.0
"""How long an accepted update may take to land before it counts as lost; the reference directory takes up to 30."""

MOST_EFFORT: Final = 1_000_000
"""Work that is done for a directory at most: the usual is 1000, some ten seconds."""

_ATTEMPTS: Final = 4
_MOST_STEPS: Final = 6
_OTHER_SEED: Final = ("pow seed expired", "unknown pow seed")

OnStage = Callable[[UpdateType, bool], None] | None
NextStep = Callable[[NameState], UpdateType | None]
"""What is to be done next with a name, given what is there; None where nothing is. It may raise, which ends the work."""
OnProgress = Callable[[Progress], None] | None
OnSolved = Callable[[], None] | None


class DirectoryClient:
    """What the directory with key `directory_pk` says, verified. `pause_s` is the time between two attempts or polls.

    Every method raises `Equivocation` once the directory has been caught with two logs, `Unverified` where a signature, a proof or a
    history does not hold, `Unreachable` (`StaleAnchor` is one) without a usable answer, and `RetryLater` where the directory says so.
    """

    def __init__(
        self, directory: Directory, directory_pk: SigningPublic, store: HeaderStore, *, pause_s: float = 0.5
    ) -> None:
        self._directory = directory
        self._log = FollowedLog(directory, directory_pk, store)
        self._pause_s = pause_s

    async def state(self, name: Name) -> NameState:
        """Owners and value of `name`, asked for now; an absent name has neither."""
        return (await self.item(name)).state

    async def item(self, name: Name) -> VerifiedItem:
        """The whole history of `name`, asked for now, and what it comes to."""
        return await self._look_up(name)

    async def user(self, name: Username) -> UserDescriptor | None:
        """The descriptor of a user; None if there is none. Raises `Malformed` for a value that is none."""
        value = (await self.state(name)).value
        return None if value is None else UserDescriptor.from_blob(value)

    async def server(self, name: ServerName) -> ServerDescriptor | None:
        """The descriptor of a server; None if there is none. Raises `Malformed` for a value that is none."""
        value = (await self.state(name)).value
        return None if value is None else ServerDescriptor.from_blob(value)

    async def sync(self) -> DirectoryAnchor:
        """The newest anchor, verified and stored together with the headers up to it."""
        for attempt in range(_ATTEMPTS):
            await self._pause_before(attempt)
            try:
                return await self._log.sync()
            except StaleAnchor:
                continue
        raise StaleAnchor

    async def compare(self, anchor: DirectoryAnchor) -> None:
        """Checks an anchor that came another way against what the directory shows here (spec: client.md, Trust).

        Raises `Equivocation` if they contradict, and `StaleAnchor` if the directory does not show here what it showed there.
        """
        await self._log.compare(anchor)

    def raise_alarm(self, lie: Equivocation) -> None:
        """Lets no calls through from now on: every one raises `lie`, until a person has acknowledged it."""
        self._log.raise_alarm(lie)

    def acknowledge_alarm(self) -> None:
        """Lets calls through again after an `Equivocation` that a person has seen; the same contradiction raises it again."""
        self._log.acknowledge_alarm()

    async def _look_up(self, name: Name) -> VerifiedItem:
        for attempt in range(_ATTEMPTS):
            await self._pause_before(attempt)
            try:
                found = await self._try_look_up(name)
            except StaleAnchor:
                continue
            if found is not None:
                return found
        raise StaleAnchor

    async def _try_look_up(self, name: Name) -> VerifiedItem | None:
        """What the directory says of `name`; None if what it says is of another time than its anchor."""
        self._log.check_alarm()
        await self._log.confirm()
        known = self._log.height()
        item = await self._directory.get_item(name)
        if item.proof_height < known:
            await self._log.sync()  # is it behind, or is this another log?
            return None
        header = await self._log.find_header(item.proof_height)
        if header is None:
            return None
        try:
            return verify_item(name, item, header.smt_root)
        except smt.BadProof:
            await self._log.sync()  # if it is the proof of another log, that is the news
            raise

    async def _pause_before(self, attempt: int) -> None:
        if attempt:
            await asyncio.sleep(self._pause_s)

    async def insert(
        self, name: Name, update: DirectoryUpdate, *, on_progress: OnProgress = None, on_solved: OnSolved = None
    ) -> None:
        """Does the work that the directory asks for, and hands it `update`. Returns once it is accepted, which is before it lands.

        `on_solved` is called when the work is done and nothing has been handed over yet.

        Raises `UpdateRejected`, `RetryLater` where each proof came too late, or `Refused` where the work asked for is out of all
        proportion.
        """
        for _ in range(_ATTEMPTS):
            self._log.check_alarm()
            seed = await self._directory.get_pow_seed()
            if seed.algo.effort > MOST_EFFORT:
                raise Refused(
                    f"the directory asks for a proof of work of effort {seed.algo.effort}, which would take hours"
                )
            solved = await solve(seed.seed, seed.algo.effort, on_progress=on_progress)
            solution = PowSolution(seed.seed, solved.nonce, IntegerBytes(solved.solution))
            if on_solved is not None:
                on_solved()
            try:
                return await self._directory.insert_update(name, update, solution)
            except UpdateRejected as refusal:
                if refusal.reason not in _OTHER_SEED:
                    raise
        raise RetryLater("the directory takes no proof of work just now: each was too late for it")

    async def landed(self, name: Name, update_hash: Hash, *, timeout_s: float) -> bool:
        """Whether the update with this hash is in the log within `timeout_s`."""
        return await self._poll(name, lambda found: found.contains(update_hash), timeout_s)

    async def publish(
        self,
        name: Name,
        owner: SigningSecret,
        blob: Blob,
        *,
        on_progress: OnProgress = None,
        on_stage: OnStage = None,
    ) -> None:
        """Makes `blob` the value of `name`, as its owner, taking the name if nobody has it; returns when that has landed.

        `on_stage` is told the update being worked on, and whether that is still to be accepted or has only to land.

        It goes on from whatever is there, so it can be called again after a crash. Raises `NameTaken`, `UpdateRejected`, and
        `Unreachable` if an accepted update does not land.
        """
        step = partial(find_next_step, name, owner=signing.public_of(owner), blob=blob)
        await self.change(name, owner, step, on_progress=on_progress, on_stage=on_stage)

    async def change(
        self,
        name: Name,
        owner: SigningSecret,
        next_step: NextStep,
        *,
        on_progress: OnProgress = None,
        on_stage: OnStage = None,
        on_solved: OnSolved = None,
    ) -> None:
        """Makes updates of `name`, signed by `owner`, for as long as `next_step` gives one; else as `publish`."""
        for _ in range(_MOST_STEPS):
            state = await self.state(name)
            step = next_step(state)
            if step is None:
                return
            if on_stage is not None:
                on_stage(step, False)
            try:
                await self.insert(
                    name, sign_update(owner, state.last_hash, step), on_progress=on_progress, on_solved=on_solved
                )
            except UpdateRejected as refusal:
                # Something waits there already: somebody else's update, or this one, from before a crash. It will show.
                if refusal.reason != str(WrongLink()):
                    raise
            if on_stage is not None:
                on_stage(step, True)
            await self._has_moved(name, state)
        raise Unreachable(f"the directory accepts updates of {name} and does not log them; try again later")

    async def _has_moved(self, name: Name, state: NameState) -> bool:
        return await self._poll(name, lambda found: found.state.last_hash != state.last_hash, LAND_TIMEOUT_S)

    async def _poll(self, name: Name, is_met: Callable[[VerifiedItem], bool], timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    if await self._is_met_now(name, is_met):
                        return True
                    await asyncio.sleep(self._pause_s)
        except TimeoutError:
            return False

    async def _is_met_now(self, name: Name, is_met: Callable[[VerifiedItem], bool]) -> bool:
        try:
            return is_met(await self._look_up(name))
        except (Unreachable, RetryLater):
            return False
