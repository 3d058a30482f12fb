"""Peers who forge, repeat, reflect and overdo it: nothing of it shows as genuine, and what an honest peer says next is read."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import builders
from tests.core.engine.said_about import only, post_control, target_of
from tests.sim.people import Pair, nothing_but_messages, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Message
from xirtam_core.codec import bcs
from xirtam_core.codec.integers import NEVER
from xirtam_core.codec.primitives import AeadKey, Base64Bytes, DhPublic, Hash, KeyHint
from xirtam_core.crypto import aead, dh, signing
from xirtam_core.crypto.stream import apply_stream
from xirtam_core.engine.contact_book import ContactEvent
from xirtam_core.engine.reading import ReadEvent
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol import device_signing, header_encryption
from xirtam_core.protocol.account_events import Moved
from xirtam_core.protocol.blob import CONTROL, DIRECT_MESSAGE, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.certificate import CertificateChain, certify
from xirtam_core.protocol.control import (
    DELETE,
    DEVICE,
    EDIT,
    HELLO,
    REACTION,
    RECEIPT,
    REPLY,
    TYPING,
    Body,
    Edit,
    ReactionBody,
    Receipt,
    Withdrawal,
)
from xirtam_core.protocol.device_events import DeviceNamed, DeviceRevoked
from xirtam_core.protocol.event import TEXT, Event, ToGroup, ToUser
from xirtam_core.protocol.header_encryption import Header
from xirtam_core.settings import Settings
from xirtam_core.storage import settings

ALICE, BOBBY, MALLORY = (builders.account(name) for name in ("alice", "bobby", "mallory"))
_MIB = 1024 * 1024


def _event(to: Username, body: bytes = b"trust me", mime: str = TEXT, sent_at: int = builders.NOW_NS) -> Event:
    return Event(ToUser(to), sent_at, mime, Base64Bytes(body))


def _signed(
    sender: Username, device: builders.Device, chain: CertificateChain, event: Event, kind: str = MESSAGE_CONTENT
) -> bytes:
    content = bcs.encode(Blob(kind, Base64Bytes(bcs.encode(event))))
    return bcs.encode(device_signing.sign(sender, device.secret, chain, content))


def _sealed(signed: bytes) -> Blob:
    encrypted = header_encryption.encrypt([BOBBY.medium_pk], signed)
    return Blob(DIRECT_MESSAGE, Base64Bytes(bcs.encode(encrypted)))


def _forged(sender: builders.Device, chain: CertificateChain, to: Username, kind: str = MESSAGE_CONTENT) -> Blob:
    """What Mallory signs in the name of `sender`."""
    return _sealed(_signed(sender.username, MALLORY, chain, _event(to), kind))


def _below(issuer: builders.Device) -> Blob:
    """What a device says whose certificate is from `issuer`."""
    device = issuer.issue("below")
    return _sealed(_signed(ALICE.username, device, device.chain, _event(BOBBY.username)))


def _grafted(owner: builders.Device) -> CertificateChain:
    """The chain of `owner`, with a device at its end that it has not certified."""
    return CertificateChain((owner.chain.this,), MALLORY.chain.this)


def _crowded() -> CertificateChain:
    """As many certificates as a chain may have, all of them of strangers."""
    secrets = [builders.signing_secret(f"stranger {number}") for number in range(62)]
    issued = [certify(secret, signing.public_of(secret), NEVER, can_issue=True) for secret in secrets]
    return CertificateChain((ALICE.chain.this, *issued), MALLORY.chain.this)


def _to_group(kind: str) -> Blob:
    event = Event(ToGroup(Hash(bytes(32))), builders.NOW_NS, TEXT, Base64Bytes(b"trust me"))
    return _sealed(_signed(ALICE.username, ALICE, ALICE.chain, event, kind))


def _raw(headers: list[Header], epk: DhPublic, key: bytes, plaintext: bytes) -> Blob:
    """A header encryption as it comes to be where nobody minds the bounds."""
    associated = bcs.encode((epk, tuple(headers)), tuple[DhPublic, tuple[Header, ...]])
    body = aead.seal(AeadKey(key), aead.ZERO_NONCE, plaintext, associated)
    return Blob(DIRECT_MESSAGE, Base64Bytes(associated + bcs.encode(Base64Bytes(body))))


def _crowd(before: int, after: int = 0, hint: KeyHint | None = None) -> Blob:
    """A genuine message to Bobby among headers for others, who have the hint of his key, or another one."""
    key, ephemeral = aead.new_key(), dh.new_secret()
    wrapped = apply_stream(dh.shared_key(ephemeral, BOBBY.medium_pk), aead.ZERO_NONCE, key)
    other = Header(hint or KeyHint(b"\x00\x00"), Base64Bytes(bytes(32)))
    mine = Header(_HINT, Base64Bytes(wrapped))
    signed = _signed(ALICE.username, ALICE, ALICE.chain, _event(BOBBY.username, b"in a crowd"))
    return _raw([other] * before + [mine] + [other] * after, dh.public_of(ephemeral), key, signed)


_HINT = header_encryption.hint_of(BOBBY.medium_pk)

NOT_GENUINE: dict[str, Callable[[], Blob]] = {
    "an own copy, by a stranger with one's own chain": lambda: _forged(BOBBY, BOBBY.chain, ALICE.username),
    "an own copy, by a stranger with their own chain": lambda: _forged(BOBBY, MALLORY.chain, ALICE.username),
    "an own copy, by a device grafted on one's own chain": lambda: _forged(BOBBY, _grafted(BOBBY), ALICE.username),
    "a note to oneself, by a stranger with one's own chain": lambda: _forged(BOBBY, BOBBY.chain, BOBBY.username),
    "a note to oneself, by a stranger with their own chain": lambda: _forged(BOBBY, MALLORY.chain, BOBBY.username),
    "the word of a device grafted on the sender's chain": lambda: _forged(ALICE, _grafted(ALICE), BOBBY.username),
    "a chain full of strangers": lambda: _forged(ALICE, _crowded(), BOBBY.username),
    "a device certified by one that may not": lambda: _below(ALICE.issue("watch", can_issue=False)),
    "a device certified by one that has expired": lambda: _below(ALICE.issue("old", expiry=builders.NOW_S - 1)),
    "a message for a group": lambda: _to_group(MESSAGE_CONTENT),
    "a control event for a group": lambda: _to_group(CONTROL),
    "a device signature of a group message": lambda: Blob("v1.group_message", _to_group(MESSAGE_CONTENT).inner),
    "a text that comes as a control event": lambda: _sealed(
        _signed(ALICE.username, ALICE, ALICE.chain, _event(BOBBY.username), CONTROL)
    ),
    "ten thousand receivers": lambda: _crowd(10_000),
    "eight thousand receivers with one's own hint": lambda: _crowd(8_000, hint=_HINT),
    "nobody but strangers with one's own hint": lambda: _raw(
        [Header(_HINT, Base64Bytes(bytes(32)))] * 8_000, MALLORY.medium_pk, bytes(32), b""
    ),
    "a thousand headers of a length that cannot be": lambda: _raw(
        [Header(_HINT, Base64Bytes(b""))] * 1_000, MALLORY.medium_pk, bytes(32), b""
    ),
    "a mebibyte of nothing": lambda: Blob(DIRECT_MESSAGE, Base64Bytes(bytes(_MIB))),
    "a mebibyte that is no signature": lambda: _sealed(bytes(_MIB)),
    "a reply of a mebibyte": lambda: _sealed(
        _signed(ALICE.username, ALICE, ALICE.chain, _event(BOBBY.username, b"[" * _MIB, REPLY))
    ),
}


async def _hears_a_friend(pair: Pair) -> None:
    """The honest word that comes last is read, and soon."""
    before = pair.bobby.texts(pair.alice)
    await pair.alice.write(pair.bobby, "all well?")
    await until(lambda: pair.bobby.texts(pair.alice) == [*before, "all well?"], "what came behind it is read", 300)
    await asyncio.sleep(3600)  # nor does what is looked at again show later
    assert pair.bobby.texts(pair.alice) == [*before, "all well?"]


@pytest.mark.parametrize("what", NOT_GENUINE)
def test_what_is_not_genuine_shows_nowhere(tmp_path: Path, what: str) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            pair.world.device("mallory", pair.beach)
            await pair.world.post(pair.bobby, NOT_GENUINE[what]())
            await _hears_a_friend(pair)
            assert [chat.peer for chat in pair.bobby.engine.conversations.chats()] == [pair.alice.name]
            assert not any(message.mine for message in pair.bobby.messages(pair.alice))
            assert pair.bobby.engine.conversations.status().waiting == 0

    scenario()


@pytest.mark.parametrize(
    ("before", "after", "hint"), [(15, 1000, _HINT), (8_000, 0, None)], ids=["same hints", "other hints"]
)
def test_a_genuine_message_is_found_among_many_headers(tmp_path: Path, before: int, after: int, hint: KeyHint) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await pair.world.post(pair.bobby, _crowd(before, after, hint))
            await pair.bobby.gets(pair.alice, "in a crowd", limit_s=60)
            await _hears_a_friend(pair)

    scenario()


@simulated
async def test_a_strangers_mebibytes_are_refused_and_a_friend_is_heard(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.device("mallory", pair.beach)
        settings.store(pair.bobby.database, Settings())
        await pair.bobby.write(pair.alice, "hello")
        for number, mime in enumerate((TEXT, "text/markdown", "image/png")):
            event = _event(BOBBY.username, b"x" * _MIB, mime, builders.NOW_NS + number)
            await pair.world.post(pair.bobby, builders.sealed_message(MALLORY, event, [BOBBY]))
        await _hears_a_friend(pair)
        assert [chat.peer for chat in pair.bobby.engine.conversations.chats()] == [pair.alice.name]
        assert pair.bobby.engine.conversations.status().rejected == 3


# Replayed and reflected


def _last_entry(pair: Pair, device: SimDevice) -> Blob:
    return pair.world.home_of(device).mailbox(device.name).entries[-1].message


async def _hello(pair: Pair) -> Message:
    nothing_but_messages(pair)
    message = await pair.alice.write(pair.bobby, "hello")
    await pair.bobby.gets(pair.alice, "hello")
    await pair.alice.has_sent(message)
    return message


@simulated
async def test_a_replayed_message_does_not_come_back_once_it_was_edited_or_withdrawn(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await _hello(pair)
        replayed = _last_entry(pair, pair.bobby)
        pair.alice.engine.conversations.edit(pair.bobby.name, message.id, "hello there")
        await pair.bobby.gets(pair.alice, "hello there")
        await pair.world.post(pair.bobby, replayed)
        await _hears_a_friend(pair)
        pair.alice.engine.conversations.withdraw(pair.bobby.name, message.id)
        await pair.bobby.gets(pair.alice, "", "all well?")
        await pair.world.post(pair.bobby, replayed)
        await asyncio.sleep(60)
        found = only(pair.bobby, pair.alice, message.id)
        assert (found.text, found.is_withdrawn) == ("", True)
        assert pair.bobby.database.rows("SELECT body FROM messages WHERE is_withdrawn") == [(b"",)]


@simulated
async def test_replayed_control_events_undo_nothing_that_was_said_later(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await _hello(pair)
        conversations = pair.alice.engine.conversations
        replayed: list[Blob] = []

        async def arrives(is_there: Callable[[Message], object]) -> None:
            await until(lambda: is_there(only(pair.bobby, pair.alice, message.id)), "it has arrived", 60)
            replayed.append(_last_entry(pair, pair.bobby))

        conversations.edit(pair.bobby.name, message.id, "first")
        await arrives(lambda found: found.text == "first")
        conversations.react(pair.bobby.name, message.id, "👍")
        await arrives(lambda found: found.reactions)
        conversations.edit(pair.bobby.name, message.id, "second")
        await arrives(lambda found: found.text == "second")
        conversations.react(pair.bobby.name, message.id, "👍", remove=True)
        await arrives(lambda found: not found.reactions)
        for blob in replayed[:2]:
            await pair.world.post(pair.bobby, blob)
        await _hears_a_friend(pair)
        found = only(pair.bobby, pair.alice, message.id)
        assert (found.text, found.reactions) == ("second", ())


@simulated
async def test_what_is_reflected_to_its_author_stays_one_message_of_theirs(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await _hello(pair)
        event = Event(ToUser(BOBBY.username), message.sent_at, TEXT, Base64Bytes(b"hello"))
        assert event.hash() == target_of(message)
        for device, keys in ((pair.alice, ALICE), (pair.bobby, BOBBY)):  # Bobby seals Alice's words anew, for both
            for _ in range(2):
                await pair.world.post(device, builders.sealed_message(ALICE, event, [keys]))
        await _hears_a_friend(pair)
        assert [(each.text, each.mine) for each in pair.alice.messages(pair.bobby)] == [
            ("hello", True),
            ("all well?", True),
        ]
        assert pair.bobby.texts(pair.alice, mine=True) == []


# What strangers say about what is not theirs


def _rows(device: SimDevice) -> dict[str, list[tuple[Any, ...]]]:
    """What an account holds about its friends, its devices and itself."""
    tables = ("people", "devices", "groups", "settings", "offered_histories", "early_reads", "reactions")
    found = {table: device.database.rows(f"SELECT * FROM {table}") for table in tables}  # no input
    found["people"] = [row for row in found["people"] if row[0] != MALLORY.username]
    found["account"] = device.database.rows("SELECT username, server, join_link, chain FROM account")
    found["mailboxes"] = device.database.rows("SELECT server, mailbox, is_leaving FROM mailboxes")
    found["messages"] = device.database.rows("SELECT body, edited_body, is_withdrawn, state FROM messages")
    return found


def _about(target: Hash) -> dict[str, tuple[str, Body]]:
    return {
        "an edit": (EDIT, Edit(target, "I am a fool")),
        "a withdrawal": (DELETE, Withdrawal(target)),
        "a reaction": (REACTION, ReactionBody(target, "👍")),
        "a receipt": (RECEIPT, Receipt(delivered=target, read=target)),
    }


@pytest.mark.parametrize("whose", ["alice", "bobby"])
@pytest.mark.parametrize("what", _about(Hash(bytes(32))))
def test_a_third_party_does_nothing_to_what_two_people_say(tmp_path: Path, what: str, whose: str) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            pair.world.device("mallory", pair.beach)
            greeting = _event(BOBBY.username, b"I am new here")
            await pair.world.post(pair.bobby, builders.sealed_message(MALLORY, greeting, [BOBBY]))
            theirs = await _hello(pair)
            mine = await pair.bobby.write(pair.alice, "hello yourself")
            await pair.bobby.has_sent(mine)
            await pair.bobby.gets(MALLORY.username, "I am new here")
            await asyncio.sleep(60)
            before = _rows(pair.bobby)
            mime, body = _about(target_of(theirs if whose == "alice" else mine))[what]
            for sent_at in (0, builders.NOW_NS + 10**15):
                await post_control(pair, MALLORY, pair.bobby, mime, body.render(), sent_at)
                own_copy = _event(ALICE.username, body.render(), mime, sent_at)
                for chain in (BOBBY.chain, MALLORY.chain):
                    await pair.world.post(
                        pair.bobby, _sealed(_signed(BOBBY.username, MALLORY, chain, own_copy, CONTROL))
                    )
            await asyncio.sleep(3600)
            assert _rows(pair.bobby) == before
            await _hears_a_friend(pair)

    scenario()


def _orders(target: Hash) -> dict[str, Body]:
    """What only one's own devices may say."""
    return {
        "somebody is blocked": ContactEvent(ALICE.username, Standing.BLOCKED, builders.NOW_NS + 10**15),
        "somebody is verified": ContactEvent(
            MALLORY.username, Standing.CONTACT, builders.NOW_NS + 10**15, "Alice", MALLORY.hash
        ),
        "something is read": ReadEvent(ALICE.username, target, ALICE.username),
        "a device has a name": DeviceNamed(MALLORY.hash, "my new phone"),
        "a device is revoked": DeviceRevoked(BOBBY.hash),
        "the account has moved": Moved("~harbor"),
    }


