"""Accounts that come back to a machine in memory: recovered with the key on paper, or restored from a backup."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from xirtam_core.errors import Locked, NotFound, RecoveryKeyNeeded, XirtamError
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.recovery_key import RecoveryKey
from xirtam_core.registration import RecoveryProgress, RecoveryStep

C = TypeVar("C")


class FakeReturning(Generic[C]):
    """Recovers at once; a test says where that holds on, or why it fails."""

    def __init__(self) -> None:
        self.recovery_error: XirtamError | None = None
        self.recovery_steps: list[RecoveryProgress] = [RecoveryProgress(step) for step in RecoveryStep]
        self.recovery_holds_at: RecoveryStep | None = None
        self.begun: set[str] = set()
        """Names whose recovery has begun here."""
        self.goes_on_alone = False
        """Whether a recovery that has begun needs its key no more."""
        self.recoveries: list[tuple[str, str | None, str | None]] = []
        """Name, recovery key and server of each attempt."""
        self.backups: dict[str, tuple[str, Username]] = {}
        """By path: the passphrase, and whose backup it is."""

    @abstractmethod
    def make(self, name: Username) -> C: ...

    async def recover(
        self,
        data_dir: Path,
        link: JoinLink,
        name: Username,
        key: RecoveryKey | None,
        on_progress: Callable[[RecoveryProgress], None],
        *,
        server: ServerName | None,
        passphrase: str | None,
    ) -> C:
        self.recoveries.append((name, None if key is None else key.text(), server))
        if self.recovery_error is not None:
            raise self.recovery_error
        if key is None and not self.goes_on_alone:
            raise RecoveryKeyNeeded(f"the recovery key of {name} is needed to go on: give it")
        self.begun.add(name)
        for progress in self.recovery_steps:
            await asyncio.to_thread(on_progress, progress)
            if progress.step is self.recovery_holds_at:
                await asyncio.Event().wait()
        self.begun.discard(name)
        return self.make(name)

    async def has_begun(self, data_dir: Path, name: Username) -> bool:
        return name in self.begun

    async def restore(self, data_dir: Path, file: Path, passphrase: str) -> Username:
        if str(file) not in self.backups:
            raise NotFound(f"there is no file {file}")
        wanted, name = self.backups[str(file)]
        if passphrase != wanted:
            raise Locked(f"{file} does not open: the passphrase is another, or it is no backup, or damaged")
        self.make(name)
        return name
