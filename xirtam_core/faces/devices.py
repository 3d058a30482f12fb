"""The account's devices."""

from xirtam_core.devices import Device, PairingRequest, Revocation
from xirtam_core.faces.face import Face, operation, repeatable


class Devices(Face):
    """Which devices an account has, and how another becomes one (spec: devices.md; extensions.md, Pairing)."""

    part = "devices"

    @repeatable
    async def devices(self) -> list[Device]:
        """This account's devices, this one first; raises `Unreachable` where the home server cannot be asked."""
        ...

    @operation
    async def rotate(self) -> None:
        """Publishes a new medium-term key now; raises `Unreachable` and `Refused`."""
        ...

    @operation
    async def bundle(self, *, expires_s: int | None = None) -> str:
        """A new device of the old kind as text, its secret key in it: whoever has the text is this account.

        `expires_s` is when its certificate does, in Unix seconds. Raises `Refused` on a device that may not certify others.
        """
        ...

    @repeatable
    async def read_pairing(self, code: str) -> PairingRequest:
        """What a new device's pairing code says, to be compared with its screen; raises `Malformed`."""
        ...

    @operation
    async def pair(
        self, code: str, *, label: str | None = None, expires_s: int | None = None, with_history: bool = True
    ) -> Device:
        """Makes the device that shows `code` one of this account, and with `with_history` gives it the messages until now.

        Again with the same code, it does no more than that. Raises `Malformed`, `Unreachable`, and `Refused` for another account's
        code, on a device that may not certify others, and where the home server does not take the messages.
        """
        ...

    @repeatable
    async def rename(self, device: str, label: str | None) -> Device:
        """What this account calls the device with this id; raises `NotFound`, and `Malformed` for a name that is too long."""
        ...

    @operation
    async def renew(self, device: str, *, expires_s: int | None) -> Device:
        """Gives a device a new certificate with another expiry, which it takes when it hears of it.

        The one it has stays valid until its own expiry. Raises `NotFound`, `Unreachable`, and `Refused` on a device that may not
        certify others, for this device, and for the account's first, which never expires.
        """
        ...

    @repeatable
    async def explain_revocation(self, device: str) -> Revocation:
        """What `revoke` would do and could not do, to be read before; nothing is changed. Raises what `revoke` does."""
        ...

    @operation
    async def revoke(self, device: str) -> Revocation:
        """Cuts a device off as far as that can be done, and says how far that is; its keys are taken from the owners of the name, too.

        Raises `NotFound`, and `Refused` for this device and the account's first.
        """
        ...

    @operation
    async def share_history(self) -> int:
        """Gives this account's other devices the messages that this one has; gives how many; raises `Unreachable`."""
        ...
