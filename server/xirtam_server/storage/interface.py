"""What a home server asks of its store, whatever database is behind it.

Every change is on the disk before the call that makes it returns. What becomes of mailboxes is also told to a `MailboxObserver`,
on the event loop, in the order of the commits and before the caller hears: so an observer may answer for a mailbox that it has
seen opened.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import ClassVar, Final, Protocol

import msgspec

from xirtam_core.codec import jsonwire
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.errors import RetryLater, XirtamError
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import AclEdit, MailboxAcl, MailboxEntry
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile
from xirtam_server.tally import CommitTally

KEEP: Final = 2**63 - 1
"""The expiry of what is kept for ever: the largest integer that the databases hold."""


class StoreBusy(RetryLater):
    """More changes or reads wait than the server is willing to hold. Of a change it is certain that it was not written."""


class StoreUnreachable(RetryLater):
    """The database does not answer. What was asked for may or may not have come about."""


class MailboxFull(RetryLater):
    """The mailbox holds as many entries or bytes as one may, or all groups of its owner as many bytes as they may."""


class AccessChanged(XirtamError):
    """The access list is another than the caller judged by: the mailbox must be found again. For stores that are shared."""


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
    """A mailbox as it stands: its row, the last `received_at` given out in it, and who may do what.

    `version` counts the changes to the access list, in a store that other processes change too.
    """

    name: Hash
    row: int
    last: int
    access: dict[Hash, MailboxAcl]
    version: int = 0
    owner: str | None = None
    """Who is charged for what it holds, where the store asks at each append."""


class MailboxObserver(Protocol):
    """Told of committed changes to mailboxes."""

    def opened(self, state: MailboxState) -> None:
        """The mailbox was read, or made."""
        ...

    def closed(self, mailbox: Hash) -> None:
        """The mailbox is gone."""
        ...

    def appended(self, mailbox: Hash, entry: StoredEntry, after: int | None = None) -> None:
        """An entry became visible; in a store that others change too, `after` is the one before it in the mailbox."""
        ...

    def access_changed(self, mailbox: Hash, token_hash: Hash, rights: MailboxAcl | None) -> None:
        """A token's rights are others now; None: its entry is gone."""
        ...

    def stands(self, mailbox: Hash, row: int, last: int, version: int) -> bool:
        """How the mailbox stands in a store that others change too; whether the observer's access list is another than that."""
        ...

    def is_awaited(self, mailbox: Hash) -> bool:
        """Whether anybody here waits for entries of the mailbox."""
        ...


class Device(msgspec.Struct, frozen=True):
    """A device of a user of this server, found by its token."""

    user: Username
    device: Hash
    chain: CertificateChain


class Account(msgspec.Struct, frozen=True):
    """A user of this server; if the directory has not confirmed it, `prepared_until` (Unix nanoseconds) is its end, else 0."""

    user: Username
    created_at: int
    prepared_until: int


class StoreStats(msgspec.Struct, frozen=True):
    """What a store holds; `bytes` are those of entries and of fragments, without what the database adds."""

    accounts: int
    devices: int
    mailboxes: int
    entries: int
    entry_bytes: int
    fragments: int
    fragment_bytes: int
    invites: int


