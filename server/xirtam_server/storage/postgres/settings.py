"""How a process uses its PostgreSQL server."""

import msgspec


class PostgresSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Connections, and how long is waited for what. Times in seconds."""

    connections: int = 6
    """For reading and small changes; those that write and those for hints come on top."""
    writers: int = 1
    """Connections that write entries at the same time, each those of its own mailboxes. More make batches smaller, and pay where a
    commit takes long."""
    most_waiting: int = 5_000
    """Calls that wait for a connection."""
    patience_s: float = 8.0
    """How long a call waits for a database that does not answer, before its caller is told to come again."""
    tells_others: bool = True
    """Whether processes hint to each other what has come (LISTEN and NOTIFY). Without it, or through a pooler that does not pass
    them on, readers see what came through another process when their mailboxes are looked at again (`HomeLimits.recheck_s`)."""
