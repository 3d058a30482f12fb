"""What a directory stores: an update that readers can read, under a name, after the ones before it (spec: encoding.md, Primitives).

The wire's rules would let any string be a name and any bytes a value; one that a peer fails to decode would make it fail on the whole
history or chunk. So the value must be the descriptor that the name stands for, and there are bounds, under which every answer fits
what a reference peer reads (spec: rpc.md, Sizes).
"""

from typing import Final

import msgspec

from xirtam_core.errors import Malformed
from xirtam_core.names import GroupName, ServerName, Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import AddOwner, DirectoryUpdate, Name, ServerDescriptor, Update, UserDescriptor
from xirtam_core.protocol.group_name import GroupListing
from xirtam_core.protocol.update_history import BadHistory
from xirtam_core.rpc.directory import UpdateRejected
from xirtam_server.directory.log import Standing


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much there may be of what: sizes are bytes of BCS."""

    value_size: int = 4096
    """Of one descriptor."""
    owners: int = 32
    """Keys that own one name."""
    history_updates: int = 1000
    """Updates of one name, ever."""
    history_size: int = 256 * 1024
    """Updates of one name, ever, together."""
    staged_per_name: int = 16
    """Updates of one name that wait for the next chunk."""
    staged: int = 50_000
    """Updates that wait for the next chunk."""
    chunk_size: int = 256 * 1024
    """Updates that land at once, together."""


BOUNDS: Final = Bounds()


def check_update(key: str, update: DirectoryUpdate, standing: Standing, bounds: Bounds = BOUNDS) -> None:
    """Raises `UpdateRejected` unless `update` may be stored under `key`, whose history comes to `standing`."""
    name = _name(key)
    change = update.update_type
    if isinstance(change, Update):
        _check_value(name, change.value, bounds)
    try:
        after = standing.after(update)
    except BadHistory as fault:
        raise UpdateRejected(str(fault)) from None
    if isinstance(change, AddOwner) and len(after.state.owners) > bounds.owners:
        raise UpdateRejected(f"a name has at most {bounds.owners} owners")
    if after.updates > bounds.history_updates or after.size > bounds.history_size:
        raise UpdateRejected("the history of this name is as long as it may be")


def _name(key: str) -> Name:
    kind = {Username.sigil: Username, GroupName.sigil: GroupName}.get(key[:1], ServerName)
    try:
        return kind(key)
    except Malformed:
        raise UpdateRejected("the key is the name of no user, server or group") from None


def _check_value(name: Name, value: Blob, bounds: Bounds) -> None:
    if len(value.inner) > bounds.value_size:
        raise UpdateRejected(f"a value has at most {bounds.value_size} bytes")
    try:
        if isinstance(name, Username):
            UserDescriptor.from_blob(value)
        elif isinstance(name, GroupName):
            GroupListing.from_blob(value, name)
        elif not ServerDescriptor.from_blob(value).public_urls:
            raise UpdateRejected("a server descriptor has at least one URL")
    except Malformed as fault:
        raise UpdateRejected(f"the value is no descriptor for this key: {fault}"[:200]) from None
