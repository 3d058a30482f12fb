"""The chain of headers, as pure rules: what links to what, and what a new anchor says of the log that is known (spec: directory.md).

A header names the one before it by hash, and an anchor, signed, the newest. So who has verified an anchor knows the whole log below
it by hash; a later anchor must name a chain that runs through the header known before. One that does not is proof of two logs.
"""

from collections.abc import Iterable
from typing import Final

from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.errors import Equivocation, Unreachable, Unverified
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryHeader

HIGHEST: Final = 2**40
"""No log is this long: at one header a second it would take 30,000 years."""


class StaleAnchor(Unreachable):
    """The directory keeps showing an older state than the one it showed before."""

    def __init__(self) -> None:
        super().__init__(
            "the directory answers with an older state than before; nothing of it was used. Try again later"
        )


class BrokenChain(Unverified):
    """Headers that do not link to each other, or do not end in the anchor's: whoever sent them made them up."""

    def __init__(self) -> None:
        super().__init__("the directory's headers do not form the chain that it signed")


def check_anchor(anchor: DirectoryAnchor, directory_pk: SigningPublic) -> None:
    """Raises `Unverified` unless the directory with this key signed `anchor`."""
    if not anchor.is_signed_by(directory_pk):
        raise Unverified("the directory's anchor is not signed by its key: this is not the directory it claims to be")
    if anchor.last_header_height > HIGHEST:
        raise Unverified("the directory claims a log of impossible length")


def contradicts(anchor: DirectoryAnchor, known: DirectoryHeader) -> bool:
    """Whether `anchor` names another header than `known`, which is the one at its height."""
    return known.hash() != anchor.last_header_hash


def two_logs(height: int, proof: str = "{}") -> Equivocation:
    """The alarm for a directory that signed two logs, which differ at or below `height`; `proof` is JSON."""
    return Equivocation(
        f"the directory has signed two contradicting logs (at or below height {height}). Nothing of the new one was used. "
        "Names may be resolved wrongly for you or others: tell whoever runs it, and compare keys with your contacts in person",
        proof,
    )


class ChainWalk:
    """Follows headers upwards, page by page, from a known hash or from the middle of the log."""

    def __init__(self, after: Hash | None) -> None:
        self._after = after
        self._last: Hash | None = None
        self._is_linked = True

    def follow(self, headers: Iterable[DirectoryHeader]) -> None:
        """Goes on through `headers`; raises `BrokenChain` where one does not name the one before it."""
        for header in headers:
            if self._last is None:
                self._is_linked = self._after is None or header.prev == self._after
            elif header.prev != self._last:
                raise BrokenChain
            self._last = header.hash()

    def end_at(self, anchor: DirectoryAnchor) -> None:
        """Raises `BrokenChain` unless the last header is the anchor's; then `Equivocation` unless the first linked to the known.

        Headers are not signed, and whoever is in between can invent some: only those that end in the signed hash prove anything.
        """
        if self._last != anchor.last_header_hash:
            raise BrokenChain
        if not self._is_linked:
            raise two_logs(anchor.last_header_height)
