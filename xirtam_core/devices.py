"""An account's devices as its owner sees them, and the joining of another one."""

from enum import StrEnum

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
    """What revoking a device does, what it cannot do, and what is left for its owner to do, in sentences (spec: devices.md)."""

    device: str
    expires_s: int | None
    done: tuple[str, ...]
    not_done: tuple[str, ...]
    next_steps: tuple[str, ...] = ()


class OwnerKind(StrEnum):
    """Whose a key is that owns the account's name in the directory."""

    THIS_DEVICE = "this device"
    DEVICE = "device"
    RECOVERY = "recovery key"
    UNKNOWN = "unknown"
    """Of nobody that this device knows of: an alarm, unless the owner knows whose it is."""


class OwnerKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that owns the account's name: whoever has it can make the name lead to another server, or to other devices.

    `key` is the public key (base64url), `fingerprint` the same for people. `device` and `label` are those of the device whose it is,
    if it is one's; `since_s` is when it was added by a device of this account (Unix seconds), None where that is not known. `said_by`
    names the device by whose word alone it is known whose the key is, None where this device knows it itself, or nobody does.
    """

    key: str
    fingerprint: str
    kind: OwnerKind
    device: str | None
    label: str | None
    since_s: int | None
    said_by: str | None = None


class NameOwnership(msgspec.Struct, frozen=True, kw_only=True):
    """Who owns the account's name in the directory, in the order they came, and how changes of that stand.

    `is_owner` says whether this device can change anything. `is_pending` while changes are to be made; then `step` says which is being
    made, and `share` (0 to 1) and `seconds_left` how far its proof of work is, where that can be told. `trouble` is why the last
    attempt came to nothing; it is made again while `is_pending`.
    """

    name: Username
    owners: tuple[OwnerKey, ...]
    is_owner: bool
    is_pending: bool
    step: str | None
    share: float | None
    seconds_left: float | None
    trouble: str | None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a recovery key has to sign to make this device an owner of the account's name: nothing in it is secret."""

    name: Username
    previous: str
    key: str
