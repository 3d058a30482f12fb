"""The history of a name: who owns it and what it stands for (spec: directory.md, Updates and ownership).

Start with no owners and no value. Each update must link to the one before it by hash; while there is no owner, only an `AddOwner`
signed by the very key it adds may come; else some current owner must have signed. Checked in that order.
"""

from collections.abc import Iterable

import msgspec

from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.crypto import signing
from xirtam_core.errors import Unverified
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import ZERO_HASH, AddOwner, DelOwner, DirectoryUpdate, Update


class BadHistory(Unverified):
    """An update that may not follow the ones before it; its text is what a directory answers."""


class WrongLink(BadHistory):
    """The update names another predecessor."""

    def __init__(self) -> None:
        super().__init__("update hash does not link to previous update")


class NoOwners(BadHistory):
    """Nobody owns the name, and the update is not one that takes it."""

    def __init__(self) -> None:
        super().__init__("no owners available to verify update")


class WrongSignature(BadHistory):
    """No owner signed the update."""

    def __init__(self) -> None:
        super().__init__("invalid update signature")


class NameState(msgspec.Struct, frozen=True):
    """What a history comes to: the hash of its last update, the owners in the order they came, the value."""

    last_hash: Hash = ZERO_HASH
    owners: tuple[SigningPublic, ...] = ()
    value: Blob | None = None


def apply(state: NameState, update: DirectoryUpdate) -> NameState:
    """The state after `update`; raises `BadHistory` where it may not follow."""
    if update.prev_update_hash != state.last_hash:
        raise WrongLink
    change = update.update_type
    if state.owners:
        signers = state.owners
    elif isinstance(change, AddOwner):
        signers = (change.value,)
    else:
        raise NoOwners
    message = update.signed_bytes()
    if not any(signing.verifies(signer, message, update.signature) for signer in signers):
        raise WrongSignature
    return _changed(state, change, update.hash())


def _changed(state: NameState, change: AddOwner | DelOwner | Update, update_hash: Hash) -> NameState:
    match change:
        case AddOwner(pk):
            owners = state.owners if pk in state.owners else (*state.owners, pk)
            return NameState(update_hash, owners, state.value)
        case DelOwner(pk):
            return NameState(update_hash, tuple(owner for owner in state.owners if owner != pk), state.value)
        case Update(blob):
            return NameState(update_hash, state.owners, blob)


def replay(history: Iterable[DirectoryUpdate], state: NameState | None = None) -> NameState:
    """The state that `history` comes to, from `state` or from nothing; raises `BadHistory`."""
    state = state or NameState()
    for update in history:
        state = apply(state, update)
    return state
