"""The directory's state and what changes it: all that touches the database, for one thread (spec: directory.md).

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
from xirtam_core.protocol.directory import DirectoryChunk, DirectoryHeader, DirectoryItem, DirectoryUpdate
from xirtam_core.protocol.update_history import BadHistory
from xirtam_core.rpc.directory import DirectoryBusy, UpdateRejected
from xirtam_server.directory.admission import BOUNDS, Bounds, check_update
from xirtam_server.directory.database import open_database, take_lock, transaction
from xirtam_server.directory.log import Addition, Log, Standing, Tip
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


class Registry:
    """The directory in the database at `path`. Raises `Locked` if another process or key has it."""

    def __init__(self, path: Path, directory_pk: SigningPublic, bounds: Bounds = BOUNDS) -> None:
        self._bounds = bounds
        self._lock = take_lock(path)
        try:
            self._connection = open_database(path, directory_pk)
        except BaseException:
            self._lock.close()
            raise
        self._log = Log(self._connection)
        self._staging = Staging(self._connection)

    def close(self) -> None:
        """Lets go of the database."""
        try:
            self._connection.close()
        finally:
            self._lock.close()

    def probe(self) -> None:
        """Commits a write that changes nothing, and raises what keeps it from that."""
        with transaction(self._connection):
            self._connection.execute("UPDATE identity SET directory_pk = directory_pk")

    def tip(self) -> Tip | None:
        """The newest header; None before the first commit."""
        return self._log.tip()

    def is_anything_staged(self) -> bool:
        """Whether a commit would land an update."""
        return self._staging.count() > 0

    def headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        """The headers from `first` to `last` that exist, at most 1000."""
        return self._log.headers(first, last)

    def find_chunk(self, height: int) -> DirectoryChunk | None:
        """What `height` added; None if there is no such height."""
        return self._log.find_chunk(height)

    def item(self, name: str) -> DirectoryItem:
        """The landed history of `name` and its proof, as of the newest header; raises `DirectoryBusy` before there is one."""
        tip = self._log.tip()
        if tip is None:
            raise DirectoryBusy
        return self._log.item(name, tip.height)

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
