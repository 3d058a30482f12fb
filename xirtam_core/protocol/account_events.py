"""What an account's devices tell each other about the account as a whole (spec: extensions.md, Own devices)."""

from typing import Any

import msgspec

from xirtam_core.codec.primitives import AeadKey, AuthToken, Hash
from xirtam_core.codec.schema import codec_of
from xirtam_core.errors import Malformed
from xirtam_core.protocol.attachment import Attachment
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.group_move import Whereabouts
from xirtam_core.protocol.own_device import OwnDeviceEvent


class Moved(OwnDeviceEvent, frozen=True, tag="moved"):
    """The account's new home server; a reason to ask the directory, no more."""

    server: str


class Membership(msgspec.Struct, frozen=True):
    """A group with what opens it: the present group key, and the member's token."""

    descriptor: GroupDescriptor
    key: AeadKey
    token: AuthToken
    where: Whereabouts | None = None
    """Where the group is, if not where its descriptor says."""


class GroupJoined(OwnDeviceEvent, frozen=True, tag="group"):
    """A group that the account is in, for each of its devices."""

    descriptor: dict[str, Any]
    key: str
    token: str
    server: str | None = None
    snapshot: str | None = None

    @classmethod
    def of(cls, group: Membership) -> "GroupJoined":
        """The event that tells of a membership."""
        where = {} if group.where is None else group.where.fields()
        descriptor = codec_of(GroupDescriptor).to_json(group.descriptor)
        return cls(descriptor, group.key.text(), group.token.text(), **where)

    def membership(self) -> Membership:
        """What it says; raises `Malformed`."""
        try:
            descriptor = codec_of(GroupDescriptor).from_json(self.descriptor)
        except (TypeError, ValueError, OverflowError, RecursionError):
            raise Malformed("a group without a descriptor") from None
        where = Whereabouts.of(self.server, self.snapshot)
        return Membership(descriptor, AeadKey.from_text(self.key), AuthToken.from_text(self.token), where)


class InvitationDeclined(OwnDeviceEvent, frozen=True, tag="declined"):
    """An invitation into `group` that no device shall show any more; `token` is the hash of the token in it."""

    group: Hash
    token: Hash


class CatchUpWanted(OwnDeviceEvent, frozen=True, tag="catch_up"):
    """The device `by` asks for what it has missed: `of`, which has certified it; None: those that came to a new home before it."""

    by: Hash
    of: Hash | None = None


class HistoryShared(OwnDeviceEvent, frozen=True, tag="history"):
    """An archive of messages, as an attachment on `server_name`.

    `by` is the device that has made it and needs nothing of it; `only` is the one that it is for, None where it is for all.
    """

    attachment: dict[str, Any]
    server_name: str | None = None
    by: Hash | None = None
    only: Hash | None = None

    @classmethod
    def of(cls, root: Attachment, server: str, device: Hash, only: Hash | None = None) -> "HistoryShared":
        """The event that tells of the archive with this root."""
        return cls(codec_of(Attachment).to_json(root), server, device, only)

    def root(self) -> Attachment:
        """Where the archive begins; raises `Malformed`."""
        try:
            return codec_of(Attachment).from_json(self.attachment)
        except (TypeError, ValueError, OverflowError, RecursionError):
            raise Malformed("an archive without a root") from None
