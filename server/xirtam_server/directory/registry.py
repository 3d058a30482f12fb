"""A primary directory's state and what changes it: all that touches the database, for one thread (spec: directory.md).

An update is accepted into staging, and a commit moves what waits there to the next height of the log: each is one transaction. So what
was acknowledged is either staged or landed at any instant, also after a crash, and a restart has nothing to recover.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.protocol.directory import DirectoryUpdate
from xirtam_core.protocol.update_history import BadHistory
from xirtam_core.rpc.directory import DirectoryBusy, UpdateRejected
from xirtam_server.directory.admission import BOUNDS, Bounds, check_update
from xirtam_server.directory.database import Role, transaction
from xirtam_server.directory.log import Addition, Standing, Tip
from xirtam_server.directory.log_file import LogFile
from xirtam_server.directory.staging import Staged, Staging

_logger = logging.getLogger(__name__)


class Payment(msgspec.Struct, frozen=True):
    """A solved seed, and until when it would be accepted (Unix seconds)."""

    seed: Hash
    use_before: int


class Commit(msgspec.Struct, frozen=True):
    """The height that a commit wrote, and whether there is enough left for another."""

    tip: Tip
    is_more_staged: bool


class Registry(LogFile):
    """The directory in the database at `path`. Raises `Locked` if another process, key or role has it."""

    def __init__(self, path: Path, directory_pk: SigningPublic, bounds: Bounds = BOUNDS) -> None:
        super().__init__(path, directory_pk, Role.PRIMARY)
        self._bounds = bounds
        self._staging = Staging(self._connection)

    def probe(self) -> None:
        """Commits a write that changes nothing, and raises what keeps it from that."""
        with transaction(self._connection):
            self._connection.execute("UPDATE identity SET directory_pk = directory_pk")

    def is_anything_staged(self) -> bool:
        """Whether a commit would land an update."""
        return self._staging.count() > 0

    def is_bought(self, seed: Hash, name: str, update: DirectoryUpdate) -> bool:
        """Whether `seed` has paid for just this already; raises `UpdateRejected` if it has paid for something else."""
        bought = self._staging.find_bought(seed)
        if bought is not None and bought != _receipt(name, update):
            raise UpdateRejected("pow seed already used")
        return bought is not None

    def accept(self, name: str, update: DirectoryUpdate, payment: Payment) -> None:
        """Stages `update`, durably; raises `UpdateRejected`, or `DirectoryBusy` while too much waits already."""
        with transaction(self._connection):
            if self.is_bought(payment.seed, name, update):
                return
            staged = self._staging.of(name)
            check_update(name, update, self._standing_with(name, staged), self._bounds)
            if len(staged) >= self._bounds.staged_per_name or self._staging.count() >= self._bounds.staged:
                raise DirectoryBusy
            self._staging.add(name, update)
            self._staging.spend(payment.seed, payment.use_before, _receipt(name, update))

    def _standing_with(self, name: str, staged: Sequence[Staged]) -> Standing:
        standing = self._log.standing(name)
        for waiting in staged:
            try:
                standing = standing.after(waiting.update)
            except BadHistory:
                continue  # the commit will drop it, too
        return standing

    def commit(self, now: int) -> Commit:
        """Writes the next height with what is staged, up to the size of a chunk; `now` is in Unix seconds."""
        with transaction(self._connection):
            added: dict[str, Addition] = {}
            size = last_id = 0
            for waiting in self._staging.in_order():
                size += waiting.size
                if last_id and size > self._bounds.chunk_size:
                    break
                last_id = waiting.id
                self._land(waiting, added)
            tip = self._log.append(added, now)
            self._staging.remove_until(last_id)
            self._staging.forget_expired(now)
            return Commit(tip, self.is_anything_staged())

    def _land(self, waiting: Staged, added: dict[str, Addition]) -> None:
        addition = added.get(waiting.name) or Addition(self._log.standing(waiting.name))
        try:
            added[waiting.name] = addition.with_update(waiting.update)
        except BadHistory as fault:
            _logger.warning("a staged update is dropped, though it was accepted: %s", fault)


def _receipt(name: str, update: DirectoryUpdate) -> bytes:
    return hash_bytes(bcs.encode(name) + bcs.encode(update))