class HomeStore(Protocol):
    """Mailboxes with their access lists and entries; accounts, devices with their chains and medium-term keys, profiles; what is known
    of fragments, whose bytes are elsewhere; invites."""

    is_shared: ClassVar[bool]
    """Whether other processes change it too. If so, what an observer was told may be behind, and `refresh` brings it up to date."""

    @property
    def commits(self) -> CommitTally | None:
        """The commits so far; None from a store that does not count them."""
        return None

    @property
    def waiting(self) -> int:
        """How many changes wait to be written."""
        return 0

    secret: bytes
    """32 random bytes that all processes on this store share."""

    def spend_challenge(self, challenge: Hash, expires_s: int, now_s: int) -> Awaitable[bool]:
        """Notes that a challenge, which counts until `expires_s` (Unix seconds), was answered; False if another process did so."""
        ...

    def refresh(self, mailboxes: Sequence[Hash]) -> Awaitable[None]:
        """Lets the observer see those of `mailboxes` that have changed elsewhere since it last heard of them."""
        ...

    def find_mailbox(self, mailbox: Hash) -> Awaitable[MailboxState | None]:
        """The mailbox, or None; the observer sees it opened."""
        ...

    def append(self, state: MailboxState, sender: Hash, message: Blob, ttl_s: int) -> Awaitable[int]:
        """Adds an entry and returns its `received_at`; raises `MailboxFull`. `ttl_s` 0 keeps it.

        May be awaited outside a task, so it waits for futures alone.
        """
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

    async def find_account(self, user: Username) -> Account | None:
        """The account of `user`; None for one who has none here."""
        ...

    def add_device(
        self, user: Username, chain: CertificateChain, mailbox: Hash, prepared_until: int = 0
    ) -> Awaitable[AuthToken | None]:
        """Stores the chain under (user, device), sees to the user's account and mailbox; returns the device's token, None: too many.

        `prepared_until` is as in `Account`: a confirmed account stays so, whatever is given.
        """
        ...

    def drop_devices(self, user: Username, mailbox: Hash, former: Sequence[Hash]) -> Awaitable[None]:
        """Forgets devices that are none of the user's any more: their chains, keys and tokens, and the rights of these on the mailbox.

        The profile goes with them, as one of them has signed it.
        """
        ...

    async def lapsed_accounts(self, now_ns: int, most: int) -> list[Username]:
        """Up to `most` users whose accounts were prepared and not confirmed by `now_ns`, those whose time ended first."""
        ...

    def confirm_account(self, user: Username) -> Awaitable[None]:
        """The directory names this server for `user`: an account that was prepared stays."""
        ...

    def remove_lapsed(self, user: Username, now_ns: int, most: int) -> Awaitable[bool]:
        """Removes about `most` rows of a lapsed account and of what belongs to it; whether it is done.

        From the first step on its tokens are void and nobody can send to its mailboxes. An account that has not lapsed, as its user
        came back between two steps, is left alone, and that is done.
        """
        ...

    def add_invite(self, token_hash: Hash, uses: int, expires_at: int) -> Awaitable[None]:
        """Keeps an invite that lets `uses` newcomers in until `expires_at` (Unix nanoseconds)."""
        ...

    def redeem_invite(self, token_hash: Hash, user: Username, now_ns: int) -> Awaitable[bool]:
        """Takes one use of the invite for `user`, once however often asked; False for one that is unknown, used up or expired."""
        ...

    async def is_invited(self, user: Username) -> bool:
        """Whether `user` has redeemed an invite."""
        ...

    def keep_fragment(
        self, fragment: Hash, body: str, size: int, user: Username, expires_at: int, quota: int
    ) -> Awaitable[str | None]:
        """Notes that `user` wants the fragment until `expires_at` (Unix nanoseconds, `KEEP` for ever), which never shortens.

        `body` names its bytes, which are stored already. Returns the name under which they are kept: that of an earlier upload if
        there was one, and then `body` is the caller's to remove. None where the user would hold more than `quota` bytes.
        """
        ...

    async def find_fragment(self, fragment: Hash, now_ns: int) -> str | None:
        """The name of the fragment's bytes, if it counts at `now_ns`."""
        ...

    async def fragment_bytes(self, user: Username) -> int:
        """How many bytes of fragments `user` holds."""
        ...

    def purge_fragments(self, now_ns: int, most: int) -> Awaitable[list[str]]:
        """Forgets up to `most` expired fragments; the names of bytes to be removed, given again until `bodies_removed`."""
        ...

    def bodies_removed(self, bodies: Sequence[str]) -> Awaitable[None]:
        """The bytes that `purge_fragments` named are gone."""
        ...

    async def are_bodies_known(self, bodies: Sequence[str]) -> list[bool]:
        """For each name whether a fragment has it: what is unknown, and not new, was left by a crash."""
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

    def purge(self, now_ns: int, most: int, received_before: int = 0) -> Awaitable[int]:
        """Removes up to `most` entries that have expired or were received before `received_before`; how many it removed."""
        ...

    def probe(self, now_ns: int) -> Awaitable[None]:
        """Commits a write, and raises what keeps it from that."""
        ...

    async def stats(self) -> StoreStats:
        """What the store holds. Reads much: for an operator, not for each request."""
        ...

    async def close(self, within_s: float | None = None) -> None:
        """Finishes what was begun, and lets go of the database.

        A store whose database may be away waits for it no longer than `within_s` (None: as long as callers would have), and gives up
        what is left then: nobody is told that it came about.
        """
        ...
