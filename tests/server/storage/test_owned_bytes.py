"""How much a user's groups may hold together, counted by one process of several."""

import asyncio

import pytest

from xirtam_server.storage.interface import AccessChanged, MailboxFull, StoreBusy, StoreUnreachable
from xirtam_server.storage.postgres.owned import OwnedBytes


class Asked:
    """The database's answer, which may be held back, and how often it was asked for."""

    def __init__(self, held: int = 0) -> None:
        self.held, self.times = held, 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def __call__(self, _: str) -> int:
        self.times += 1
        await self.answers.wait()
        return self.held


async def write(owned: OwnedBytes, size: int, fault: Exception | None = None) -> None:
    async with owned.charged("@alice", size):
        if fault is not None:
            raise fault


async def test_all_who_come_at_once_share_one_question_and_are_all_charged() -> None:
    asked = Asked(held=50)
    asked.answers.clear()
    owned = OwnedBytes(100, asked)
    writes = [asyncio.create_task(write(owned, 10)) for _ in range(8)]
    await asyncio.sleep(0)
    asked.answers.set()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None)] * 5 + [MailboxFull] * 3
    assert asked.times == 1


@pytest.mark.parametrize("fault", [AccessChanged(), MailboxFull(), StoreBusy()])
async def test_what_was_not_written_is_not_charged(fault: Exception) -> None:
    owned = OwnedBytes(100, Asked())
    for _ in range(5):
        with pytest.raises(type(fault)):
            await write(owned, 60, fault)
    await write(owned, 100)


async def test_what_may_have_been_written_stays_charged() -> None:
    owned = OwnedBytes(100, Asked())
    with pytest.raises(StoreUnreachable):
        await write(owned, 60, StoreUnreachable())
    with pytest.raises(MailboxFull):
        await write(owned, 41)
    await write(owned, 40)


async def test_after_a_question_that_failed_another_is_asked() -> None:
    async def ask(_: str) -> int:
        answer = answers.pop()
        if isinstance(answer, Exception):
            raise answer
        return answer

    answers: list[int | Exception] = [90, StoreUnreachable()]
    owned = OwnedBytes(100, ask)
    with pytest.raises(StoreUnreachable):
        await write(owned, 1)
    with pytest.raises(MailboxFull):
        await write(owned, 11)
    await write(owned, 10)
