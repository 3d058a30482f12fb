"""A directory caught lying: kept until a person has seen it, and told at once (spec: directory.md, RPC).

The alarm goes when it is acknowledged; the evidence stays.
"""

from xirtam_core.chat import Evidence
from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.announcer import Announcer
from xirtam_core.errors import Equivocation
from xirtam_core.events import AlarmRaised
from xirtam_core.storage import account, evidence
from xirtam_core.storage.database import Database


class DirectoryAlarm:
    """Keeps and tells a lie, once for each time that it is acknowledged."""

    def __init__(self, database: Database, announcer: Announcer, clock: Clock) -> None:
        self._database = database
        self._announcer = announcer
        self._clock = clock

    def raise_alarm(self, lie: Equivocation, source: str) -> None:
        """Stores and announces a lie that showed in what `source` gave, unless an alarm stands already."""
        if account.directory_alarm(self._database) is not None:
            return
        text = f"The directory told two different stories: {lie}. New names and keys are not trusted until this is cleared up."
        found = Evidence(found_s=seconds(self._clock), source=source, summary=str(lie), proof=lie.proof)
        with self._database.transaction():
            account.store_directory_alarm(self._database, text)
            evidence.add(self._database, found)
        self._announcer.announce(AlarmRaised(text))
