"""A home server for each test that asks for one, and a client that calls it over each transport, on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server_builders import TRANSPORTS, Harbor, calling, open_harbor
from xirtam_core.rpc.home_server import HomeServer


@pytest.fixture
async def harbor(tmp_path: Path, database: str | None) -> AsyncIterator[Harbor]:
    async with open_harbor(tmp_path, database=database) as opened:
        yield opened


@pytest.fixture(params=TRANSPORTS)
def url(request: pytest.FixtureRequest, harbor: Harbor) -> str:
    return harbor.urls[request.param]


@pytest.fixture
async def home(url: str) -> AsyncIterator[HomeServer]:
    async with calling(url) as stub:
        yield stub
