"""Putting a value under a name that one owns, or takes: one update at a time, whatever is there (spec: directory.md)."""

from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.errors import Refused
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import AddOwner, Name, Update
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
