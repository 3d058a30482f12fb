"""A directory for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.directory_builders import open_directory
from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_server.directory.service import DirectoryService


@pytest.fixture
def secret() -> SigningSecret:
    return signing.new_secret()


@pytest.fixture
async def directory(tmp_path: Path, secret: SigningSecret) -> AsyncIterator[DirectoryService]:
    async with open_directory(tmp_path / "directory.db", secret) as service:
        yield service
