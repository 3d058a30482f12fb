"""Fixtures for the doors."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.transports.raw_clients import TIGHT
from tests.server_builders import Harbor, open_harbor


@pytest.fixture
async def tight(tmp_path: Path) -> AsyncIterator[Harbor]:
    """A server with little patience."""
    async with open_harbor(tmp_path, connection_limits=TIGHT) as opened, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(opened.connections.sweep())
        yield opened
        sweep.cancel()
