"""Who owns the account's name in the directory (docs/recovery.md)."""

from xirtam_core.devices import Claim, NameOwnership
from xirtam_core.faces.face import Face, operation, repeatable


class Ownership(Face):
    """The keys that own the account's name: which there are, and how that changes (spec: directory.md, Updates and ownership).

    A change takes a proof of work and the time that the directory needs to log it: it goes on behind the call, also after a crash, and
    `ownership` says how it stands. Whoever owns the name can make it lead elsewhere. Every operation raises `Unreachable` where the
    directory cannot be asked, and each that changes something `Refused` on a device whose keys do not own the name.
    """

    part = "ownership"

    @repeatable
    async def ownership(self) -> NameOwnership:
        """Who owns the name by the directory now, and how the changes stand that are being made here."""
        ...

    @repeatable
    async def progress(self) -> NameOwnership:
        """As `ownership`, but by what was last seen: nobody is asked. For whoever watches a change."""
        ...

    @repeatable
    async def add_device(self, device: str) -> NameOwnership:
        """Makes another device of this account, by its id, an owner too; raises `NotFound`."""
        ...

    @repeatable
    async def add_recovery_key(self, key: str) -> NameOwnership:
        """Makes a recovery key an owner, by its public half (base64url); nothing else of it is given or kept. Raises `Malformed`."""
        ...

    @repeatable
    async def remove(self, key: str) -> NameOwnership:
        """Takes an owner's key away, of whomever it is (`OwnerKey.key`).

        Raises `NotFound`, and `Refused` for this device's own: another owner can remove that, or `rotate` replaces it.
        """
        ...

    @operation
    async def rotate(self) -> NameOwnership:
        """Has this device own the name by a new key: that is added, and then those are removed that it owned it by before."""
        ...

    @repeatable
    async def claim_request(self) -> Claim:
        """What a recovery key is to sign to make this device an owner (`RecoveryKey.sign`)."""
        ...

    @repeatable
    async def claim(self, claim: Claim, signature: str) -> NameOwnership:
        """Makes this device an owner by a recovery key's signature (base64url); the recovery key itself is not needed any more.

        Raises `Refused` where the key does not own the name, or the name has changed since the claim was made, and `Malformed`.
        """
        ...
