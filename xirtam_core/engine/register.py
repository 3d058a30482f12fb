"""Making an account, step by step, each of which can be taken up again after a crash (spec: devices.md, A new account).

The device key is on the disk before anything is claimed with it: a name that has been claimed can only be finished with that key. What
has been done already is read from the directory and the server, not remembered, so a step that was done twice does no harm.
"""

from collections.abc import Callable

from xirtam_core.clock import Clock
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.pow.solver import Progress as WorkProgress
from xirtam_core.engine.network import Network
from xirtam_core.engine.rotation import Rotation
from xirtam_core.engine.session import Session
from xirtam_core.errors import AccountExists, NotFound, Unreachable
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.blob import SERVER_DESCRIPTOR
from xirtam_core.protocol.directory import AddOwner, DirectoryUpdate, Update, UserDescriptor, sign_update
from xirtam_core.protocol.update_history import NameState
from xirtam_core.registration import NameAnswer, Progress, Step
from xirtam_core.storage import account as stored_account
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database

OnProgress = Callable[[Progress], None]
_LANDING_S = 60.0
_ATTEMPTS = 3


class NameTaken(AccountExists):
    """Somebody else owns the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} belongs to somebody else: choose another name")


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
        await self._enter_directory()
        self._on_progress(Progress(Step.AUTHENTICATE))
        session = Session(self._database, self._account, self._network)
        await session.token()
        self._on_progress(Progress(Step.PUBLISH_KEY))
        await Rotation(self._database, session, self._clock).rotate_if_due()
        stored_account.store_registered(self._database)
        self._on_progress(Progress(Step.DONE))

    async def _enter_directory(self) -> None:
        """Claims the name and points it at the home server, as far as that has not been done."""
        self._on_progress(Progress(Step.CHECK_NAME))
        me, directory = self._account, self._network.directory
        await check_server(directory, me.server)
        owner, wanted = signing.public_of(me.device_secret), UserDescriptor(me.server, me.device_hash).blob()
        for _ in range(_ATTEMPTS):
            state = await directory.state(me.username)
            if state.owners and owner not in state.owners:
                raise NameTaken(me.username)
            if not state.owners:
                await self._update(state, AddOwner(owner), Step.PROVE_OWNER, Step.AWAIT_OWNER)
            elif state.value != wanted:
                await self._update(state, Update(wanted), Step.PROVE_DESCRIPTOR, Step.AWAIT_DESCRIPTOR)
            if (await directory.state(me.username)).value == wanted:
                return
        raise Unreachable("the directory took the account and did not log it: try again, the name is kept for you")

    async def _update(self, state: NameState, change: AddOwner | Update, prove: Step, wait: Step) -> None:
        update: DirectoryUpdate = sign_update(self._account.device_secret, state.last_hash, change)

        def on_work(work: WorkProgress) -> None:
            self._on_progress(Progress(prove, work.share, work.expected_left_s))

        self._on_progress(Progress(prove, 0.0))
        await self._network.directory.insert(self._account.username, update, on_progress=on_work)
        self._on_progress(Progress(wait))
        await self._network.directory.landed(self._account.username, update.hash(), timeout_s=_LANDING_S)