@pytest.mark.parametrize("what", _orders(Hash(bytes(32))))
def test_nobody_else_gives_an_accounts_devices_orders(tmp_path: Path, what: str) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            pair.world.device("mallory", pair.beach)
            message = await _hello(pair)
            await asyncio.sleep(60)
            before = _rows(pair.bobby)
            body = _orders(target_of(message))[what].render()
            for sender in (ALICE, MALLORY):
                await post_control(pair, sender, pair.bobby, DEVICE, body, builders.NOW_NS + 5)
            for to in (BOBBY, ALICE):
                event = _event(to.username, body, DEVICE)
                for chain in (BOBBY.chain, MALLORY.chain, _grafted(BOBBY)):
                    await pair.world.post(pair.bobby, _sealed(_signed(BOBBY.username, MALLORY, chain, event, CONTROL)))
            await asyncio.sleep(3600)
            assert _rows(pair.bobby) == before
            (chat,) = pair.bobby.engine.conversations.chats()
            assert (chat.unread, chat.standing) == (1, Standing.CONTACT)
            await _hears_a_friend(pair)

    scenario()


_BOMBS = {
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"target":' * 100_000,
    "a deep field that nobody knows": b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a mebibyte of text": b'{"target":"%s","text":"%s","emoji":"x"}' % (b"00" * 32, b"x" * _MIB),
    "a mebibyte of numbers": b'{"features":[' + b"1," * (_MIB // 2) + b"1]}",
    "a number without end": b'{"features":' + b"9" * 100_000 + b"}",
    "nothing": b"",
    "no text": b"\xff" * 1000,
}


@pytest.mark.parametrize("what", _BOMBS)
def test_a_control_event_that_is_a_bomb_does_nothing(tmp_path: Path, what: str) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await _hello(pair)
            await asyncio.sleep(60)
            for number, mime in enumerate((HELLO, EDIT, DELETE, REACTION, RECEIPT, TYPING, DEVICE, REPLY)):
                await post_control(pair, ALICE, pair.bobby, mime, _BOMBS[what], builders.NOW_NS + number)
            await post_control(pair, BOBBY, pair.bobby, DEVICE, _BOMBS[what], builders.NOW_NS)
            await _hears_a_friend(pair)
            (chat,) = pair.bobby.engine.conversations.chats()
            assert (chat.peer, chat.standing) == (pair.alice.name, Standing.CONTACT)
            assert not any(message.mine or message.reactions for message in pair.bobby.messages(pair.alice))

    scenario()
