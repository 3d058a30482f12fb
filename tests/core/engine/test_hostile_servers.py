"""Home servers that lie, refuse and make things up: nothing passes for what it is not, and nothing is lost that they let through."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.home_server import SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from xirtam_core.chat import SendState
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.crypto import dh
from xirtam_core.names import Username
from xirtam_core.protocol.blob import DIRECT_MESSAGE, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.direct_message import unseal
from xirtam_core.protocol.mailbox import MailboxEntry, ReceiveFrom
from xirtam_core.protocol.medium_key import SignedMediumKey, sign_medium_key

MALLORY = builders.account("mallory")
Pages = Mapping[Hash, tuple[MailboxEntry, ...]]


class Lying(SimHomeServer):
    """Does whatever a test says to the pages that it gives out, and to what it says about devices."""

    withholds = False
    reverses = False
    replays = False
    floods = False

    def _find(self, mailboxes: tuple[ReceiveFrom, ...]) -> dict[Hash, tuple[MailboxEntry, ...]]:
        if self.withholds:
            return {}
        pages = super()._find(mailboxes)
        if self.reverses:
            pages = {mailbox: page[::-1] for mailbox, page in pages.items()}
        return pages

    async def mailbox_multirecv(self, mailboxes: tuple[ReceiveFrom, ...], timeout_ms: int) -> Pages:
        if not self.floods and not self.replays:
            return await super().mailbox_multirecv(mailboxes, timeout_ms)
        await asyncio.sleep(0.2)
        asked = mailboxes[0]
        old = [entry.message for entry in self.mailboxes[asked.mailbox].entries] if self.replays else []
        blobs = old or [Blob(DIRECT_MESSAGE, Base64Bytes(b"noise"))] * 20
        first = asked.after + 1
        page = tuple(MailboxEntry(blob, at, None) for at, blob in enumerate(blobs, first))
        return {asked.mailbox: page}


async def _liar(pair: Pair) -> Lying:
    assert isinstance(pair.beach, Lying)
    return pair.beach


@simulated
async def test_what_a_server_withheld_comes_when_it_gives_it_out(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=Lying) as pair:
        server = await _liar(pair)
        await pair.alice.write(pair.bobby, "one")
        await pair.bobby.gets(pair.alice, "one")
        server.withholds = True
        for text in ("two", "three"):
            await pair.alice.has_sent(await pair.alice.write(pair.bobby, text))
        await asyncio.sleep(3000)
        server.withholds = False
        await pair.bobby.gets(pair.alice, "one", "two", "three", limit_s=600)
        assert all(message.verified for message in pair.bobby.messages(pair.alice))


@simulated
async def test_entries_out_of_order_are_all_read_and_stand_in_the_order_of_their_times(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=Lying) as pair:
        server = await _liar(pair)
        await pair.bobby.crash()
        server.reverses = True
        texts = [f"number {number}" for number in range(10)]
        for text in texts:
            await pair.alice.has_sent(await pair.alice.write(pair.bobby, text))
        pair.bobby.start()
        await pair.bobby.gets(pair.alice, *texts)


@simulated
async def test_what_a_server_replays_under_new_times_shows_once(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=Lying) as pair:
        server = await _liar(pair)
        for text in ("one", "two"):
            await pair.alice.write(pair.bobby, text)
        await pair.bobby.gets(pair.alice, "one", "two")
        server.replays = True
        await asyncio.sleep(20)
        server.replays = False
        assert pair.bobby.texts(pair.alice) == ["one", "two"]
        assert pair.bobby.engine.conversations.chats()[0].unread == 2


@simulated
async def test_endless_pages_of_noise_keep_nobody_from_writing_and_fill_no_disk(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=Lying) as pair:
        server = await _liar(pair)
        await pair.bobby.write(pair.alice, "before")
        server.floods = True
        await asyncio.sleep(10)
        await pair.bobby.write(pair.alice, "meanwhile")
        await pair.alice.gets(pair.bobby, "before", "meanwhile", limit_s=5)
        await asyncio.sleep(10)
        status = pair.bobby.engine.conversations.status()
        assert status.rejected > 500
        (kept,) = pair.bobby.database.row("SELECT count(*) FROM quarantine") or (None,)
        assert kept == 200


@pytest.mark.parametrize("received_at", [1, 2**61, 2**63 - 1])
def test_times_that_a_server_makes_up_hurt_no_message(tmp_path: Path, received_at: int) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await pair.alice.write(pair.bobby, "one")
            await pair.bobby.gets(pair.alice, "one")
            event = builders.text_event(pair.bobby.name, "when was that?")
            blob = builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys])
            pair.beach.mailbox(pair.bobby.name).add(MailboxEntry(blob, received_at, None))
            await asyncio.sleep(30)
            assert pair.bobby.texts(pair.alice, mine=False)[0 if received_at != 1 else -1] == "one"
            for sender, other in ((pair.bobby, pair.alice), (pair.alice, pair.bobby)):
                await sender.has_sent(await sender.write(other, "all well?"))
            await pair.alice.gets(pair.bobby, "all well?")

    scenario()


class Posing(SimHomeServer):
    """Says what a test makes it say about somebody's devices."""

    chains: Mapping[Hash, CertificateChain] | None = None
    keys: Mapping[Hash, SignedMediumKey] | None = None

    async def device_certs(self, username: Username) -> Mapping[Hash, CertificateChain] | None:
        return await super().device_certs(username) if self.chains is None else self.chains

    async def device_medium_pks(self, username: Username) -> Mapping[Hash, SignedMediumKey]:
        return await super().device_medium_pks(username) if self.keys is None else self.keys


