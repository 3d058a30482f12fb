"""Groups that another device of the account is in, kept so that this one is in them, too (spec: extensions.md, Own devices)."""

from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.errors import Malformed
from xirtam_core.protocol.account_events import GroupJoined
from xirtam_core.storage import groups
from xirtam_core.storage.database import Database

_MOST = 5000


class KnownGroups:
    """Takes what the account's devices say of groups."""

    def __init__(self, database: Database, own_devices: OwnDevices) -> None:
        self._database = database
        own_devices.register(GroupJoined, self._take)

    def _take(self, event: GroupJoined, sent_at: int, outcome: Outcome) -> None:
        group = event.membership()
        name = group.descriptor.id()
        if groups.count(self._database) >= _MOST and groups.find(self._database, name) is None:
            raise Malformed("more groups than an account takes")
        groups.store(self._database, name, group.descriptor.server, event.render())
