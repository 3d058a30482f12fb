"""Secrets whose public keys lie at servers that are not the home (`xirtam_core.storage.left_keys`)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.names import ServerName
from xirtam_core.storage import journal, left_keys, medium_keys
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place
from xirtam_core.storage.keys import DatabaseKey
from xirtam_core.storage.medium_keys import GRACE_S, MediumSecret

HARBOR, BEACH = (Place(ServerName(name), Hash(bytes(32))) for name in ("~harbor", "~beach"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "account.db", DatabaseKey(bytes(32)))
    yield opened
    opened.close()


def _published(database: Database, at_s: int) -> MediumSecret:
    key = medium_keys.add(database, at_s)
    medium_keys.mark_published(database, key, at_s)
    return key


def _held_after_reading_all(database: Database, at_s: int) -> set[int]:
    """The secrets that are kept once all mailboxes have been read to their end at a time."""
    for place in (HARBOR, BEACH):
        journal.mark_drained(database, place, at_s)
    left_keys.forget_unread(database)
    medium_keys.destroy_spent(database, at_s)
    return {row[0] for row in database.rows("SELECT id FROM medium_keys")}


def test_a_key_that_lies_at_a_server_that_was_left_is_kept_until_another_has_taken_its_place(
    database: Database,
) -> None:
    journal.follow(database, HARBOR)
    old = _published(database, 1000)
    left_keys.put(database, HARBOR, old, 2000)
    journal.leave(database, HARBOR, AuthToken(bytes(20)), 2000)
    journal.follow(database, BEACH)
    new = _published(database, 2000)
    assert _held_after_reading_all(database, 2000 + 10 * GRACE_S) == {old.id, new.id}

    back_s = 2000 + 10 * GRACE_S
    left_keys.replace(database, HARBOR, back_s)  # the account is back, and publishes the new one there too
    journal.follow(database, HARBOR)
    assert _held_after_reading_all(database, back_s + GRACE_S - 1) == {old.id, new.id}
    assert _held_after_reading_all(database, back_s + GRACE_S) == {new.id}


def test_a_key_at_a_server_that_the_account_is_about_to_move_to_outlives_its_successors_at_home(
    database: Database,
) -> None:
    journal.follow(database, HARBOR)
    prepared = _published(database, 1000)
    journal.prepare(database, BEACH, AuthToken(bytes(20)))
    left_keys.put(database, BEACH, prepared, 1000)
    newest = _published(database, 5000)
    assert _held_after_reading_all(database, 5000 + 2 * GRACE_S) == {prepared.id, newest.id}

    journal.unprepare(database, BEACH)  # it was undone
    assert _held_after_reading_all(database, 5000 + 2 * GRACE_S) == {newest.id}
