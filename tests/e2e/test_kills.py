"""A client that is killed at one write boundary after the other while it sends and receives: nothing is lost, nothing is doubled."""

import asyncio
import contextlib
import itertools
import signal
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.dying_talker import echo, say
from tests.e2e.processes import Json, Process, Server, ended
from xirtam_core.accounts import open_account, register
from xirtam_core.client import Client
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.settings import KeyPlace

ALICE, BOBBY = Username("@alice"), Username("@bobby")
_SETTLE_S = 600.0
_PAUSE_S = 1.0  # about a text in each life


async def _join(server: Server, place: Path, name: Username) -> Client:
    return await register(place, JoinLink.parse(server.join), name, lambda _: None, key_place=KeyPlace.FILE)


@asynccontextmanager
async def _background(work: asyncio.Task[None]) -> AsyncGenerator[None]:
    """Has `work` go on for as long as the block runs."""
    try:
        yield
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


async def _write(client: Client, written: list[str]) -> None:
    """Says letters and numbers, for good, and notes each that was accepted."""
    chat = await client.start_chat(ALICE)
    for number in itertools.count():
        await client.send_text(chat.id, f"b{number}")
        written.append(f"b{number}")
        await asyncio.sleep(_PAUSE_S)


async def _die_again_and_again(bobby: Client, place: Path, boundaries: Iterable[int]) -> tuple[list[Json], list[str]]:
    """Alice's lives, and what Bobby has written meanwhile."""
    written: list[str] = []
    arguments = (str(place), ALICE, BOBBY, *map(str, boundaries))
    process = Process("tests.e2e.dying_talker", *arguments)
    with ended(process):
        async with _background(asyncio.create_task(_write(bobby, written))):
            assert await asyncio.to_thread(process.wait, 1200.0) == 0, process.stderr
    return process.lines, written


async def _texts(client: Client, *, mine: bool) -> list[str]:
    """All that the client has of one side of its chat, in its order."""
    (chat,) = await client.chats()
    found: list[str] = []
    after = 0
    while (page := await client.history(chat.id, after=after, limit=1000)).messages:
        found += [message.text for message in page.messages if message.mine is mine]
        after = page.messages[-1].position
    return found


async def _until_at_rest(clients: list[Client], echoes: int) -> None:
    """Waits until Bobby has all echoes and nobody has anything left to send."""
    deadline = time.monotonic() + _SETTLE_S
    while True:
        bobby = clients[1]
        come = [text for text in await _texts(bobby, mine=False) if text.startswith("echo")]
        left = [await client.outstanding((await client.chats())[0].id) for client in clients]
        if len(come) >= echoes and not any(left):
            return
        assert time.monotonic() < deadline, f"{len(come)} of {echoes} echoes have come, {left} are left to be sent"
        await asyncio.sleep(0.1)


async def _check(alice: Client, bobby: Client, numbers: int, written: list[str]) -> None:
    """Each side holds exactly what was accepted, in the order in which it was."""
    said = await _texts(alice, mine=True)
    assert await _texts(bobby, mine=False) == said, "all that alice holds as said has come to bobby, in that order"
    assert [text for text in said if text.isdigit()] == [f"{number}" for number in range(numbers)]
    assert [text for text in said if not text.isdigit()] == [f"echo of {text}" for text in written]
    assert await _texts(bobby, mine=True) == written
    assert await _texts(alice, mine=False) == written, "all that bobby wrote has come to alice, in that order"
    for client in (alice, bobby):
        status = await client.status()
        assert (status.queued, status.waiting, status.rejected) == (0, 0, 0)
        assert await client.keeping.check() == []


async def _talk_while_dying(server: Server, place: Path, boundaries: Iterable[int]) -> list[Json]:
    await (await _join(server, place, ALICE)).close()
    async with await _join(server, place, BOBBY) as bobby:
        lives, written = await _die_again_and_again(bobby, place, boundaries)
        async with await open_account(place, ALICE) as alice, _background(asyncio.create_task(echo(alice))):
            last = lives[-1]["next"]  # which the last life may have said, and not have lived to tell
            await say(alice, BOBBY, last)
            await bobby.send_text((await bobby.chats())[0].id, "the end")
            held = await _texts(bobby, mine=True)
            assert [text for text in held if text in {*written, "the end"}] == [*written, "the end"]
            await _until_at_rest([alice, bobby], len(held))
            await _check(alice, bobby, last + 1, held)
    assert all(life["signal"] == signal.SIGKILL and "died" in life for life in lives), lives
    return lives


async def test_a_client_that_is_killed_at_its_writes_loses_and_doubles_nothing(server: Server, tmp_path: Path) -> None:
    lives = await _talk_while_dying(server, tmp_path / "people", range(1, 61, 5))
    assert len(lives) == 12


@pytest.mark.slow
async def test_a_client_that_is_killed_at_each_of_its_first_writes_loses_and_doubles_nothing(
    server: Server, tmp_path: Path
) -> None:
    lives = await _talk_while_dying(server, tmp_path / "people", range(1, 211))
    assert len({life["boundary"] for life in lives}) == 210
    assert len({life["died"] for life in lives}) >= 20, "they have died at many kinds of writes"
