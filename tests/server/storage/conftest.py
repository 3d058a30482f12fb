"""The databases that every test of the store runs on."""

from pathlib import Path

import pytest

from tests.store_builders import Place


@pytest.fixture(params=("sqlite", "postgresql"))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(tmp_path / "home.db")
    return Place(request.getfixturevalue("postgres_url"))
