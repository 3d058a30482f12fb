"""How often strangers may write, and anybody ask what is costly, by source and by mailbox."""

import msgspec


class RateLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often callers may do what they may do unknown: a burst, then so many a second; 0: no limit.

    A source is an IPv4 address or an IPv6 /64. Sends count for callers without a device token of this server, and without an entry
    of their own in the mailbox's access list. Who is over a limit waits for a moment, and is told `retry_later` if that will not do.
    """

    anonymous_per_source: float = 100.0
    """Sends, from one source to all mailboxes; whole servers may forward for their users."""
    anonymous_source_burst: int = 2000
    """Sends at once from one address."""
    anonymous_per_mailbox: float = 50.0
    """Sends, from all sources to one mailbox."""
    anonymous_mailbox_burst: int = 2000
    """Sends at once to one mailbox."""
    anonymous_source_share: float = 0.5
    """What part of a mailbox's rate and burst one source may use up, so that others still get through."""
    costly_per_source: float = 20.0
    """Challenges, authentications, profiles, and calls for mailboxes or with device tokens that do not exist: each costs a question to
    the directory, many signatures to check, or a look into the store."""
    costly_burst: int = 1000
    """Of these at once."""
    invites_per_source: float = 0.2
    """Invites redeemed or guessed at."""
    invites_burst: int = 20
    """Of these at once."""
    most_remembered: int = 50_000
    """Sources, mailboxes, and pairs of them, that are remembered, each; those used last."""
    patience_s: float = 5.0
    """Longest that who is over a limit must wait; 0: nobody does. Reference clients give up after eight refusals in three seconds."""
    most_held_back: int = 2000
    """Callers that wait so at once; others are refused. 0: nobody waits."""
    most_held_back_bytes: int = 32 * 2**20
    """Messages that wait so."""


UNLIMITED = RateLimits(
    anonymous_per_source=0, anonymous_per_mailbox=0, costly_per_source=0, invites_per_source=0
)  # fmt: skip
"""For a network that only its owner's machine reaches."""
