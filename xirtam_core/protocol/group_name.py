"""What the directory says of a group, and whether that is in order (docs/protocol/named-groups.md).

The listing commits to the group by its id, which is the hash of its descriptor: the descriptor itself holds a key, and comes with an
invitation. All owners of a name are equal, so members compare who owns it with the keys that admins of the group have announced.
"""

from collections.abc import Collection, Iterable
from typing import Annotated, Final

from xirtam_core.codec import bcs
from xirtam_core.codec.bounds import AtMost
from xirtam_core.codec.primitives import Base64Bytes, Hash, SigningPublic
from xirtam_core.codec.wire import Wire
from xirtam_core.errors import Malformed
from xirtam_core.names import GroupName, Username
from xirtam_core.protocol.blob import GROUP_NAME, Blob
from xirtam_core.protocol.directory import AddOwner, DelOwner, DirectoryUpdate, Update
from xirtam_core.protocol.update_history import NameState

LONGEST_TITLE: Final = 64
MOST_ADMINS: Final = 8


class GroupListing(Wire):
    """What a stranger may know of a group: its id, what it is called, and who may be asked (nobody, where it has been withdrawn)."""

    name: GroupName
    group: Hash
    title: str
    admins: Annotated[tuple[Username, ...], AtMost(MOST_ADMINS)]

    def blob(self) -> Blob:
        """The value to put into the directory."""
        return Blob(GROUP_NAME, Base64Bytes(bcs.encode(self)))

    @classmethod
    def from_blob(cls, blob: Blob, name: GroupName) -> "GroupListing":
        """The listing that stands under `name` as `blob`; raises `Malformed`."""
        if blob.kind != GROUP_NAME:
            raise Malformed("the directory holds something else than a group under this name")
        listing = bcs.decode(cls, blob.inner)
        listing.check()
        if listing.name != name:
            raise Malformed("a listing of another name")
        return listing

    def check(self) -> None:
        """Raises `Malformed` for what no directory should hold."""
        if len(self.title) > LONGEST_TITLE or not self.title.isprintable():
            raise Malformed(f"a title is one line of {LONGEST_TITLE} characters at most")
        if len(self.admins) > MOST_ADMINS or len(set(self.admins)) != len(self.admins):
            raise Malformed(f"at most {MOST_ADMINS} admins can be listed, each once")


def find_listing(state: NameState, name: GroupName) -> GroupListing | None:
    """What a name lists now; None for nothing that makes sense."""
    try:
        return None if state.value is None else GroupListing.from_blob(state.value, name)
    except Malformed:
        return None


def find_fault(state: NameState, name: GroupName, group: Hash, announced: Collection[SigningPublic]) -> str | None:
    """What is wrong with a group's name, in words for its members; None where it is in order.

    `announced` are the owner keys that people have announced in the group.
    """
    listing = find_listing(state, name)
    if listing is None:
        return f"the directory lists no group as {name} (any more)"
    if listing.group != group:
        return f"{name} leads to another group now"
    if not state.owners:
        return f"nobody owns {name}: anybody may take it"
    if not set(state.owners) <= set(announced):
        return f"{name} has an owner whom nobody in the group has announced"
    return None


def find_doubt(history: Iterable[DirectoryUpdate], name: GroupName) -> str | None:
    """What in the past of a name should make somebody hesitate who does not know the group, in words; None for nothing.

    `history` has been verified.
    """
    owners, groups, was_owned = set[SigningPublic](), set[Hash](), False
    for update in history:
        if was_owned and not owners:
            return f"{name} was given up, and somebody has taken it since"
        match update.update_type:
            case AddOwner(key):
                owners.add(key)
                was_owned = True
            case DelOwner(key):
                owners.discard(key)
            case Update(blob):
                listing = find_listing(NameState(value=blob), name)
                groups |= set() if listing is None else {listing.group}
    return f"{name} led to another group before" if len(groups) > 1 else None
