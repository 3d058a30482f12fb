"""The sparse Merkle tree of all names, in SQLite (spec: directory.md, Sparse Merkle tree).

Only the places where paths part are stored, and the leaves: two rows a name. A branch keeps each child's row and the child's hash
lifted to just below the branch, past the empty levels between the two. So a path is some log2(names) rows, a proof reads no others,
and an update writes no others; both ends of an edge are stored, so nothing is computed again after a restart.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from xirtam_core.directory import smt

SCHEMA: Final = """
CREATE TABLE tree_node (
    id INTEGER PRIMARY KEY,
    depth INTEGER NOT NULL,     -- of the bit by which a branch parts; 256: a leaf
    path BLOB NOT NULL,         -- of some name below it
    left_id INTEGER,
    left_hash BLOB NOT NULL,    -- the left child's, at depth + 1; a leaf's own
    right_id INTEGER,
    right_hash BLOB NOT NULL    -- the right child's; a leaf's own lifted to the crest, or nothing
);
CREATE TABLE tree_root (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    node_id INTEGER,            -- NULL while there are no names
    hash BLOB NOT NULL
);
INSERT INTO tree_root VALUES (0, NULL, zeroblob(32));
"""


_CREST: Final = 48
"""A depth below nearly all branches of a tree of millions. A leaf's hash there is kept, so that it is lifted from the bottom but once,
and not again whenever a newcomer parts from it higher up: most of the work of adding a name is that."""


class _Node(msgspec.Struct):
    """A branch, or a leaf, whose `hashes` are then its own hash and that at the crest, if that is known."""

    id: int
    depth: int
    path: bytes
    children: list[int | None]
    hashes: list[bytes]

    @property
    def is_leaf(self) -> bool:
        return self.depth == smt.DEPTH

    def hash(self) -> bytes:
        """Its hash at its own depth."""
        return self.hashes[0] if self.is_leaf else smt.node(*self.hashes)

    def lifted(self, to: int) -> bytes:
        """Its hash at depth `to`, at or above its own."""
        if self.is_leaf and to <= _CREST:
            if not self.hashes[1]:
                self.hashes[1] = smt.lift(self.hashes[0], self.path, depth=smt.DEPTH, to=_CREST)
            return smt.lift(self.hashes[1], self.path, depth=_CREST, to=to)
        return smt.lift(self.hash(), self.path, depth=self.depth, to=to)


class Tree:
    """The tree in the database behind `connection`; changes belong to whatever transaction is open there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def root(self) -> bytes:
        """The root hash; zero for a tree without names."""
        return self._root()[1]

    def prove(self, path: bytes) -> bytes:
        """The compressed proof of what is at `path`, or that nothing is."""
        found = _Walk(self._connection, {}, self._root()[0], path)
        siblings = {branch.depth: branch.hashes[1 - smt.bit(path, branch.depth)] for branch in found.trail}
        if (end := found.end) is not None and end.path != path:
            parting = smt.shared_bits(end.path, path)
            siblings[parting] = end.lifted(parting + 1)
        return smt.compress(siblings)

    def put(self, values: Mapping[bytes, bytes]) -> bytes:
        """Puts leaf hashes at paths, removes those whose hash is zero, and gives the new root."""
        edit = _Edit(self._connection, self._root()[0])
        for path, leaf in values.items():
            edit.put(path, leaf)
        return edit.write()

    def _root(self) -> tuple[int | None, bytes]:
        return self._connection.execute("SELECT node_id, hash FROM tree_root").fetchone()


class _Walk:
    """The way from the root along a path: `trail`, the branches on it, and `end`, the node where it stops.

    The end is the leaf at the path, or the first node whose own path parts from it above that node; None in an empty tree.
    """

    def __init__(
        self, connection: sqlite3.Connection, loaded: dict[int, _Node], root_id: int | None, path: bytes
    ) -> None:
        self.trail: list[_Node] = []
        self.end = None if root_id is None else _load(connection, loaded, root_id)
        if self.end is None:
            return
        # All names below a branch agree up to it, so the way is gone by the bits alone, and only the leaf is compared.
        while not self.end.is_leaf:
            self.trail.append(self.end)
            child = self.end.children[smt.bit(path, self.end.depth)]
            assert child is not None, "a branch has two children"
            self.end = _load(connection, loaded, child)
        parting = smt.shared_bits(self.end.path, path)
        while self.trail and self.trail[-1].depth > parting:
            self.end = self.trail.pop()


