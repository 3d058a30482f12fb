"""Anybody may write to a mailbox, so anything may be in it: none of it stops the engine, fills the disk or passes for a message."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from xirtam_core.codec import bcs
from xirtam_core.codec.integers import LATEST
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.crypto import signing
from xirtam_core.names import Username
from xirtam_core.protocol import device_signing, direct_message, header_encryption
from xirtam_core.protocol.blob import DIRECT_MESSAGE, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.certificate import CertificateChain, certify
from xirtam_core.protocol.device_signing import DeviceSigned
from xirtam_core.protocol.event import TEXT, Event, ToGroup, ToUser
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_core.protocol.opened import Opened

ALICE, BOBBY, MALLORY = (builders.account(name) for name in ("alice", "bobby", "mallory"))


def sealed(signed: bytes) -> Blob:
    """`signed` as it would lie in Bobby's mailbox."""
    encrypted = header_encryption.encrypt([BOBBY.medium_pk], signed)
    return Blob(DIRECT_MESSAGE, Base64Bytes(bcs.encode(encrypted)))


def signed_by(device: builders.Device, body: bytes, sender: Username | None = None) -> Blob:
    """`body` signed by `device`, in the name of `sender`."""
    return sealed(bcs.encode(device_signing.sign(sender or device.username, device.secret, device.chain, body)))


def said(event: Event, device: builders.Device = ALICE, kind: str = MESSAGE_CONTENT) -> Blob:
    return signed_by(device, bcs.encode(Blob(kind, Base64Bytes(bcs.encode(event)))))


def to_bobby(text: str = "trust me", sent_at: int = builders.NOW_NS, mime: str = TEXT) -> Event:
    return Event(ToUser(BOBBY.username), sent_at, mime, Base64Bytes(text.encode()))


def _content(event: Event) -> bytes:
    return bcs.encode(Blob(MESSAGE_CONTENT, Base64Bytes(bcs.encode(event))))


def _with_chain(chain: CertificateChain, device: builders.Device = ALICE) -> Blob:
    body = _content(to_bobby())
    return sealed(bcs.encode(device_signing.sign(ALICE.username, device.secret, chain, body)))


def _with_flipped_signature() -> Blob:
    good = device_signing.sign(ALICE.username, ALICE.secret, ALICE.chain, _content(to_bobby()))
    flipped = bytes([good.signature[0] ^ 1]) + good.signature[1:]
    return sealed(bcs.encode(DeviceSigned(good.sender, good.cert_chain, good.body, type(good.signature)(flipped))))


def _expired_chain() -> Blob:
    tablet = ALICE.issue("an old tablet", expiry=builders.NOW_S - 1)
    return _with_chain(tablet.chain, tablet)


def _chain_with_a_stranger() -> Blob:
    stranger = certify(MALLORY.secret, MALLORY.pk, LATEST, can_issue=True)
    return _with_chain(CertificateChain((stranger,), ALICE.chain.this))


def _cut(blob: Blob) -> Blob:
    return Blob(blob.kind, Base64Bytes(blob.inner[:-1]))


HOSTILE: dict[str, Callable[[], Blob]] = {
    "nothing at all": lambda: Blob(DIRECT_MESSAGE, Base64Bytes(b"")),
    "noise": lambda: Blob(DIRECT_MESSAGE, Base64Bytes(builders.seeded("noise", 500))),
    "a cut encryption": lambda: _cut(said(to_bobby())),
    "sealed to another key": lambda: builders.sealed_message(ALICE, to_bobby(), [MALLORY]),
    "noise in the encryption": lambda: sealed(builders.seeded("noise", 300)),
    "nothing in the encryption": lambda: sealed(b""),
    "noise in the signature": lambda: signed_by(ALICE, builders.seeded("noise", 100)),
    "noise in the content": lambda: signed_by(ALICE, bcs.encode(Blob(MESSAGE_CONTENT, Base64Bytes(b"\xff" * 40)))),
    "a forged sender": lambda: signed_by(MALLORY, _content(to_bobby()), ALICE.username),
    "a forged sender who is oneself": lambda: signed_by(MALLORY, _content(to_bobby()), BOBBY.username),
    "a sender who does not exist": lambda: signed_by(MALLORY, _content(to_bobby()), Username("@nobody")),
    "somebody else's chain": lambda: _with_chain(ALICE.chain, MALLORY),
    "an expired chain": _expired_chain,
    "a chain with a certificate of a stranger": _chain_with_a_stranger,
    "a changed signature": _with_flipped_signature,
    "a message for somebody else": lambda: said(builders.text_event(MALLORY.username, "not for you")),
    "a message for a group": lambda: said(Event(ToGroup(Hash(bytes(32))), builders.NOW_NS, TEXT, Base64Bytes(b"hi"))),
    "a time that cannot be": lambda: said(to_bobby(sent_at=2**64 - 1)),
    "an endless type": lambda: said(to_bobby(mime="x" * 257)),
}


async def _is_over(pair: Pair) -> None:
    """Waits until a message that comes last is understood, so everything before it has been looked at."""
    await pair.alice.write(pair.bobby, "are you all right?")
    await until(lambda: "are you all right?" in pair.bobby.texts(pair.alice), "what came behind it is understood", 300)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_entry_is_rejected_with_a_reason_and_does_no_harm(tmp_path: Path, what: str) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            pair.world.device("mallory", pair.beach)
            await pair.world.post(pair.bobby, HOSTILE[what]())
            await _is_over(pair)
            await until(lambda: pair.bobby.engine.conversations.status().rejected, "it is given up", 3600)
            assert pair.bobby.texts(pair.alice) == ["are you all right?"]
            assert [chat.peer for chat in pair.bobby.engine.conversations.chats()] == [pair.alice.name]
            status = pair.bobby.engine.conversations.status()
            assert (status.rejected, status.waiting) == (1, 0)
            ((reason,),) = pair.bobby.database.rows("SELECT reason FROM quarantine")
            assert reason

    scenario()


