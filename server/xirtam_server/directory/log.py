"""The transparency log in SQLite: headers, the updates that each height added, and what the names come to (spec: directory.md).

An update is stored once, under its name and its height: a name's rows are its history, a height's rows are its chunk. `name` holds
what the rules need to judge the next update, so that nobody's long history is read or verified again for it.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.codec import write_uleb
from xirtam_core.codec.primitives import Base64Bytes, Hash, SigningPublic
from xirtam_core.directory import smt
from xirtam_core.errors import Unverified
from xirtam_core.protocol.directory import ZERO_HASH, DirectoryChunk, DirectoryHeader, DirectoryItem, DirectoryUpdate
from xirtam_core.protocol.update_history import BadHistory, NameState, apply
from xirtam_server.directory.tree import Tree

SCHEMA: Final = """
CREATE TABLE header (
    height INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE TABLE history (
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    height INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (name, position)
) WITHOUT ROWID;
CREATE INDEX history_by_height ON history (height);
CREATE TABLE name (
    name TEXT PRIMARY KEY,
    updates INTEGER NOT NULL,
    size INTEGER NOT NULL,
    last_hash BLOB NOT NULL,
    owners BLOB NOT NULL
) WITHOUT ROWID;
"""

MOST_HEADERS: Final = 1000
"""In one answer: exactly as many as the reference client asks for at once (spec: directory.md, RPC)."""

_KEY_SIZE: Final = SigningPublic.size


class BadChunk(Unverified):
    """A height of another directory's log that does not hold: a link, a history, or the root that should come of it."""

    def __init__(self, height: int, reason: str) -> None:
        super().__init__(f"height {height} of the directory's log does not hold: {reason}")
        self.height = height
        self.reason = reason


class Tip(msgspec.Struct, frozen=True):
    """The newest header, and where it is."""

    height: int
    hash: Hash
    time_unix: int


class Standing(msgspec.Struct, frozen=True):
    """What a name's history comes to (`state` without its value), how many updates it has and the size of their BCS."""

    state: NameState = NameState()
    updates: int = 0
    size: int = 0

    def after(self, update: DirectoryUpdate) -> "Standing":
        """What it comes to with `update`; raises `BadHistory` where it may not follow."""
        state = apply(self.state, update)
        return Standing(state, self.updates + 1, self.size + len(bcs.encode(update)))


class Addition(msgspec.Struct, frozen=True):
    """What a height adds to a name: some updates, and what the name comes to with them."""

    standing: Standing
    updates: tuple[DirectoryUpdate, ...] = ()

    def with_update(self, update: DirectoryUpdate) -> "Addition":
        """This and one more; raises `BadHistory` where it may not follow."""
        return Addition(self.standing.after(update), (*self.updates, update))


class Log:
    """The log in the database behind `connection`; whoever calls `append` has a transaction open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tree = Tree(connection)

    def tip(self) -> Tip | None:
        """The newest header; None in an empty log."""
        row = self._connection.execute("SELECT height, hash, body FROM header ORDER BY height DESC LIMIT 1").fetchone()
        return None if row is None else Tip(row[0], Hash(row[1]), bcs.decode(DirectoryHeader, row[2]).time_unix)

    def headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        """The headers from `first` to `last` that exist, at most `MOST_HEADERS`."""
        tip = self.tip()
        if tip is None or first > tip.height:
            return ()
        last = min(last, tip.height)
        query = "SELECT body FROM header WHERE height BETWEEN ? AND ? ORDER BY height LIMIT ?"
        rows = self._connection.execute(query, (first, last, MOST_HEADERS))
        return tuple(bcs.decode(DirectoryHeader, body) for (body,) in rows)

    def find_chunk(self, height: int) -> DirectoryChunk | None:
        """What `height` added; None if there is no such height."""
        found = self.headers(height, height)
        if not found:
            return None
        updates: dict[str, list[DirectoryUpdate]] = {}
        query = "SELECT name, body FROM history WHERE height = ? ORDER BY name, position"
        for name, body in self._connection.execute(query, (height,)):
            updates.setdefault(name, []).append(bcs.decode(DirectoryUpdate, body))
        return DirectoryChunk(found[0], {name: tuple(added) for name, added in updates.items()})

    def standing(self, name: str) -> Standing:
        """What `name` has come to, as of the newest header."""
        query = "SELECT updates, size, last_hash, owners FROM name WHERE name = ?"
        row = self._connection.execute(query, (name,)).fetchone()
        if row is None:
            return Standing()
        updates, size, last_hash, owners = row
        keys = tuple(SigningPublic(owners[at : at + _KEY_SIZE]) for at in range(0, len(owners), _KEY_SIZE))
        return Standing(NameState(Hash(last_hash), keys), updates, size)

    def item(self, name: str, height: int) -> DirectoryItem:
        """The history of `name` and its proof, as of `height`, which is the newest header's."""
        history = tuple(bcs.decode(DirectoryUpdate, body) for body in self._bodies(name))
        return DirectoryItem(history, height, Base64Bytes(self._tree.prove(smt.path_of(name))))

    def append(self, added: Mapping[str, Addition], now: int) -> Tip:
        """Writes the next height, with what was added to each name. The updates have been verified."""
        tip = self.tip()
        height, previous, time_unix = (
            (tip.height + 1, tip.hash, max(tip.time_unix, now)) if tip else (0, ZERO_HASH, now)
        )
        return self._write(height, DirectoryHeader(previous, self._put(added, height), time_unix))

    def replay(self, chunk: DirectoryChunk) -> Tip:
        """Writes the next height as another directory has it, verified against what is here.

        Raises `BadChunk` where it does not hold; the caller must then undo what has been written.
        """
        tip = self.tip()
        height, previous = (0, ZERO_HASH) if tip is None else (tip.height + 1, tip.hash)
        if chunk.header.prev != previous:
            raise BadChunk(height, "its header does not name the one before it")
        try:
            added = {name: self._addition(name, updates) for name, updates in chunk.updates.items() if updates}
        except BadHistory as fault:
            raise BadChunk(height, str(fault)) from None
        if self._put(added, height) != chunk.header.smt_root:
            raise BadChunk(height, "its updates do not lead to the root in its header")
        return self._write(height, chunk.header)

    def _addition(self, name: str, updates: tuple[DirectoryUpdate, ...]) -> Addition:
        standing = self.standing(name)
        for update in updates:
            standing = standing.after(update)
        return Addition(standing, updates)

    def _put(self, added: Mapping[str, Addition], height: int) -> Hash:
        """Writes what `height` adds to names, and gives the root of the tree with it."""
        bodies = {name: [bcs.encode(update) for update in addition.updates] for name, addition in added.items()}
        leaves = {smt.path_of(name): self._leaf_of(name, added[name], new) for name, new in bodies.items()}
        self._extend(added, bodies, height)
        return Hash(self._tree.put(leaves) if leaves else self._tree.root())

    def _leaf_of(self, name: str, addition: Addition, new: list[bytes]) -> bytes:
        """The hash of the name's whole history with what is added to it, before that is written."""
        count = addition.standing.updates
        before = [] if count == len(new) else self._bodies(name)
        value = bytearray()
        write_uleb(count, value)
        return smt.leaf(bytes(value) + b"".join(before) + b"".join(new))

    def _write(self, height: int, header: DirectoryHeader) -> Tip:
        tip = Tip(height, header.hash(), header.time_unix)
        self._connection.execute("INSERT INTO header VALUES (?, ?, ?)", (height, bcs.encode(header), tip.hash))
        return tip

    def _extend(self, added: Mapping[str, Addition], bodies: Mapping[str, list[bytes]], height: int) -> None:
        """Writes the updates, and what the names come to with them."""
        updates: list[tuple[str, int, int, bytes]] = []
        names: list[tuple[str, int, int, bytes, bytes]] = []
        for name, addition in added.items():
            standing = addition.standing
            first = standing.updates - len(addition.updates)
            updates += [(name, at, height, body) for at, body in enumerate(bodies[name], first)]
            owners = b"".join(standing.state.owners)
            names.append((name, standing.updates, standing.size, standing.state.last_hash, owners))
        self._connection.executemany("INSERT INTO history VALUES (?, ?, ?, ?)", updates)
        self._connection.executemany("REPLACE INTO name VALUES (?, ?, ?, ?, ?)", names)

    def _bodies(self, name: str) -> list[bytes]:
        query = "SELECT body FROM history WHERE name = ? ORDER BY position"
        return [body for (body,) in self._connection.execute(query, (name,))]
