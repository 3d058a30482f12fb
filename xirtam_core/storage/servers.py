"""Servers as the directory last gave them: how to reach one when the directory does not answer."""

from xirtam_core.codec import bcs
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ServerDescriptor
from xirtam_core.storage.database import Database


def find(database: Database, name: ServerName) -> ServerDescriptor | None:
    """What the directory last said of a server, or None."""
    row = database.row("SELECT descriptor FROM servers WHERE name = ?", name)
    return None if row is None else bcs.decode(ServerDescriptor, row[0])


def store(database: Database, name: ServerName, descriptor: ServerDescriptor) -> None:
    """Keeps what the directory says now."""
    database.execute("INSERT OR REPLACE INTO servers VALUES (?, ?)", name, bcs.encode(descriptor))
