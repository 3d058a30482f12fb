"""A directory in memory, without proofs: what the light client makes of a real one is tested elsewhere.

Updates follow the real rules of ownership and land a moment after they were accepted.
"""

import asyncio

from tests import builders
from tests.sim.faults import Client
from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient, OnProgress
from xirtam_core.directory.item import VerifiedItem
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Equivocation, NotConnected
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import DirectoryUpdate, Name, Update, UserDescriptor, sign_update
from xirtam_core.protocol.update_history import BadHistory, NameState, apply
from xirtam_core.rpc.directory import Directory, UpdateRejected
from xirtam_core.rpc.service import Dispatcher
from xirtam_core.rpc.transports.local import LocalTransport

DIRECTORY_SECRET = builders.signing_secret("the directory")

_WORK_S = 1.0
_LANDING_S = 2.0


class SimDirectory:
    """What all clients of a world share."""

    def __init__(self) -> None:
        self.is_down = False
        self.answer_s = 0.05
        self.lookups: list[str] = []
        """The names that were asked for, in order."""
        self._histories: dict[str, list[DirectoryUpdate]] = {}
        self._states: dict[str, NameState] = {}
        self._staged: dict[str, NameState] = {}

    def put(self, name: str, updates: tuple[DirectoryUpdate, ...]) -> None:
        """Lands updates at once."""
        for update in updates:
            self._states[name] = apply(self.state(name), update)
            self._histories.setdefault(name, []).append(update)

    def set_value(self, name: str, owner: SigningSecret, blob: Blob) -> None:
        """Replaces a name's value at once, as its owner."""
        self.put(name, (sign_update(owner, self.state(name).last_hash, Update(blob)),))

    def state(self, name: str) -> NameState:
        """What has landed of `name`."""
        return self._states.get(name, NameState())

    def history(self, name: str) -> list[DirectoryUpdate]:
        """Every update of `name` that has landed."""
        return self._histories.get(name, [])

    def find_user(self, name: Username) -> UserDescriptor | None:
        """The descriptor of a user."""
        value = self.state(name).value
        return None if value is None else UserDescriptor.from_blob(value)

    def stage(self, name: str, update: DirectoryUpdate) -> None:
        """Accepts an update, which lands in a moment; raises `UpdateRejected`."""
        try:
            self._staged[name] = apply(self._staged.get(name, self.state(name)), update)
        except BadHistory as reason:
            raise UpdateRejected(str(reason)) from None

        def land() -> None:
            self.put(name, (update,))
            if self._staged.get(name) == self.state(name):
                del self._staged[name]

        asyncio.get_running_loop().call_later(_LANDING_S, land)


class SimDirectoryClient(DirectoryClient):
    """One client's way to the directory: the real client, but for look-ups and insertions, which need no proofs here."""

    def __init__(self, directory: SimDirectory, end: Client) -> None:
        nobody = Directory.stub(LocalTransport(Dispatcher(Directory())))
        super().__init__(nobody, signing.public_of(DIRECTORY_SECRET), MemoryHeaderStore())
        self._shared = directory
        self._end = end
        self.lie: str | None = None
        """The lie that the directory is caught in at the next look-up."""
        self._caught: Equivocation | None = None

    async def _ask(self) -> None:
        if self._caught is not None:
            raise self._caught.with_traceback(None)
        await asyncio.sleep(self._shared.answer_s)
        if self._end.is_cut or self._shared.is_down:
            raise NotConnected("the directory does not answer")
        if self.lie is not None:
            self._caught = Equivocation(self.lie)
            raise self._caught

    def acknowledge_alarm(self) -> None:
        self._caught = None

    async def _look_up(self, name: Name) -> VerifiedItem:
        self._shared.lookups.append(name)
        await self._ask()
        return VerifiedItem(tuple(self._shared.history(name)), self._shared.state(name))

    async def insert(self, name: Name, update: DirectoryUpdate, *, on_progress: OnProgress = None) -> None:
        await asyncio.sleep(_WORK_S)
        await self._ask()
        self._shared.stage(name, update)
