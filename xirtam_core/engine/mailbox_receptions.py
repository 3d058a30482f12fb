"""Which mailbox is understood how: the account's own, and those of its groups."""

from collections.abc import Iterable

from xirtam_core.engine.arrivals import Arrivals
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.direct_reception import DirectReception
from xirtam_core.engine.group_receptions import ManagementReception, MessagesReception
from xirtam_core.engine.reception import Reception, Receptions
from xirtam_core.engine.rosters import Rosters
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.storage import groups
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place


class MailboxReceptions(Receptions):
    """Makes receptions, each of which holds the keys, and for management the roster, as they are when it is made."""

    def __init__(
        self, database: Database, me: Username, rosters: Rosters, controls: Controls, arrivals: Arrivals
    ) -> None:
        self._database = database
        self._me = me
        self._rosters = rosters
        self._controls = controls
        self._arrivals = arrivals
        controls.when_concluded(rosters.conclude)

    def of(self, places: Iterable[Place]) -> dict[Place, Reception | None]:
        """See the base. A roster is loaded for management alone: what a message needs of it is looked up."""
        return {place: self._of(place) for place in places}

    def _of(self, place: Place) -> Reception | None:
        if place.mailbox == direct_mailbox(self._me):
            return DirectReception(self._database, self._me, self._controls, self._arrivals)
        group = groups.of_mailbox(self._database, place.mailbox)
        if group is None or group.state not in groups.READ:
            return None
        if place.mailbox == group.management_mailbox:
            return ManagementReception(self._database, group, self._rosters)
        return MessagesReception(self._database, group, self._controls, self._arrivals)
