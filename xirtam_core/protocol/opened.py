"""What somebody has said, once it has been opened and its signature found good (spec: messages.md, groups.md)."""

from xirtam_core.codec.integers import NanoTimestamp
from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.codec.wire import Wire
from xirtam_core.names import Username
from xirtam_core.protocol.event import Event


class Opened(Wire):
    """Who said it, in which chat, and the event with its hash.

    A chat is called by its peer's name, or by its group's id in hex. `kind` is that of the inner blob, `device_pk` the key of the
    device that signed; `group_ns` is when a group's server got it, 0 where that is not known or in a direct chat.
    """

    sender: Username
    chat: str
    kind: str
    event: Event
    event_hash: Hash
    device_pk: SigningPublic
    group_ns: NanoTimestamp = 0

    @property
    def peer(self) -> Username:
        """Whom a direct chat is with; not for a group's."""
        return Username(self.chat)
