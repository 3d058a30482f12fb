"""A directory in memory, without proofs: what the light client makes of a real one is tested elsewhere.

Updates follow the real rules of ownership and land a moment after they were accepted.
"""

import asyncio
from collections.abc import Callable

from tests.sim.faults import Client
from xirtam_core.codec.primitives import Hash, SigningSecret
from xirtam_core.directory.pow.solver import Progress
from xirtam_core.errors import Equivocation, NotConnected
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import DirectoryUpdate, ServerDescriptor, Update, UserDescriptor, sign_update
from xirtam_core.protocol.update_history import BadHistory, NameState, apply
from xirtam_core.rpc.directory import UpdateRejected

_ANSWER_S = 0.05
_WORK_S = 1.0
_LANDING_S = 2.0


class SimDirectory:
    """What all clients of a world share."""

    def __init__(self) -> None:
        self.is_down = False
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

    def contains(self, name: str, update_hash: Hash) -> bool:
        """Whether an update has landed."""
        return any(update.hash() == update_hash for update in self._histories.get(name, ()))

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


class SimDirectoryClient:
    """One client's way to the directory, with the methods of `DirectoryClient` that the engine uses."""

    def __init__(self, directory: SimDirectory, client: Client) -> None:
        self._directory = directory
        self._client = client
        self.lie: str | None = None
        """The lie that the directory is caught in at the next look-up."""
        self._alarm: Equivocation | None = None

    async def _ask(self) -> None:
        if self._alarm is not None:
            raise self._alarm.with_traceback(None)
        await asyncio.sleep(_ANSWER_S)
        if self._client.is_cut or self._directory.is_down:
            raise NotConnected("the directory does not answer")
        if self.lie is not None:
            self._alarm = Equivocation(self.lie)
            raise self._alarm

    def acknowledge_alarm(self) -> None:
        self._alarm = None

    async def state(self, name: str) -> NameState:
        self._directory.lookups.append(name)
        await self._ask()
        return self._directory.state(name)

    async def user(self, name: Username) -> UserDescriptor | None:
        value = (await self.state(name)).value
        return None if value is None else UserDescriptor.from_blob(value)

    async def server(self, name: ServerName) -> ServerDescriptor | None:
        value = (await self.state(name)).value
        return None if value is None else ServerDescriptor.from_blob(value)

    async def insert(
        self, name: str, update: DirectoryUpdate, *, on_progress: Callable[[Progress], None] | None = None
    ) -> None:
        await asyncio.sleep(_WORK_S)
        await self._ask()
        self._directory.stage(name, update)

    async def landed(self, name: str, update_hash: Hash, *, timeout_s: float) -> bool:
        for _ in range(round(timeout_s / 0.5)):
            if not self._client.is_cut and self._directory.contains(name, update_hash):
                return True
            await asyncio.sleep(0.5)
        return False