def _load(connection: sqlite3.Connection, loaded: dict[int, _Node], node_id: int) -> _Node:
    found = loaded.get(node_id)
    if found is None:
        columns = "depth, path, left_id, left_hash, right_id, right_hash"
        row = connection.execute(f"SELECT {columns} FROM tree_node WHERE id = ?", (node_id,)).fetchone()  # noqa: S608
        depth, path, left_id, left_hash, right_id, right_hash = row
        found = loaded[node_id] = _Node(node_id, depth, path, [left_id, right_id], [left_hash, right_hash])
    return found


class _Edit:
    """Changes to the tree that are written together, so that what they share is read, hashed and written once.

    While names are put, only the shape is right. Hashes follow at the end, from below: in a branch, those of children that changed.
    """

    def __init__(self, connection: sqlite3.Connection, root_id: int | None) -> None:
        self._connection = connection
        self._root_id = root_id
        self._loaded: dict[int, _Node] = {}
        self._changed: set[int] = set()
        self._removed: set[int] = set()
        self._last_id: int = connection.execute("SELECT coalesce(max(id), 0) FROM tree_node").fetchone()[0]

    def put(self, path: bytes, leaf: bytes) -> None:
        """Makes `leaf` the hash at `path`; zero removes it."""
        walk = _Walk(self._connection, self._loaded, self._root_id, path)
        end = walk.end
        if end is None or end.path != path:
            if leaf != smt.EMPTY:
                self._insert(walk.trail, end, path, leaf)
        elif leaf == smt.EMPTY:
            self._remove(walk.trail, end)
        else:
            end.hashes[:] = leaf, b""
            self._changed.add(end.id)
            self._join(walk.trail, end)

    def _insert(self, trail: list[_Node], beside: _Node | None, path: bytes, leaf: bytes) -> None:
        added = self._new(smt.DEPTH, path, [None, None], [leaf, b""])
        if beside is None:
            self._join(trail, added)
            return
        parting = smt.shared_bits(beside.path, path)
        pair = [added, beside]
        hashes = [b"", b"" if beside.id in self._changed else beside.lifted(parting + 1)]
        if smt.bit(path, parting):
            pair.reverse()
            hashes.reverse()
        self._join(trail, self._new(parting, path, [child.id for child in pair], hashes))

    def _remove(self, trail: list[_Node], leaf: _Node) -> None:
        self._removed.add(leaf.id)
        if not trail:
            self._root_id = None
            return
        *above, branch = trail
        self._removed.add(branch.id)
        other = branch.children[1 - smt.bit(leaf.path, branch.depth)]
        assert other is not None, "a branch has two children"
        moved = _load(self._connection, self._loaded, other)
        self._changed.add(moved.id)  # it has not, but its parent's hash of it has
        self._join(above, moved)

    def _join(self, trail: list[_Node], child: _Node) -> None:
        """Hangs `child` below the last branch of `trail`, all of which change with it."""
        for branch in reversed(trail):
            branch.children[smt.bit(child.path, branch.depth)] = child.id
            branch.path = child.path  # its old one may have been that of a leaf which is gone
            self._changed.add(branch.id)
            child = branch
        self._root_id = child.id

    def _new(self, depth: int, path: bytes, children: list[int | None], hashes: list[bytes]) -> _Node:
        self._last_id += 1
        added = self._loaded[self._last_id] = _Node(self._last_id, depth, path, children, hashes)
        self._changed.add(added.id)
        return added

    def write(self) -> bytes:
        """Hashes and writes what changed; gives the new root."""
        changed = [self._loaded[node_id] for node_id in self._changed - self._removed]
        for branch in sorted(changed, key=lambda node: -node.depth):
            for side, child in enumerate(branch.children):
                if child is not None and child in self._changed:
                    branch.hashes[side] = self._loaded[child].lifted(branch.depth + 1)
        root = smt.EMPTY if self._root_id is None else _load(self._connection, self._loaded, self._root_id).lifted(0)
        self._connection.executemany("DELETE FROM tree_node WHERE id = ?", [(node_id,) for node_id in self._removed])
        self._connection.executemany("REPLACE INTO tree_node VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows())
        self._connection.execute("UPDATE tree_root SET node_id = ?, hash = ?", (self._root_id, root))
        return root

    def _rows(self) -> Iterable[tuple[int, int, bytes, int | None, bytes, int | None, bytes]]:
        for node_id in sorted(self._changed - self._removed):
            found = self._loaded[node_id]
            yield (
                node_id, found.depth, found.path, found.children[0], found.hashes[0], found.children[1], found.hashes[1]
            )  # fmt: skip
