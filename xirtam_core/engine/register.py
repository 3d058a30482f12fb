"""Making an account, step by step, each of which can be taken up again after a crash (spec: devices.md, A new account).

The device key is on the disk before anything is claimed with it: a name that has been claimed can only be finished with that key. What
has been done already is read from the directory and the server, not remembered, so a step that was done twice does no harm.
"""

from collections.abc import Callable

import msgspec

from xirtam_core.clock import Clock
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.pow.solver import Progress as WorkProgress
from xirtam_core.engine.network import Network
from xirtam_core.engine.newcomer import Newcomer
from xirtam_core.engine.rotation import Rotation
from xirtam_core.engine.session import Session
from xirtam_core.errors import NotFound
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.blob import SERVER_DESCRIPTOR
from xirtam_core.protocol.directory import AddOwner, UpdateType, UserDescriptor
from xirtam_core.registration import NameAnswer, Progress, Step
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import account as stored_account
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database

OnProgress = Callable[[Progress], None]


async def check_name(directory: DirectoryClient, name: Username, ours: Account | None) -> NameAnswer:
    """What the directory says of `name`; `ours` is an unfinished registration of it on this machine."""
    state = await directory.state(name)
    if not state.owners and state.value is None:
        return NameAnswer.FREE if ours is None else NameAnswer.OURS
    if ours is not None and signing.public_of(ours.device_secret) in state.owners:
        return NameAnswer.OURS
    return NameAnswer.TAKEN


async def check_server(directory: DirectoryClient, server: ServerName) -> None:
    """Raises `NotFound` unless `server` is in the directory, and `Malformed` when its entry is none of a server's."""
    state = await directory.state(server)
    if state.value is None or state.value.kind != SERVER_DESCRIPTOR:
        raise NotFound(f"the directory knows no server {server}")


class Registration:
    """The registration of one account whose key is on the disk."""

    def __init__(
        self, database: Database, account: Account, network: Network, clock: Clock, on_progress: OnProgress
    ) -> None:
        self._database = database
        self._account = account
        self._network = network
        self._clock = clock
        self._on_progress = on_progress

    async def run(self) -> None:
        """Takes all steps that remain; raises `NameTaken`, `NotFound`, `Unreachable`, `Unverified`, `Refused`."""
        self._on_progress(Progress(Step.CHECK_NAME))
        await check_server(self._network.directory, self._account.server)
        newcomer = Newcomer(self._account, self._network)
        await newcomer.ask()
        await self._enter_directory()
        self._on_progress(Progress(Step.AUTHENTICATE))
        session = Session(self._database, self._account, self._network)
        try:
            await session.token()
        except AccessDenied:
            newcomer.explain_refusal()
            raise
        self._on_progress(Progress(Step.PUBLISH_KEY))
        await Rotation(self._database, session, self._clock).rotate_if_due()
        stored_account.store_registered(self._database)
        if self._account.link.invite is not None:  # it has served
            stored_account.store_link(self._database, msgspec.structs.replace(self._account.link, invite=None))
        self._on_progress(Progress(Step.DONE))

    async def _enter_directory(self) -> None:
        """Claims the name and points it at the home server, as far as that has not been done."""
        me, directory = self._account, self._network.directory
        descriptor = UserDescriptor(me.server, me.device_hash).blob()
        stages = _Stages(self._on_progress)
        await directory.publish(
            me.username, me.device_secret, descriptor, on_progress=stages.on_work, on_stage=stages.on_stage
        )


class _Stages:
    """Says in the words of a registration what the directory client is doing."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._step = Step.PROVE_OWNER

    def on_stage(self, update: UpdateType, is_accepted: bool) -> None:
        if isinstance(update, AddOwner):
            self._step = Step.AWAIT_OWNER if is_accepted else Step.PROVE_OWNER
        else:
            self._step = Step.AWAIT_DESCRIPTOR if is_accepted else Step.PROVE_DESCRIPTOR
        self._on_progress(Progress(self._step, None if is_accepted else 0.0))

    def on_work(self, work: WorkProgress) -> None:
        self._on_progress(Progress(self._step, work.share, work.expected_left_s))
