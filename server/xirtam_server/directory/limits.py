"""How much a directory does for whom, at once and over time."""

from typing import Final

import msgspec


class DirectoryLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on what callers may ask of a directory or a mirror; past them the answer is `retry_later`."""

    most_queries: int = 1024
    """Questions to the database that wait or are being answered."""
    verifiers: int = 2
    """Threads that check proofs of work."""
    most_verifying: int = 64
    """Proofs of work that wait to be checked."""
    updates_per_source: float = 2.0
    """Seeds and updates, each counted, that one source (an IPv4 address, an IPv6 /64) may ask for, a second; 0: no limit."""
    updates_burst: int = 200
    """So many at once after a rest."""
    reads_per_source: float = 100.0
    """Look-ups, chunks and pages of headers, likewise; 0: no limit. A home server asks for all of its users."""
    reads_burst: int = 5000
    """So many at once after a rest."""
    most_sources: int = 20_000
    """Sources that are remembered."""
    kept_answer_bytes: int = 32 * 2**20
    """Memory for pages of headers and chunks in the form in which they travel."""
    anchor_max_age_s: int = 1
    """How long caches in between may keep the anchor that they fetched with GET."""


class MirrorLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a mirror follows its upstream. Times in seconds."""

    poll_s: float = 2.0
    """Between two questions for the anchor."""
    longest_pause_s: float = 60.0
    """Between two questions while the upstream does not answer, or not truthfully: the pause doubles up to this."""
    longest_unconfirmed_s: float = 86_400.0
    """After so long without a verified anchor nothing is answered: a mirror that is cut off must not hold names as they once were."""
    chunks_at_once: int = 8
    """Asked for in parallel."""
    chunks_per_write: int = 16
    """Chunks with updates in one transaction, and in memory."""
    most_headers: int = 50_000_000
    """That a log may be ahead of the copy."""
    most_forwarded: int = 64
    """Updates and questions for seeds that are with the upstream at one time."""


LIMITS: Final = DirectoryLimits()
UNLIMITED: Final = DirectoryLimits(updates_per_source=0, reads_per_source=0)
"""For a network that only its owner's machine reaches."""
MIRROR_LIMITS: Final = MirrorLimits()
