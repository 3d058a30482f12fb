"""Putting a value under a name that one owns, or takes: one update at a time, whatever is there (spec: directory.md)."""

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import Refused
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import AddOwner, DelOwner, Name, Update
from xirtam_core.protocol.update_history import NameState


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


def _check_power(state: NameState, owner: SigningPublic) -> None:
    if owner not in state.owners:
        raise Refused("this account does not own the name (any more)")
