"""What a group is (spec: groups.md)."""

from xirtam_core.codec.integers import Timestamp
from xirtam_core.codec.primitives import AeadKey, Hash
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.names import ServerName, Username


class GroupDescriptor(Wire):
    """A group from its beginning; it never changes. `created_at` is in seconds."""

    nonce: Hash
    init_admin: Username
    created_at: Timestamp
    server: ServerName
    management_key: AeadKey

    def id(self) -> Hash:
        """What the group is called on the wire."""
        return bcs_hash(self)
