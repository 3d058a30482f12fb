"""How entries of one kind of mailbox are understood: what opens them, and what becomes of them once their signature is found good."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import msgspec

from xirtam_core.codec.primitives import AeadKey, Hash
from xirtam_core.engine.outcome import Outcome
from xirtam_core.names import Username
from xirtam_core.protocol.device_signing import Received
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage.journal import JournalEntry, Place


class Rekeyed(msgspec.Struct, frozen=True):
    """A new key of a group, given by `sender`."""

    sender: Username
    key: AeadKey


Said = Opened | Rekeyed


class NotYet(Exception):
    """Something that the entry needs, such as a key, may still come: it is looked at again."""


class Reception(ABC):
    """Where the inbox takes a mailbox's entries."""

    is_ordered = False
    """Whether nothing may be understood while something that came before it is not."""
    looks_for_sender = 8
    """How often a sender who is in no directory is looked for, which takes some twenty minutes: ours may be behind theirs."""

    @abstractmethod
    def unseal(self, entry: JournalEntry) -> Received | None:
        """What the entry holds, its signature not yet checked, or None for what is to be passed over.

        Raises `Malformed` and `Unverified` for what nobody could ever read, and `NotYet`.
        """

    @abstractmethod
    def open(self, entry: JournalEntry, received: Received) -> Said:
        """What has been said, once the signature has been found good; raises `Malformed`."""

    @abstractmethod
    def take(self, entry: JournalEntry, said: Said, unchecked_root: Hash | None, outcome: Outcome) -> None:
        """Stores what the entry comes to, in the transaction of its batch.

        `unchecked_root` is the root key that it was verified under, where that could not be checked afresh against the directory.
        Raises `Refused` for what is not kept, and `NotYet`.
        """

    def checked_at_s(self, entry: JournalEntry, now_s: int) -> int:
        """At what time (Unix seconds) the sender's certificates must be valid."""
        return now_s


class Receptions(ABC):
    """Knows the receptions of mailboxes."""

    @abstractmethod
    def of(self, places: Iterable[Place]) -> dict[Place, Reception | None]:
        """The receptions for one batch of entries of these mailboxes, None for one that is read no more."""
