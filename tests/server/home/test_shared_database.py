"""A home server whose database is PostgreSQL, when that goes away for a while."""

import asyncio
import contextlib
from pathlib import Path

from tests.postgres_server import PostgresServer
from tests.server_builders import LIMIT_S, calling, fetch, open_harbor, post, text_of, until
from xirtam_core.rpc.home_server import ServerBusy


async def test_polls_stay_parked_while_the_database_restarts_and_get_what_comes_then(
    tmp_path: Path, postgres: PostgresServer, postgres_url: str
) -> None:
    async with (
        open_harbor(tmp_path, database=postgres_url) as harbor,
        calling(harbor.urls["tcp"]) as home,
        calling(harbor.urls["http"]) as sender,
    ):
        alice, token = await harbor.new_account("alice", home)
        poll = asyncio.create_task(fetch(home, token, alice.username, timeout_ms=30_000))
        await until(lambda: harbor.service.parked == 1)
        await asyncio.to_thread(postgres.restart)
        assert harbor.service.parked == 1

        async def is_sent() -> bool:
            with contextlib.suppress(ServerBusy):
                return await post(sender, alice.username, "after the restart") > 0
            return False

        await until(is_sent)
        async with asyncio.timeout(LIMIT_S):
            assert [text_of(entry) for entry in await poll] == ["after the restart"]