@simulated
async def test_an_entry_that_meets_a_fault_of_ours_is_put_aside_and_those_behind_it_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    honest = direct_message.open_signed

    def faulty(signed: DeviceSigned, reader: Username) -> Opened:
        opened = honest(signed, reader)
        if opened.event.body == b"trust me":
            raise RecursionError("trust me")
        return opened

    monkeypatch.setattr(direct_message, "open_signed", faulty)
    async with two_people(tmp_path) as pair:
        await pair.world.post(pair.bobby, said(to_bobby()))
        await _is_over(pair)
        assert pair.bobby.engine.conversations.status().rejected == 1
        assert "RecursionError" in caplog.text
        assert "trust me" not in caplog.text


@simulated
async def test_whatever_decodes_is_shown_as_what_it_is(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for mime, body in (
            ("application/x-made-up", b"\x00\x01"),
            ("", b""),
            (TEXT, b"\xff\xfe broken"),
            (TEXT, b"\x1b[2J\x00"),
            ("text/markdown", b"*hi*"),
        ):
            event = Event(ToUser(BOBBY.username), builders.NOW_NS + len(body), mime, Base64Bytes(body))
            await pair.world.post(pair.bobby, said(event))
        await _is_over(pair)
        found = [(each.kind, each.text) for each in pair.bobby.messages(pair.alice)]
        assert found == [
            ("unsupported", ""),
            ("unsupported", ""),
            ("text", "\ufffd\ufffd broken"),
            ("text", "\x1b[2J\x00"),
            ("markdown", "*hi*"),
            ("text", "are you all right?"),
        ]


@simulated
async def test_the_quarantine_keeps_the_latest_few_however_many_come(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for number in range(450):
            noise = Base64Bytes(builders.seeded(f"noise {number}", 60))
            await pair.world.post(pair.bobby, Blob(DIRECT_MESSAGE, noise))
        await pair.world.post(pair.bobby, Blob(DIRECT_MESSAGE, Base64Bytes(bytes(500_000))))
        await _is_over(pair)
        assert pair.bobby.engine.conversations.status().rejected == 451
        ((count, longest),) = pair.bobby.database.rows("SELECT count(*), max(length(inner)) FROM quarantine")
        assert count == 200
        assert longest <= 65_536


@simulated
async def test_a_server_that_makes_up_times_does_not_stop_the_engine(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        blob = said(to_bobby("from the far future"))
        for received_at in (LATEST, LATEST - 1, 2**64 - 1, 2**62 + 1):
            pair.beach.mailbox(BOBBY.username).add(MailboxEntry(blob, received_at, None))
        await asyncio.sleep(600)
        assert pair.bobby.is_running
        calls = pair.world.machine(pair.beach).calls.count("v1_mailbox_multirecv")
        assert calls < 700, "a server that repeats itself is not asked in a tight loop"
        pair.beach.mailbox(BOBBY.username).entries.clear()
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")


@simulated
async def test_entries_that_never_end_to_come_from_a_stranger_delay_a_friend_only_a_little(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        pair.world.directory.is_down = True
        for number in range(300):
            nobody = signed_by(MALLORY, _content(to_bobby()), Username(f"@stranger{number}"))
            await pair.world.post(pair.bobby, nobody)
        began = asyncio.get_running_loop().time()
        await pair.alice.write(pair.bobby, "still here?")
        await until(lambda: "still here?" in pair.bobby.texts(pair.alice), "the friend is heard", 60)
        assert asyncio.get_running_loop().time() - began < 15


_blobs = st.builds(
    Blob, st.sampled_from([DIRECT_MESSAGE, "v1.group_message", ""]), st.binary(max_size=300).map(Base64Bytes)
)
_signed = st.binary(max_size=200).map(lambda body: signed_by(ALICE, body))
_broken = st.tuples(st.integers(0, 10_000), st.integers(1, 255)).map(lambda at: _damaged(said(to_bobby()), *at))


def _damaged(blob: Blob, at: int, by: int) -> Blob:
    inner = bytearray(blob.inner)
    inner[at % len(inner)] ^= by
    return Blob(blob.kind, Base64Bytes(inner))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(_blobs, _signed, _broken), max_size=30))
def test_no_bytes_stop_the_engine(tmp_path: Path, blobs: list[Blob]) -> None:
    place = tmp_path / secrets.token_hex(8)
    place.mkdir()

    @simulated
    async def scenario() -> None:
        async with two_people(place) as pair:
            for blob in blobs:
                await pair.world.post(pair.bobby, blob)
            await _is_over(pair)
            assert pair.bobby.texts(pair.alice)[-1] == "are you all right?"
            assert {chat.peer for chat in pair.bobby.engine.conversations.chats()} == {pair.alice.name}

    scenario()


def test_a_device_whose_chain_proves_it_may_write_whatever_its_place_in_the_chain(tmp_path: Path) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            watch = ALICE.issue("tablet").issue("watch", can_issue=False)
            assert signing.public_of(watch.secret) == watch.pk
            await pair.world.post(pair.bobby, said(to_bobby("from my wrist"), watch))
            await pair.bobby.gets(pair.alice, "from my wrist")

    scenario()
