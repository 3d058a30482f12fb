"""Who owns the name of an account in memory, and its backups: a change is pending until a test has it logged, or come to nothing."""

from __future__ import annotations

import msgspec

from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.devices import Claim, NameOwnership, OwnerKey, OwnerKind
from xirtam_core.errors import NotFound, Refused, XirtamError
from xirtam_core.names import Username
from xirtam_core.recovery_key import RecoveryKey

NOW_S = 1_795_524_300
KEY = RecoveryKey(0x0123456789ABCDEF0123456789ABCDEF01234567)
"""A recovery key, as one may be typed in a test."""
OTHER_KEY = RecoveryKey(0x7777777777777777777777777777777777777777)
_CHANGES = ("the new owner", "the removal of an owner")


def owner(number: int, kind: OwnerKind, **changes: object) -> OwnerKey:
    """A key that owns the name."""
    made = OwnerKey(
        key=f"key-{number}", fingerprint=f"{number:04x} 3f2a 90ab 12cd 34ef 5678 9abc def0", kind=kind, device=None, label=None,
        since_s=NOW_S - 40 * 86_400,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def recovery_owner(key: RecoveryKey, **changes: object) -> OwnerKey:
    """A recovery key among the owners."""
    return owner(0x9A, OwnerKind.RECOVERY, **({"key": key.public_text()} | changes))


class FakeOwnership:
    """An account whose name this device owns."""

    def __init__(self, name: Username) -> None:
        self._name = name
        self.owners = [owner(1, OwnerKind.THIS_DEVICE, device=f"{1:064x}", label="desk")]
        self.is_owner = True
        self.error: XirtamError | None = None
        self.change_error: XirtamError | None = None
        self.waiting: list[tuple[str, OwnerKey]] = []
        """What is to be changed: `add` or `remove`, and which key."""
        self.step: str | None = None
        self.share: float | None = None
        self.seconds_left: float | None = None
        self.trouble: str | None = None
        self.asked: list[str] = []

    # What a test arranges

    def prove(self, share: float, seconds_left: float) -> None:
        """The proof of work of the first change comes so far."""
        self.step, self.share, self.seconds_left = f"proving work for {_CHANGES[0]}", share, seconds_left

    def wait(self) -> None:
        """The directory has been told."""
        self.step, self.share, self.seconds_left = f"waiting for the directory to log {_CHANGES[0]}", None, None

    def land(self) -> None:
        """The directory logs all that waits."""
        for verb, key in self.waiting:
            if verb == "add":
                self.owners.append(key)
                self.is_owner = self.is_owner or key.kind is OwnerKind.THIS_DEVICE
            else:
                self.owners = [each for each in self.owners if each.key != key.key]
        self._end(None)

    def fail(self, why: str) -> None:
        """What waits comes to nothing."""
        self._end(why)

    def _end(self, trouble: str | None) -> None:
        self.waiting = []
        self.step = self.share = self.seconds_left = None
        self.trouble = trouble

    # The contract

    async def ownership(self) -> NameOwnership:
        if self.error is not None:
            raise self.error
        return self._seen()

    async def progress(self) -> NameOwnership:
        return self._seen()

    async def add_device(self, device: str) -> NameOwnership:
        return self._change("add", owner(int(device, 16), OwnerKind.DEVICE, device=device, label="tablet"))

    async def add_recovery_key(self, key: str) -> NameOwnership:
        return self._change("add", owner(0xAB, OwnerKind.RECOVERY, key=key, since_s=NOW_S))

    async def remove(self, key: str) -> NameOwnership:
        found = next((each for each in self.owners if each.key == key), None)
        if found is None:
            raise NotFound("no such key owns the name (any more)")
        return self._change("remove", found)

    async def rotate(self) -> NameOwnership:
        mine = next(each for each in self.owners if each.kind is OwnerKind.THIS_DEVICE)
        self._change("add", msgspec.structs.replace(mine, key="key-fresh", fingerprint="f2e5 " + mine.fingerprint[5:]))
        return self._change("remove", mine)

    async def claim_request(self) -> Claim:
        return Claim(name=self._name, previous=Hash(bytes(32)).text(), key=SigningPublic(bytes(range(32))).text())

    async def claim(self, claim: Claim, signature: str) -> NameOwnership:
        keys = [each.key for each in self.owners if each.kind is OwnerKind.RECOVERY]
        if all(key.sign(claim) != signature for key in (KEY, OTHER_KEY) if key.public_text() in keys):
            raise Refused("the key that signed this does not own the name (any more): nothing was changed")
        return self._change("add", owner(1, OwnerKind.THIS_DEVICE, device=f"{1:064x}", label="desk"))

    def _change(self, verb: str, key: OwnerKey) -> NameOwnership:
        self.asked.append(f"{verb} {key.label or key.kind}")
        if self.change_error is not None:
            raise self.change_error
        self.waiting.append((verb, key))
        self.trouble = None
        return self._seen()

    def _seen(self) -> NameOwnership:
        return NameOwnership(
            name=self._name, owners=tuple(self.owners), is_owner=self.is_owner, is_pending=bool(self.waiting), step=self.step,
            share=self.share, seconds_left=self.seconds_left, trouble=self.trouble,
        )  # fmt: skip


class FakeKeeping:
    """Notes which backups are asked for, and writes none."""

    def __init__(self) -> None:
        self.backups: list[tuple[str, str]] = []
        self.error: XirtamError | None = None

    async def backup(self, path: str, passphrase: str) -> None:
        if self.error is not None:
            raise self.error
        self.backups.append((path, passphrase))
