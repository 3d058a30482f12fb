"""What a transaction promises, also when the disk breaks it."""

from pathlib import Path
from typing import Any

import pytest
from sqlcipher3 import dbapi2

from xirtam_core.storage import counters
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import DatabaseKey


class FailingCommit:
    """A connection whose next commit fails, as on a full disk."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._is_failing = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql == "COMMIT" and self._is_failing:
            self._is_failing = False
            raise dbapi2.OperationalError("database or disk is full")
        return self._connection.execute(sql, *parameters)


def test_after_a_commit_that_failed_the_next_one_is_on_the_disk(tmp_path: Path) -> None:
    path, key = tmp_path / "account.db", DatabaseKey(bytes(32))
    database = Database(path, key)
    database._connection = FailingCommit(database._connection)  # type: ignore[reportPrivateUsage]
    with pytest.raises(dbapi2.OperationalError), database.transaction():
        counters.set_to(database, "lost", 1)
    with database.transaction():
        counters.set_to(database, "kept", 1)
    database.close()
    reopened = Database(path, key)
    assert (counters.get(reopened, "lost"), counters.get(reopened, "kept")) == (0, 1)
    reopened.close()


def test_what_raises_inside_a_transaction_leaves_nothing_of_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "account.db", DatabaseKey(bytes(32)))
    with pytest.raises(ZeroDivisionError), database.transaction(), database.transaction():
        counters.set_to(database, "half", 1)
        raise ZeroDivisionError
    assert counters.get(database, "half") == 0
    database.close()


def test_what_shall_be_told_is_told_once_it_is_on_the_disk_and_not_where_that_failed(tmp_path: Path) -> None:
    database, told = Database(tmp_path / "account.db", DatabaseKey(bytes(32))), list[str]()
    database.when_stored(lambda: told.append("at once"))
    with database.transaction():
        with database.transaction():
            database.when_stored(lambda: told.append("with the outer one"))
        assert told == ["at once"]
    assert told == ["at once", "with the outer one"]
    with pytest.raises(ZeroDivisionError), database.transaction():
        database.when_stored(lambda: told.append("never"))
        raise ZeroDivisionError
    with database.transaction():
        counters.set_to(database, "kept", 1)
    assert told == ["at once", "with the outer one"]
    database.close()
