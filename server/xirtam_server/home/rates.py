"""How often strangers may write: token buckets by where a call comes from and by mailbox, in bounded memory."""

import msgspec


class RateLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often callers without a device token may send: a burst, then so many a second; 0: no limit. IPv6 counts by /64."""

    anonymous_per_source: float = 100.0
    """Sends a second from one address, in the long run."""
    anonymous_source_burst: int = 2000
    """Sends at once from one address."""
    anonymous_per_mailbox: float = 50.0
    """Sends a second to one mailbox, in the long run."""
    anonymous_mailbox_burst: int = 2000
    """Sends at once to one mailbox."""
    most_sources: int = 50_000
    """Sources and mailboxes that are remembered, each."""
