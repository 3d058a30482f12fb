"""The methods of a directory, and their errors (spec: directory.md, RPC)."""

from xirtam_core.codec.integers import U64
from xirtam_core.errors import Refused, RetryLater
from xirtam_core.protocol.directory import (
    DirectoryAnchor,
    DirectoryChunk,
    DirectoryHeader,
    DirectoryItem,
    DirectoryUpdate,
    PowSeed,
    PowSolution,
)
from xirtam_core.rpc.envelope import METHOD_ERROR, Fault
from xirtam_core.rpc.service import MethodError, Service, method


class DirectoryError(MethodError):
    """What a directory's methods may answer instead of a result."""

    @classmethod
    def from_fault(cls, fault: Fault) -> "DirectoryError | None":
        match fault.data:
            case "retry_later":
                return DirectoryBusy()
            case {"update_rejected": str(reason)}:
                return UpdateRejected(reason[:500])
            case _:
                return None


class DirectoryBusy(DirectoryError, RetryLater):
    """No chunk yet, a mirror that lags, or an upstream that does not answer."""

    def __init__(self) -> None:
        super().__init__("retry later")

    def fault(self) -> Fault:
        return Fault(METHOD_ERROR, "retry later", "retry_later")


class UpdateRejected(DirectoryError, Refused):
    """A seed, a proof of work or an update that the directory does not take; also a chunk that is not there."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"update rejected (reason: {reason})")
        self.reason = reason

    def fault(self) -> Fault:
        return Fault(METHOD_ERROR, str(self), {"update_rejected": self.reason})


class Directory(Service):
    """What a directory answers."""

    @method("v1_get_pow_seed", errors=DirectoryError)
    async def get_pow_seed(self) -> PowSeed: ...

    @method("v1_get_anchor", errors=DirectoryError)
    async def get_anchor(self) -> DirectoryAnchor: ...

    @method("v1_get_chunk", errors=DirectoryError)
    async def get_chunk(self, height: U64) -> DirectoryChunk: ...

    @method("v1_get_headers", errors=DirectoryError)
    async def get_headers(self, first: U64, last: U64) -> tuple[DirectoryHeader, ...]: ...

    @method("v1_get_item", errors=DirectoryError)
    async def get_item(self, key: str) -> DirectoryItem: ...

    @method("v1_insert_update", errors=DirectoryError)
    async def insert_update(self, key: str, update: DirectoryUpdate, solution: PowSolution) -> None: ...
