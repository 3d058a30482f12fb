"""Exactness: whatever the clock does, whatever hints are lost and whoever is slow, every reader sees exactly what was accepted."""

import asyncio
import contextlib
import dataclasses
import itertools
import random
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import msgspec
import pytest

from tests.builders import account
from tests.server_builders import HARBOR, QUICK, FakeDirectory, answer_challenge, blob, sign_in, text_of
from xirtam_core.codec import jsonwire
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.protocol.mailbox import MailboxAcl, MailboxEntry, ReceiveFrom, group_messages_mailbox
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_server.home.service import HomeService
from xirtam_server.home.settings import HomeSettings
from xirtam_server.storage.postgres.settings import PostgresSettings

WRITERS = READERS = 8
GROUPS = tuple(Hash(bytes([number]) * 32) for number in range(1, 4))
MAILBOXES = tuple(group_messages_mailbox(group) for group in GROUPS)
LIMIT_S = 60.0
"""How long readers may need to have seen everything, on a machine that does other things as well."""


@dataclasses.dataclass
class Homes:
    """The processes of one home server, and a token with all rights on the mailboxes."""

    services: list[HomeService]
    token: AuthToken

    def __getitem__(self, number: int) -> HomeService:
        return self.services[number % len(self.services)]


@contextlib.asynccontextmanager
async def open_homes(database: str | Path, count: int, *, tells_others: bool) -> AsyncGenerator[Homes]:
    directory, alice = FakeDirectory(), account("alice")
    directory.add(alice)
    settings = HomeSettings(HARBOR, msgspec.structs.replace(QUICK, recheck_s=0.3))
    async with contextlib.AsyncExitStack() as stack:
        services: list[HomeService] = []
        for _ in range(count):
            service = await HomeService.open(
                settings,
                database,
                directory,
                fragments=stack.enter_context(tempfile.TemporaryDirectory()),
                postgres=PostgresSettings(tells_others=tells_others),
            )
            stack.push_async_callback(service.close)
            services.append(service)
        token = await sign_in(services[0], alice)
        for group, mailbox in zip(GROUPS, MAILBOXES, strict=True):
            await services[0].register_group(token, group)
            await services[0].mailbox_acl_edit(token, mailbox, MailboxAcl(ANONYMOUS_HASH, False, True, False))
        yield Homes(services, token)


