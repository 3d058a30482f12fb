"""A database that kills its process, as `kill -9` would, at the write boundary that it was told.

A boundary lies on either side of each commit, of a statement that commits by itself as of a transaction that has written: between two
of them nothing else reaches the file that counts. They are counted from the opening of the account.
"""

import os
import signal
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import DatabaseKey


class DyingDatabase(Database):
    """An account's database, which ends at boundary `dies_at`, the first being 1; `last_words` are told just before, and say where."""

    def __init__(self, dies_at: int, last_words: Callable[[str], None], path: Path, key: DatabaseKey) -> None:
        self._dies_at = dies_at
        self._last_words = last_words
        self._passed = 0
        self._written: list[str] | None = None
        super().__init__(path, key)

    def execute(self, sql: str, *parameters: Any) -> int:
        """See `Database`."""
        return self._writes(sql, lambda: super(DyingDatabase, self).execute(sql, *parameters))

    def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """See `Database`."""
        return self._writes(sql, lambda: super(DyingDatabase, self).execute_many(sql, rows))

    def insert(self, sql: str, *parameters: Any) -> int | None:
        """See `Database`."""
        return self._writes(sql, lambda: super(DyingDatabase, self).insert(sql, *parameters))

    @contextmanager
    def transaction(self) -> Generator[None]:
        """See `Database`."""
        if self._written is not None:
            yield
            return
        self._written = []
        try:
            with super().transaction():
                yield
                what = "; ".join(self._written)
                if what:
                    self._pass(f"before {what}")
            if what:
                self._pass(f"after {what}")
        finally:
            self._written = None

    def _writes(self, sql: str, do: Callable[[], Any]) -> Any:
        if sql.startswith(("SELECT", "PRAGMA")):
            return do()
        if self._written is not None:
            self._written.append(sql)
            return do()
        self._pass(f"before {sql}")
        done = do()
        self._pass(f"after {sql}")
        return done

    def _pass(self, where: str) -> None:
        self._passed += 1
        if self._passed == self._dies_at:
            self._last_words(where)
            os.kill(os.getpid(), signal.SIGKILL)
