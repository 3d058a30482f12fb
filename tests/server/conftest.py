"""What tests of the server share: a PostgreSQL server, started when the first of them asks for it."""

from collections.abc import Generator

import pytest

from tests import postgres_server
from tests.postgres_server import PostgresServer
from tests.server_builders import DATABASES


@pytest.fixture(scope="session")
def postgres() -> Generator[PostgresServer]:
    with postgres_server.running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Generator[str]:
    """An empty database."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str | None:
    """Where the home server keeps its data; None: in a file of SQLite."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
