"""A directory in memory, without proofs: what the light client makes of a real one is tested elsewhere.

Updates follow the real rules of ownership and land a moment after they were accepted.
"""

import asyncio

from tests import builders
from tests.sim.faults import Client
from xirtam_core.codec.primitives import Hash, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient, OnProgress, OnSolved
from xirtam_core.directory.item import VerifiedItem
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Equivocation, NotConnected
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import (
    ZERO_HASH,
    DirectoryAnchor,
    DirectoryHeader,
    DirectoryUpdate,
    Name,
    Update,
    UserDescriptor,
    sign_anchor,
    sign_update,
)
from xirtam_core.protocol.update_history import BadHistory, NameState, apply
from xirtam_core.rpc.directory import Directory, UpdateRejected
from xirtam_core.rpc.service import Dispatcher
from xirtam_core.rpc.transports.local import LocalTransport

DIRECTORY_SECRET = builders.signing_secret("the directory")

_WORK_S = 1.0
_LANDING_S = 2.0


class SimLog(Directory):
    """The headers and anchors that the directory signs, without a tree behind them. Logs of different seeds contradict each other."""

    def __init__(self, seed: str, agrees: "SimLog | None" = None) -> None:
        """With `agrees`, a log that begins as that one did."""
        self._seed = seed
        self.headers: list[DirectoryHeader] = [] if agrees is None else list(agrees.headers)
        if agrees is None:
            self.grow()

    def grow(self, by: int = 1) -> None:
        """Adds headers."""
        for _ in range(by):
            prev = self.headers[-1].hash() if self.headers else ZERO_HASH
            root = Hash(builders.seeded(f"{self._seed} {len(self.headers)}"))
            self.headers.append(DirectoryHeader(prev, root, builders.NOW_S + len(self.headers)))

    def anchor_at(self, height: int) -> DirectoryAnchor:
        """What the directory signed when its log had come to `height`."""
        return sign_anchor(DIRECTORY_SECRET, height, self.headers[height].hash())

    async def get_anchor(self) -> DirectoryAnchor:
        return self.anchor_at(len(self.headers) - 1)

    async def get_headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        return tuple(self.headers[first : last + 1])


class SimDirectory:
    """What all clients of a world share."""

    def __init__(self) -> None:
        self.is_down = False
        self.answer_s = 0.05
        self.lookups: list[str] = []
        """The names that were asked for, in order."""
        self.log = SimLog("the log")
        self.denied: set[str] = set()
        """Names that it says nobody has."""
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
        log = Directory.stub(LocalTransport(Dispatcher(directory.log)))
        super().__init__(log, signing.public_of(DIRECTORY_SECRET), MemoryHeaderStore())
        self._shared = directory
        self._end = end
        self.lie: str | None = None
        """The lie that the directory is caught in at the next look-up."""

    async def _ask(self) -> None:
        self._log.check_alarm()
        await asyncio.sleep(self._shared.answer_s)
        if self._end.is_cut or self._shared.is_down:
            raise NotConnected("the directory does not answer")
        if self.lie is not None:
            lie = Equivocation(self.lie)
            self.raise_alarm(lie)
            raise lie

    async def _look_up(self, name: Name) -> VerifiedItem:
        self._shared.lookups.append(name)
        await self._ask()
        if name in self._shared.denied:
            return VerifiedItem((), NameState())
        return VerifiedItem(tuple(self._shared.history(name)), self._shared.state(name))

    async def insert(
        self, name: Name, update: DirectoryUpdate, *, on_progress: OnProgress = None, on_solved: OnSolved = None
    ) -> None:
        await asyncio.sleep(_WORK_S)
        await self._ask()
        if on_solved is not None:
            on_solved()
        self._shared.stage(name, update)
