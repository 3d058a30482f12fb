"""One statement for many rows.

Python hands the interpreter to other threads with each statement, and gets it back only when a busy one lets go. So what costs is the
number of statements: a batch takes one, made for the next larger of a few numbers of rows so that it stays prepared, and filled up
with rows of nulls, which it passes over.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LARGEST: Final = _SIZES[-1]


class BulkStatement:
    """`template` is SQL that reads rows of `width` columns from `{rows}`, and passes over those that start with a null."""

    def __init__(self, template: str, width: int) -> None:
        self._width = width
        row = f"({', '.join('?' * width)})"
        self._sql = {size: template.format(rows=f"VALUES {', '.join([row] * size)}") for size in _SIZES}

    def run(self, db: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Executes it for all `rows`."""
        for start in range(0, len(rows), LARGEST):
            chunk = rows[start : start + LARGEST]
            size = next(size for size in _SIZES if size >= len(chunk))
            values = [value for row in chunk for value in row]
            values += [None] * (self._width * (size - len(chunk)))
            db.execute(self._sql[size], values)
