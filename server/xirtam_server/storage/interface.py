"""What a home server asks of its store, whatever database is behind it.

Every change is on the disk before the call that makes it returns. What becomes of mailboxes is also told to a `MailboxObserver`,
on the event loop, in the order of the commits and before the caller hears: so an observer may answer for a mailbox that it has
seen opened.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

import msgspec

from xirtam_core.codec import jsonwire
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.errors import RetryLater
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import AclEdit, MailboxAcl, MailboxEntry
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile


class StoreBusy(RetryLater):
    """More changes wait to be written than the server is willing to hold."""


class MailboxFull(RetryLater):
    """The mailbox holds as many entries or bytes as one may."""


class StoredEntry:
    """An entry and until when it counts (Unix nanoseconds). Its JSON is made when first asked for, and kept."""

    __slots__ = ("_json", "entry", "expires_at", "received_at", "size")

    def __init__(self, entry: MailboxEntry, expires_at: int) -> None:
        self.entry = entry
        self.received_at = entry.received_at
        self.expires_at = expires_at
        self.size = len(entry.message.inner) + len(entry.message.kind) + 256
        self._json: bytes | None = None

    def json(self) -> bytes:
        """The entry as readers get it."""
        if self._json is None:
            self._json = jsonwire.encode(self.entry)
        return self._json


class MailboxState(msgspec.Struct, frozen=True):
    """A mailbox as it stands: its row, the last `received_at` given out in it, and who may do what."""

    name: Hash
    row: int
    last: int
    access: dict[Hash, MailboxAcl]


class MailboxObserver(Protocol):
    """Told of committed changes to mailboxes."""

    def opened(self, state: MailboxState) -> None:
        """The mailbox was read, or made."""
        ...

    def appended(self, mailbox: Hash, entry: StoredEntry) -> None:
        """An entry became visible."""
        ...

    def access_changed(self, mailbox: Hash, token_hash: Hash, rights: MailboxAcl | None) -> None:
        """A token's rights are others now; None: its entry is gone."""
        ...


class Device(msgspec.Struct, frozen=True):
    """A device of a user of this server, found by its token."""

    user: Username
    device: Hash
    chain: CertificateChain


class HomeStore(Protocol):
    """Mailboxes with their access lists and entries; devices with their chains and medium-term keys; profiles."""

    def find_mailbox(self, mailbox: Hash) -> Awaitable[MailboxState | None]:
        """The mailbox, or None; the observer sees it opened."""
        ...

    def append(self, state: MailboxState, sender: Hash, message: Blob, ttl_s: int) -> Awaitable[int]:
        """Adds an entry and returns its `received_at`; raises `MailboxFull`. `ttl_s` 0 keeps it."""
        ...

    async def page(self, state: MailboxState, after: int, now_ns: int, most: int, most_bytes: int) -> list[StoredEntry]:
        """The entries after `after` that count at `now_ns`, oldest first; stops after the one that passes `most_bytes`."""
        ...

    def edit_access(self, mailbox: Hash, caller: Hash, edit: MailboxAcl) -> Awaitable[AclEdit]:
        """Does what the rules say of `edit` by the token with hash `caller`, and says what that was."""
        ...

    def register_group(self, owner: Username, token_hash: Hash, names: Sequence[Hash]) -> Awaitable[bool]:
        """Makes the mailboxes of a group, with all rights for the token; False where the caller may not.

        Of those that exist the caller must hold `can_edit_acl`.
        """
        ...

    def add_device(self, user: Username, chain: CertificateChain, mailbox: Hash) -> Awaitable[AuthToken | None]:
        """Stores the chain under (user, device), sees to the user's mailbox, and returns the device's token; None: too many."""
        ...

    async def find_device(self, token_hash: Hash) -> Device | None:
        """The device whose token has this hash."""
        ...

    async def chains(self, user: Username) -> dict[Hash, CertificateChain]:
        """The chains of a user's devices, by device."""
        ...

    async def medium_keys(self, user: Username) -> Mapping[Hash, SignedMediumKey]:
        """The medium-term keys of a user's devices, by device."""
        ...

    def set_medium_key(self, device: Device, key: SignedMediumKey) -> Awaitable[bool]:
        """Replaces the device's key unless the one there was created later; whether it did."""
        ...

    async def profile(self, user: Username) -> UserProfile | None:
        """The user's profile."""
        ...

    def set_profile(self, user: Username, profile: UserProfile) -> Awaitable[bool]:
        """Replaces the user's profile if this one was created later; whether it did."""
        ...

    def purge(self, now_ns: int, most: int) -> Awaitable[int]:
        """Removes up to `most` expired entries; how many it removed."""
        ...

    async def close(self) -> None:
        """Finishes what was begun, and lets go of the database."""
        ...
