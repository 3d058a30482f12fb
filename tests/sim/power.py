"""Power that goes at a moment of the storage's: just before a commit, or just after it.

`FailingDatabase` counts what it commits, and ends everything at the one it was told. What it raises is no `Exception`, so that nothing
that is tested can swallow it or go on after it.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import DatabaseKey


class PowerLost(BaseException):
    """The machine is off."""


class Fuse:
    """When the power goes: at the commit after `commits` more, on this side of it or on the other."""

    def __init__(self) -> None:
        self.commits: int | None = None
        self.is_after = False
        self.has_burnt = False

    def burns_now(self) -> bool:
        """Counts one commit; gives whether it is the one."""
        if self.commits is None:
            return False
        self.commits -= 1
        if self.commits >= 0:
            return False
        self.commits, self.has_burnt = None, True
        return True


class FailingDatabase(Database):
    """An account's database on a machine that may lose power at any commit."""

    def __init__(self, path: Path, key: DatabaseKey, fuse: Fuse) -> None:
        self._fuse = fuse
        self._is_inside = False
        super().__init__(path, key)

    def execute(self, sql: str, *parameters: Any) -> int:
        """See `Database`."""
        return self._commits(sql, lambda: super(FailingDatabase, self).execute(sql, *parameters))

    def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """See `Database`."""
        return self._commits(sql, lambda: super(FailingDatabase, self).execute_many(sql, rows))

    def insert(self, sql: str, *parameters: Any) -> int | None:
        """See `Database`."""
        return self._commits(sql, lambda: super(FailingDatabase, self).insert(sql, *parameters))

    @contextmanager
    def transaction(self) -> Generator[None]:
        """See `Database`."""
        if self._is_inside:
            yield
            return
        self._is_inside = True
        burns = False
        try:
            with super().transaction():
                yield
                burns = self._fuse.burns_now()
                if burns and not self._fuse.is_after:
                    raise PowerLost
            if burns:
                raise PowerLost
        finally:
            self._is_inside = False
            if burns:
                self.close()

    def _commits(self, sql: str, do: Callable[[], Any]) -> Any:
        """Does what commits by itself, unless it is part of a transaction."""
        if self._is_inside or sql.startswith(("SELECT", "PRAGMA")) or not self._fuse.burns_now():
            return do()
        if self._fuse.is_after:
            do()
        return self._go_dark()

    def _go_dark(self) -> None:
        self.close()
        raise PowerLost
