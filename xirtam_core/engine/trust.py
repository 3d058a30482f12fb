"""What holds the network's promises to account: what `xirtam_core.faces.trust` declares, as the engine does it."""

from xirtam_core.chat import Evidence
from xirtam_core.storage import evidence
from xirtam_core.storage.database import Database


class Trust:
    """What was found against the directory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def evidence(self) -> list[Evidence]:
        """See the face."""
        return evidence.everything(self._database)
