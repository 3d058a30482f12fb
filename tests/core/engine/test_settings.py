"""An account's settings are kept, and survive what other versions wrote."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.sim.people import two_people
from tests.sim.virtual_time import simulated
from tests.sim.world import KEY
from xirtam_core.errors import Malformed
from xirtam_core.settings import Routing, Settings, Strangers
from xirtam_core.storage import settings
from xirtam_core.storage.database import Database

CHOSEN = Settings(send_read=False, send_typing=False, routing=Routing.PROXY, strangers=Strangers.REFUSE)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "account.db", KEY)
    yield opened
    opened.close()


def test_a_new_account_has_the_settings_that_suit_it(database: Database) -> None:
    assert settings.load(database) == Settings()


def test_settings_are_as_they_were_stored(database: Database) -> None:
    settings.store(database, CHOSEN)
    assert settings.load(database) == CHOSEN


@pytest.mark.parametrize("value", ["", "{", '"perhaps"', "17", "null"])
def test_a_value_that_makes_no_sense_is_the_default_and_the_others_stay(database: Database, value: str) -> None:
    settings.store(database, CHOSEN)
    database.execute("UPDATE settings SET value = ? WHERE name = 'strangers'", value)
    assert settings.load(database) == msgspec.structs.replace(CHOSEN, strangers=Strangers.ASK)


def test_a_setting_of_a_later_version_is_passed_over_and_kept(database: Database) -> None:
    database.execute("INSERT INTO settings VALUES ('of_tomorrow', '{}')")
    settings.store(database, CHOSEN)
    assert settings.load(database) == CHOSEN
    assert database.row("SELECT value FROM settings WHERE name = 'of_tomorrow'") == ("{}",)


@simulated
async def test_settings_outlive_the_engine_that_was_told_them(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        assert pair.alice.engine.preferences.change(CHOSEN) == CHOSEN
        await pair.alice.restart()
        assert pair.alice.engine.preferences.settings() == CHOSEN


@simulated
async def test_a_value_of_another_type_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        wrong: Any = "sometimes"
        before = pair.alice.engine.preferences.settings()
        with pytest.raises(Malformed):
            pair.alice.engine.preferences.change(Settings(send_read=wrong))
        assert pair.alice.engine.preferences.settings() == before
