"""An invitation into a group, as it is sent to the invited (spec: groups.md, Flows)."""

from typing import Any, Final

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.codec.integers import LATEST, NanoTimestamp
from xirtam_core.codec.primitives import AeadKey, AuthToken
from xirtam_core.codec.schema import codec_of
from xirtam_core.codec.wire import Wire
from xirtam_core.errors import Malformed
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.group_move import Whereabouts

INVITE: Final = "application/vnd.nullspace.v1.group_invite"
_LONGEST_BODY: Final = 4096
_DEEPEST: Final = 8


class GroupInvite(Wire):
    """Everything that lets its reader into a group: whoever has it can read and post. `created_at` is in nanoseconds."""

    descriptor: GroupDescriptor
    group_key: AeadKey
    token: AuthToken
    created_at: NanoTimestamp

    def render(self, where: Whereabouts | None = None) -> bytes:
        """The invitation as the body of an event; `where` the group is, if not where its descriptor says: only ours understand it."""
        extra = {} if where is None else where.fields()
        return msgspec.json.encode(codec_of(GroupInvite).to_json(self) | extra)

    @classmethod
    def parse(cls, raw: bytes) -> "GroupInvite":
        """The invitation in a body; raises `Malformed`."""
        if len(raw) > _LONGEST_BODY or jsontext.is_deeper_than(raw, _DEEPEST):
            raise Malformed("an invitation beyond all bounds")
        try:
            said: Any = jsontext.parse(raw)
            invite = codec_of(GroupInvite).from_json(said)
        except (TypeError, ValueError, OverflowError, RecursionError, Malformed):
            raise Malformed("an invitation that makes no sense") from None
        if invite.created_at > LATEST or invite.descriptor.created_at > LATEST // 1_000_000_000:
            raise Malformed("an invitation from beyond all time")
        return invite
