"""What is asked of the engine about the account's devices."""

import msgspec

from xirtam_core.devices import Device, PairingRequest, Revocation
from xirtam_tui import text
from xirtam_tui.bridge.engine import Engine

_NAME = 64


class Devices:
    """The account's devices."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def devices(self) -> list[Device]:
        """All of them, this one first."""
        return [_safe(each) for each in await self._engine.devices.devices()]

    async def rename(self, device: str, label: str | None) -> None:
        """Calls a device something, or nothing."""
        await self._engine.devices.rename(device, label)

    async def renew(self, device: str, expires_s: int) -> None:
        """Gives a device a new certificate until a Unix time."""
        await self._engine.devices.renew(device, expires_s=expires_s)

    async def rotate(self) -> None:
        """Publishes a new key of this device."""
        await self._engine.devices.rotate()

    async def read_pairing(self, code: str) -> PairingRequest:
        """What a new device's code says; raises `Malformed`."""
        return await self._engine.devices.read_pairing(code)

    async def pair(self, code: str, *, label: str | None, with_history: bool) -> Device:
        """Makes the device that shows `code` one of this account."""
        return _safe(await self._engine.devices.pair(code, label=label, with_history=with_history))

    async def explain_revocation(self, device: str) -> Revocation:
        """What `revoke` would do and could not do."""
        return _safe_revocation(await self._engine.devices.explain_revocation(device))

    async def revoke(self, device: str) -> Revocation:
        """Cuts a device off, and says how far that is possible."""
        return _safe_revocation(await self._engine.devices.revoke(device))

    async def share_history(self) -> int:
        """Gives the other devices the messages that this one has; how many."""
        return await self._engine.devices.share_history()


def _safe(device: Device) -> Device:
    return msgspec.structs.replace(device, label=None if device.label is None else text.brief(device.label, _NAME))


def _safe_revocation(outcome: Revocation) -> Revocation:
    return msgspec.structs.replace(
        outcome,
        done=tuple(text.line(each) for each in outcome.done),
        not_done=tuple(text.line(each) for each in outcome.not_done),
        next_steps=tuple(text.line(each) for each in outcome.next_steps),
    )
