"""The bounds of a home server's store, whatever database is behind it."""

import msgspec


class StoreLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much the store holds."""

    most_entries: int = 1_000_000
    """Entries in one mailbox."""
    most_mailbox_bytes: int = 2**30
    """Entries of one mailbox, together."""
    most_rights: int = 7_000
    """Entries in one access list; so many that the list fits an answer of 1 MiB."""
    most_owned: int = 20_000
    """Mailboxes of groups that one user has registered."""
    most_owned_bytes: int = 10 * 2**30
    """In all these mailboxes of one user together."""
    most_devices: int = 64
    """Devices of one user."""
    most_waiting: int = 20_000
    """Changes that wait to be written."""
    most_waiting_bytes: int = 64 * 2**20
    """Their size; over either, callers are told to come again."""
    most_reads: int = 20_000
    """Reads that wait or are under way, on SQLite; over it, callers are told to come again."""
