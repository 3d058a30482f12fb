"""The directory's log as this client has verified it: the `HeaderStore` of the light client, on the account's database."""

from collections.abc import Sequence

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec import bcs
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryHeader
from xirtam_core.storage.database import Database


class StoredHeaders:
    """Headers from height 0 and the highest anchor that was verified."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def anchor(self) -> DirectoryAnchor | None:
        """The highest anchor that was verified."""
        row = self._database.row("SELECT anchor FROM anchor")
        return None if row is None else bcs.decode(DirectoryAnchor, row[0])

    def header(self, height: int) -> DirectoryHeader | None:
        """The verified header at `height`."""
        row = self._database.row("SELECT header FROM headers WHERE height = ?", height)
        return None if row is None else bcs.decode(DirectoryHeader, row[0])

    def extend(self, first_height: int, headers: Sequence[DirectoryHeader], anchor: DirectoryAnchor) -> None:
        """Adds `headers` from `first_height` on and the anchor that they lead to, in one step."""
        with self._database.transaction():
            for height, header in enumerate(headers, first_height):
                self._database.execute("INSERT INTO headers VALUES (?, ?)", height, bcs.encode(header))
            self._database.execute(
                "INSERT OR REPLACE INTO anchor VALUES (1, ?, ?)", bcs.encode(anchor), seconds(self._clock)
            )

    def anchor_age_s(self) -> int | None:
        """Seconds since a new anchor was last seen, or None before the first."""
        row = self._database.row("SELECT seen_s FROM anchor")
        return None if row is None else max(0, seconds(self._clock) - int(row[0]))
