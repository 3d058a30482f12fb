"""The bounds of a home server: nothing that a caller can make it hold is without one."""

import msgspec


class HomeLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What callers may use. Sizes in bytes, times in seconds.

    What no waiting will change, such as a message that is too large or a chain that is too long, is answered `access_denied`, since
    clients try again what they are told to; what is full or busy, `retry_later`.
    """

    max_message_bytes: int = 720_000
    """Of a blob's content, so that with its base64 form and all else an entry fits an answer of 1 MiB."""
    max_kind_bytes: int = 256
    """Of a blob's kind."""
    max_ttl_s: int = 0
    """Longest that an entry is kept, whatever its sender asked for; 0: for ever. Older ones are purged when it is lowered."""
    max_profile_bytes: int = 65_536
    """Of a profile, with its picture."""
    max_chain: int = 16
    """Certificates in one chain."""
    most_in_page: int = 100
    """Entries of one mailbox in one answer."""
    max_answer_bytes: int = 2**20 - 8192
    """Entries in one answer, so that it fits a line of 1 MiB."""
    most_received_at_once: int = 4096
    """Mailboxes that one call may read."""
    most_unknown_at_once: int = 32
    """Mailboxes that one call may look up in the store in vain; those beyond count as refused. Each counts as a costly call."""
    most_unknown_remembered: int = 10_000
    """Names of mailboxes that were looked up in vain, so that none is looked up again; none in a store that processes share."""
    longest_poll_s: float = 540.0
    """A long poll is answered after so long, whatever its caller asked for."""
    denied_pause_s: float = 1.0
    """How long a refused reader waits for the refusal: a reference client repeats the call at once and for ever."""
    most_polls: int = 20_000
    """Parked long polls; the oldest is answered when another comes."""
    most_polls_per_peer: int = 64
    """Parked long polls of one connection."""
    most_watched: int = 500_000
    """Mailboxes that parked long polls wait for, counted for each poll; the oldest are answered when another does not fit."""
    most_watched_per_peer: int = 20_000
    """Of these, in the polls of one connection."""
    recent_bytes: int = 16 * 2**20
    """Memory for entries that were just written."""
    page_cache_bytes: int = 8 * 2**20
    """Memory for entries that were just read."""
    most_open_rights: int = 200_000
    """Access list entries, over all mailboxes, that are kept in memory."""
    directory_lookups: int = 32
    """Questions to the directory in flight."""
    directory_timeout_s: float = 15.0
    """A directory that takes longer counts as unreachable."""
    challenge_s: int = 60
    """How long a device may take to sign in."""
    most_spent_challenges: int = 100_000
    """Sign-ins that are remembered, so that none counts twice; over it, new ones wait."""
    recheck_s: float = 10.0
    """In a store that several processes share: how often the mailboxes that are waited for are looked at, in case a hint was lost."""
    purge_every_s: float = 20.0
    """How often expired entries are removed."""
    purge_step: int = 200
    """Rows that are removed at once, in between others' messages."""
    close_s: float = 3.5
    """How long a server that ends waits for what was begun; a database that is away by then keeps nobody waiting."""

    def oldest_kept(self, now_ns: int) -> int:
        """From which `received_at` on entries are kept, whatever their senders asked for."""
        return max(now_ns - self.max_ttl_s * 1_000_000_000, 0) if self.max_ttl_s else 0