BOBBY = builders.account("bobby")
LIES: dict[str, tuple[Mapping[Hash, CertificateChain] | None, Mapping[Hash, SignedMediumKey] | None]] = {
    "another user's certificates": ({MALLORY.hash: MALLORY.chain}, {MALLORY.hash: MALLORY.signed_medium_key()}),
    "another user's certificate as this device's": (
        {BOBBY.hash: MALLORY.chain},
        {BOBBY.hash: MALLORY.signed_medium_key()},
    ),
    "a key that another device signed": (None, {BOBBY.hash: MALLORY.signed_medium_key()}),
    "a key with a signature of other bytes": (
        None,
        {BOBBY.hash: msgspec.structs.replace(BOBBY.signed_medium_key(), medium_pk=MALLORY.medium_pk)},
    ),
    "no keys": (None, {}),
    "no devices": ({}, {}),
}


@pytest.mark.parametrize("lie", LIES)
def test_nothing_is_sealed_to_keys_that_a_server_makes_up(tmp_path: Path, lie: str) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path, beach=Posing) as pair:
            assert isinstance(pair.beach, Posing)
            pair.beach.chains, pair.beach.keys = LIES[lie]
            message = await pair.alice.write(pair.bobby, "for your eyes only")
            await asyncio.sleep(600)
            assert pair.alice.find(message.id).state is SendState.QUEUED
            assert "no device" in str(pair.alice.find(message.id).failure)
            assert pair.beach.mailbox(pair.bobby.name).entries == []
            pair.beach.chains = pair.beach.keys = None
            await pair.bobby.gets(pair.alice, "for your eyes only", limit_s=200)

    scenario()


@simulated
async def test_an_older_key_does_not_come_back_by_way_of_the_device_being_gone(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=Posing) as pair:
        assert isinstance(pair.beach, Posing)
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"))
        stolen = builders.dh_secret("an old one")
        old = sign_medium_key(pair.bobby.keys.secret, dh.public_of(stolen), builders.NOW_S - 100)
        await asyncio.sleep(120)
        pair.beach.keys = {}
        waits = await pair.alice.write(pair.bobby, "two")
        await asyncio.sleep(120)
        assert pair.alice.find(waits.id).state is SendState.QUEUED
        pair.beach.keys = {pair.bobby.keys.hash: old}
        await pair.bobby.gets(pair.alice, "one", "two", limit_s=300)
        entry = pair.beach.mailbox(pair.bobby.name).entries[-1]
        assert unseal(entry.message, pair.bobby.keys.medium_secrets).signed.sender == pair.alice.name


GARBAGE = [
    b"",
    b"null",
    b"{}",
    b"not JSON",
    b"[" * 100_000,
    b'{"jsonrpc":"2.0","id":"another","result":null}',
    b'{"jsonrpc":"2.0","id":ID,"result":"garbage"}',
    b'{"jsonrpc":"2.0","id":ID,"result":{"aa":1}}',
    b'{"jsonrpc":"2.0","id":ID,"error":{"code":-1,"message":"no","data":{"odd":[1]}}}',
    b'{"jsonrpc":"2.0","id":ID,"error":7}',
]


class Garbling:
    """A way to a server that answers everything with the same."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        await asyncio.sleep(0.1)
        return self._answer.replace(b"ID", f'"{call_id}"'.encode())

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("answer", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_for_an_answer_is_waited_out(tmp_path: Path, answer: bytes) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await asyncio.sleep(5)
            machine = pair.world.machine(pair.beach)
            good, machine.transport = machine.transport, Garbling(answer)  # type: ignore[assignment]
            message = await pair.alice.write(pair.bobby, "hello?")
            waits = await pair.bobby.write(pair.alice, "are you there?")  # its own copy meets the same
            await asyncio.sleep(300)
            assert pair.alice.find(message.id).state is SendState.QUEUED
            assert pair.bobby.engine.conversations.status().detail
            machine.transport = good
            await pair.bobby.gets(pair.alice, "hello?", limit_s=200)
            await until(lambda: pair.bobby.find(waits.id).received_at, "the own copy is there", 200)

    scenario()
