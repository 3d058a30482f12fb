"""A directory caught lying: kept until a person has seen it, and told at once (spec: directory.md, RPC)."""

from xirtam_core.engine.announcer import Announcer
from xirtam_core.events import AlarmRaised
from xirtam_core.storage import account
from xirtam_core.storage.database import Database


class DirectoryAlarm:
    """Keeps and tells the evidence, once for each time that it is acknowledged."""

    def __init__(self, database: Database, announcer: Announcer) -> None:
        self._database = database
        self._announcer = announcer

    def raise_alarm(self, evidence: str) -> None:
        """Stores and announces `evidence`, unless an alarm stands already."""
        if account.directory_alarm(self._database) is not None:
            return
        text = f"The directory told two different stories: {evidence}. New names and keys are not trusted until this is cleared up."
        account.store_directory_alarm(self._database, text)
        self._announcer.announce(AlarmRaised(text))
