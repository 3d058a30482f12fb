"""What is asked of the engine about the keys that own the account's name. Of a recovery key, the engine gets the public half alone."""

from typing import TYPE_CHECKING

import msgspec

from xirtam_core.devices import NameOwnership, OwnerKey
from xirtam_tui import text
from xirtam_tui.bridge.engine import Engine

if TYPE_CHECKING:
    from xirtam_core.recovery_key import RecoveryKey  # the start waits for nothing that is not painted

_NAME, _SAID = 64, 240


class Owners:
    """The keys that own the account's name. A change goes on behind the call; `progress` tells how far it is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def ownership(self) -> NameOwnership:
        """Who owns the name by the directory now; raises `Unreachable`."""
        return _safe(await self._engine.ownership.ownership())

    async def progress(self) -> NameOwnership:
        """As `ownership`, by what was last seen."""
        return _safe(await self._engine.ownership.progress())

    async def add_device(self, device: str) -> NameOwnership:
        """Makes another device an owner too."""
        return _safe(await self._engine.ownership.add_device(device))

    async def add_recovery_key(self, key: str) -> NameOwnership:
        """Makes a recovery key an owner, by its public half."""
        return _safe(await self._engine.ownership.add_recovery_key(key))

    async def remove(self, key: str) -> NameOwnership:
        """Takes a key's power away."""
        return _safe(await self._engine.ownership.remove(key))

    async def rotate(self) -> NameOwnership:
        """Has this device own the name by a new key."""
        return _safe(await self._engine.ownership.rotate())

    async def claim(self, key: "RecoveryKey") -> NameOwnership:
        """Makes this device an owner with a recovery key, which signs here and goes nowhere."""
        request = await self._engine.ownership.claim_request()
        return _safe(await self._engine.ownership.claim(request, key.sign(request)))


def _safe(seen: NameOwnership) -> NameOwnership:
    return msgspec.structs.replace(
        seen,
        owners=tuple(_safe_owner(each) for each in seen.owners),
        trouble=None if seen.trouble is None else text.brief(seen.trouble, _SAID),
    )


def _safe_owner(owner: OwnerKey) -> OwnerKey:
    return msgspec.structs.replace(
        owner,
        label=None if owner.label is None else text.brief(owner.label, _NAME),
        said_by=None if owner.said_by is None else text.brief(owner.said_by, _NAME),
    )
