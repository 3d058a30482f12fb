"""What the directory says of one name, verified: the proof, then the history (spec: directory.md)."""

from typing import Final

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash
from xirtam_core.directory import smt
from xirtam_core.errors import Unverified
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import DirectoryItem, DirectoryUpdate, Name, Update
from xirtam_core.protocol.update_history import NameState, apply

MOST_UPDATES: Final = 4096
MOST_CHECKS: Final = 16_384
"""Signatures that reading one history may cost: each update may have to be tried with every owner."""


class VerifiedItem(msgspec.Struct, frozen=True):
    """A name's history and what it comes to; both empty for an absent name."""

    history: tuple[DirectoryUpdate, ...]
    state: NameState

    def contains(self, update_hash: Hash) -> bool:
        """Whether the update with this hash has landed."""
        return any(update.hash() == update_hash for update in self.history)

    def values_since(self, update_hash: Hash) -> list[Blob]:
        """The values that were put under the name after the update with this hash, in order; all where it has no such update."""
        found: list[Blob] = []
        for update in self.history:
            if update.hash() == update_hash:
                found.clear()
            elif isinstance(update.update_type, Update):
                found.append(update.update_type.value)
        return found


def verify_item(name: Name, item: DirectoryItem, root: Hash) -> VerifiedItem:
    """What `item` says of `name`; raises `Unverified` unless the tree with `root` has just that, and the history holds."""
    if len(item.history) > MOST_UPDATES or len(item.proof_merkle_branch) > smt.LARGEST_PROOF:
        raise Unverified(f"the directory's answer about {name} is larger than any that is true")
    value = bcs.encode(item.history, tuple[DirectoryUpdate, ...]) if item.history else b""
    smt.check(root, name, value, item.proof_merkle_branch)
    state = NameState()
    checks = 0
    for update in item.history:
        checks += max(1, len(state.owners))
        if checks > MOST_CHECKS:
            raise Unverified(f"the history of {name} is too long to verify")
        state = apply(state, update)
    return VerifiedItem(item.history, state)
