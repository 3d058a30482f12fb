"""What watching a directory reports. Each is one line of JSON (`msgspec.json.encode`), told apart by its `event`."""

from typing import Any

import msgspec

from xirtam_core.codec import jsonwire
from xirtam_core.codec.wire import Wire
from xirtam_core.errors import Malformed
from xirtam_core.names import GroupName, ServerName
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import Name, ServerDescriptor, UserDescriptor
from xirtam_core.protocol.group_name import GroupListing

Value = dict[str, Any] | None
"""A descriptor's fields as JSON; kind and bytes of a value that is none; None where there is no value."""


class _Event(msgspec.Struct, frozen=True, tag_field="event"):
    pass


class NameSeen(_Event, frozen=True, tag="name-seen"):
    """What a name is at the first look: what later changes are changes of."""

    name: str
    height: int
    owners: list[str]
    value: Value


class OwnerAdded(_Event, frozen=True, tag="owner-added"):
    """A key has power over a name now. `height`, here and below, is that at which it was seen."""

    name: str
    height: int
    owner: str


class OwnerRemoved(_Event, frozen=True, tag="owner-removed"):
    """A key has no longer power over a name."""

    name: str
    height: int
    owner: str


class ValueChanged(_Event, frozen=True, tag="value-changed"):
    """A name stands for something else now."""

    name: str
    height: int
    old: Value
    new: Value


class StandsStill(_Event, frozen=True, tag="stands-still"):
    """The log has not grown for too long: whoever answers may be keeping news back."""

    height: int
    for_s: float


class MovesAgain(_Event, frozen=True, tag="moves-again"):
    """The log grows again."""

    height: int


class Unanswered(_Event, frozen=True, tag="unanswered"):
    """The directory does not answer, or not usably; it is asked again."""

    problem: str


class BadAnswer(_Event, frozen=True, tag="bad-answer"):
    """The directory, or somebody in between, answers what does not hold; nothing of it is used, and it is asked again."""

    problem: str


class Answers(_Event, frozen=True, tag="answers"):
    """The directory answers again, and truthfully."""

    height: int


class Alarm(_Event, frozen=True, tag="alarm"):
    """Proof that the directory lies: two logs, or a history that is another than before. Watching ends with it."""

    problem: str


WatchEvent = (
    NameSeen | OwnerAdded | OwnerRemoved | ValueChanged | StandsStill | MovesAgain | Unanswered | BadAnswer | Answers | Alarm
)  # fmt: skip


def value_of(name: Name, blob: Blob | None) -> Value:
    """The value of `name` as events show it."""
    if blob is None:
        return None
    try:
        return msgspec.json.decode(jsonwire.encode(_read(name, blob)))
    except Malformed:
        return msgspec.json.decode(jsonwire.encode(blob))


def _read(name: Name, blob: Blob) -> Wire:
    """What a value says; raises `Malformed` for one that is not what its name stands for."""
    if isinstance(name, GroupName):
        return GroupListing.from_blob(blob, name)
    return (ServerDescriptor if isinstance(name, ServerName) else UserDescriptor).from_blob(blob)
