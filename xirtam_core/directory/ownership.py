"""Putting a value under a name that one owns, or takes: one update at a time, whatever is there (spec: directory.md)."""

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import Refused
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import AddOwner, DelOwner, Name, Update
from xirtam_core.protocol.update_history import NameState


class NoOwner(Refused):
    """The key that was to sign does not own the name."""


class NameTaken(Refused):
    """Somebody else owns the name."""

    def __init__(self, name: Name) -> None:
        super().__init__(f"{name} belongs to somebody else. Nothing was changed; choose another name")


def find_next_step(name: Name, state: NameState, owner: SigningPublic, blob: Blob) -> AddOwner | Update | None:
    """What brings `name` from `state` towards having `owner` and the value `blob`; None if it is there. Raises `NameTaken`."""
    if not state.owners:
        return AddOwner(owner)
    if owner not in state.owners:
        raise NameTaken(name)
    return None if state.value == blob else Update(blob)


def find_step_to_owner(state: NameState, owner: SigningPublic, other: SigningPublic) -> AddOwner | None:
    """What makes `other` an owner as well, by the word of `owner`; None where they are. Raises `Refused` where `owner` is none."""
    if other in state.owners:
        return None
    _check_power(state, owner)
    return AddOwner(other)


def find_step_from_owner(state: NameState, owner: SigningPublic, other: SigningPublic) -> DelOwner | None:
    """What makes `other` an owner no more, by the word of `owner`; None where they are none.

    Raises `Refused` where `owner` is none, and for the last one: anybody could take the name then.
    """
    if other not in state.owners:
        return None
    _check_power(state, owner)
    if len(state.owners) == 1:
        raise Refused("that is the name's last owner: without one, anybody could take it")
    return DelOwner(other)


def find_step_to_regain(
    state: NameState, recovery: SigningPublic, owner: SigningPublic, blob: Blob, *, keeps_owners: bool
) -> AddOwner | DelOwner | Update | None:
    """What brings a name whose devices are all lost towards `owner` and the value `blob`; None if it is there.

    `recovery` stays an owner. All others are taken away unless `keeps_owners`: they belong to the lost devices, and whoever has one of
    those could take the name back. The new owner comes first, so that from then on the recovery key is not needed to go on.

    Raises `NoOwner` where neither key is one.
    """
    if owner not in state.owners:
        if recovery not in state.owners:
            raise NoOwner("this recovery key does not own the name (any more): nothing was changed")
        return AddOwner(owner)
    others = [each for each in state.owners if each not in (owner, recovery)]
    if others and not keeps_owners:
        return DelOwner(others[0])
    return None if state.value == blob else Update(blob)


def _check_power(state: NameState, owner: SigningPublic) -> None:
    if owner not in state.owners:
        raise NoOwner("this account does not own the name (any more)")
