"""An account's devices as its owner sees them, and the joining of another one."""

import msgspec

from xirtam_core.names import Username


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device of this account. Times are Unix seconds.

    `id` is its key's hash in hex, `fingerprint` the same for people. `issued_by` is the id of the device that certified it, None for
    the first. `expires_s` is None for a certificate that never does. `key_created_s` is when its present medium-term key was made,
    None where none is published. `is_revoked` says that this account's devices write to it no more.
    """

    id: str
    fingerprint: str
    label: str | None
    is_this: bool
    is_root: bool
    can_issue: bool
    issued_by: str | None
    added_s: int | None
    expires_s: int | None
    key_created_s: int | None
    is_revoked: bool


class PairingOffer(msgspec.Struct, frozen=True, kw_only=True):
    """What a new device shows to be paired: the code, as text and as what a QR code of it holds, and the fingerprint to compare.

    `since_s` is when the code was made (Unix seconds): it stays the same until the device is in.
    """

    account: Username
    code: str
    fingerprint: str
    since_s: int


class PairingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a pairing code says: which account a new device wants to be of, and the fingerprint to compare with what it shows."""

    account: Username
    device: str
    fingerprint: str


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """What revoking a device has done, and what it could not do, in sentences for its owner (spec: devices.md)."""

    device: str
    expires_s: int | None
    done: tuple[str, ...]
    not_done: tuple[str, ...]