@contextlib.asynccontextmanager
async def unsteady_clock(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """The clock is set back and forward by up to an hour, many times a second."""
    real, offset = time.time_ns, [0]
    monkeypatch.setattr(time, "time_ns", lambda: real() + offset[0])

    async def turn() -> None:
        while True:
            offset[0] = random.randint(-3600, 3600) * 10**9
            await asyncio.sleep(0.02)

    task = asyncio.create_task(turn())
    try:
        yield
    finally:
        task.cancel()
        monkeypatch.setattr(time, "time_ns", real)


async def write(home: HomeService, name: int, count: int, accepted: dict[Hash, dict[int, str]]) -> None:
    for number in range(count):
        mailbox = random.choice(MAILBOXES)
        text = f"{name}-{number}"
        stamp = await home.mailbox_send(ANONYMOUS, mailbox, blob(text), 0)
        assert stamp not in accepted[mailbox], "a cursor was given out twice"
        accepted[mailbox][stamp] = text


def decoded(answer: object) -> Mapping[Hash, tuple[MailboxEntry, ...]]:
    """The service gives its answer as JSON ready made."""
    return jsonwire.decode(Mapping[Hash, tuple[MailboxEntry, ...]], msgspec.json.encode(answer))


class Reader:
    """Follows all mailboxes through one process."""

    def __init__(self, home: HomeService, token: AuthToken) -> None:
        self._home, self._token = home, token
        self.seen: dict[Hash, list[tuple[int, str]]] = {mailbox: [] for mailbox in MAILBOXES}

    @property
    def count(self) -> int:
        return sum(map(len, self.seen.values()))

    async def read(self) -> None:
        """Takes one answer."""
        cursors = tuple(
            ReceiveFrom(self._token, mailbox, seen[-1][0] if seen else 0) for mailbox, seen in self.seen.items()
        )
        raw = await self._home.mailbox_multirecv(cursors, 20_000)
        for name, page in decoded(raw).items():
            self.seen[name] += [(entry.received_at, text_of(entry)) for entry in page]

    async def follow(self, total: int) -> None:
        while self.count < total:
            await self.read()


async def show_exactness(homes: Homes, each: int, monkeypatch: pytest.MonkeyPatch) -> None:
    total = WRITERS * each
    accepted: dict[Hash, dict[int, str]] = {mailbox: {} for mailbox in MAILBOXES}
    readers = [Reader(homes[number // 2], homes.token) for number in range(READERS)]
    is_written = asyncio.Event()

    async def stall(reader: Reader) -> None:
        """Reads once, and then nothing until all is written."""
        await reader.read()
        await is_written.wait()
        await reader.follow(total)

    async with asyncio.timeout(LIMIT_S), unsteady_clock(monkeypatch), asyncio.TaskGroup() as tasks:
        tasks.create_task(stall(readers[0]))
        for reader in readers[1:]:
            tasks.create_task(reader.follow(total))
        async with asyncio.TaskGroup() as writing:
            for number in range(WRITERS):
                writing.create_task(write(homes[number], number, each, accepted))
        is_written.set()
    for reader in readers:
        for mailbox, seen in reader.seen.items():
            assert all(one < next_one for (one, _), (next_one, _) in itertools.pairwise(seen))
            assert dict(seen) == accepted[mailbox]


@pytest.mark.parametrize("each", [40, pytest.param(2000, marks=pytest.mark.slow)])
async def test_every_reader_sees_exactly_what_was_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, each: int
) -> None:
    async with open_homes(tmp_path / "home.db", 1, tells_others=True) as homes:
        await show_exactness(homes, each, monkeypatch)


@pytest.mark.parametrize("each", [40, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("tells_others", [True, False], ids=["with hints", "hints dropped"])
async def test_every_reader_sees_exactly_what_two_processes_accepted(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, each: int, tells_others: bool
) -> None:
    async with open_homes(postgres_url, 2, tells_others=tells_others) as homes:
        await show_exactness(homes, each, monkeypatch)


async def test_what_one_process_is_told_of_an_access_list_holds_in_the_other(postgres_url: str) -> None:
    async with open_homes(postgres_url, 2, tells_others=False) as homes:
        first, second = homes.services
        mailbox = MAILBOXES[0]
        await second.mailbox_send(ANONYMOUS, mailbox, blob(), 0)
        friend = AuthToken(b"f" * 20)
        await first.mailbox_acl_edit(homes.token, mailbox, MailboxAcl(ANONYMOUS_HASH, False, False, False))
        with pytest.raises(AccessDenied):
            await second.mailbox_send(ANONYMOUS, mailbox, blob(), 0)
        with pytest.raises(AccessDenied):
            await second.mailbox_send(friend, mailbox, blob(), 0)
        await first.mailbox_acl_edit(homes.token, mailbox, MailboxAcl(token_hash(friend), False, True, True))
        await second.mailbox_send(friend, mailbox, blob(), 0)
        raw = await second.mailbox_multirecv((ReceiveFrom(friend, mailbox, 0),), 0)
        assert len(decoded(raw)[mailbox]) == 2


async def test_a_device_may_answer_another_process_than_the_one_that_asked(postgres_url: str) -> None:
    async with open_homes(postgres_url, 2, tells_others=True) as homes:
        first, second = homes.services
        alice = account("alice")
        offered = await first.device_auth_start(alice.username)
        answer = (alice.username, alice.chain, offered.challenge, answer_challenge(alice, offered.challenge))
        assert await second.device_auth_finish(*answer) == homes.token
        for service in homes.services:
            with pytest.raises(AccessDenied):
                await service.device_auth_finish(*answer)
