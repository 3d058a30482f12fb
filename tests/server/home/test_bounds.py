"""What a caller may not make the server hold."""

import asyncio
import contextlib
from pathlib import Path

import msgspec
import pytest

from tests.server_builders import QUICK, Harbor, blob, calling, fetch, open_harbor, post, until
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Base64Bytes, Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.mailbox import MailboxAcl, ReceiveFrom, direct_mailbox, group_messages_mailbox
from xirtam_core.rpc.home_server import AccessDenied, HomeServer, ProxyNotSupported, ServerBusy
from xirtam_core.rpc.service import RawJson
from xirtam_server.storage.sqlite import StoreLimits


async def test_a_message_that_would_not_fit_an_answer_is_refused(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    most = (await home.server_info()).limits.max_message_bytes
    await home.mailbox_send(ANONYMOUS, direct_mailbox(alice.username), Blob("k" * 256, Base64Bytes(bytes(most))), 0)
    assert len(await fetch(home, token, alice.username)) == 1
    for message in (Blob("k", Base64Bytes(bytes(most + 1))), Blob("k" * 257, Base64Bytes(b""))):
        with pytest.raises(AccessDenied):
            await home.mailbox_send(ANONYMOUS, direct_mailbox(alice.username), message, 0)


async def test_a_full_mailbox_takes_no_more_until_entries_expire(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, purge_every_s=0.05)
    async with (
        open_harbor(tmp_path, limits=limits, store_limits=StoreLimits(most_entries=3)) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        alice, token = await harbor.new_account("alice", home)
        stamps = [await post(home, alice.username, ttl=1) for _ in range(3)]
        with pytest.raises(ServerBusy):
            await post(home, alice.username)

        async def is_taken() -> bool:
            with contextlib.suppress(ServerBusy):
                stamps.append(await post(home, alice.username, "room again"))
            return len(stamps) == 4

        await until(is_taken)
        assert stamps == sorted(set(stamps))
        assert len(await fetch(home, token, alice.username)) == 1


async def test_access_lists_and_groups_are_bounded(tmp_path: Path) -> None:
    async with (
        open_harbor(tmp_path, store_limits=StoreLimits(most_rights=3, most_owned=2)) as harbor,
        calling(harbor.urls["http"]) as home,
    ):
        _, token = await harbor.new_account("alice", home)
        group = Hash(b"g" * 32)
        await home.register_group(token, group)
        with pytest.raises(AccessDenied):
            await home.register_group(token, Hash(b"h" * 32))
        edits = [MailboxAcl(token_hash(AuthToken(bytes([number]) * 20)), False, True, True) for number in range(1, 4)]
        await home.mailbox_acl_edit(token, group_messages_mailbox(group), edits[0])
        await home.mailbox_acl_edit(token, group_messages_mailbox(group), edits[1])
        with pytest.raises(AccessDenied):
            await home.mailbox_acl_edit(token, group_messages_mailbox(group), edits[2])


async def test_writes_beyond_what_may_wait_are_put_off(tmp_path: Path) -> None:
    async with (
        open_harbor(tmp_path, store_limits=StoreLimits(most_waiting=2)) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        alice, token = await harbor.new_account("alice", home)
        outcomes = await asyncio.gather(*(post(home, alice.username) for _ in range(50)), return_exceptions=True)
        accepted = [outcome for outcome in outcomes if isinstance(outcome, int)]
        assert accepted
        assert all(isinstance(outcome, int | ServerBusy) for outcome in outcomes)
        entries = await fetch(home, token, alice.username)
        assert sorted(entry.received_at for entry in entries) == sorted(accepted)


async def test_mailboxes_are_read_right_when_memory_holds_hardly_any(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, most_open_rights=1, recent_bytes=300, page_cache_bytes=1000)
    async with open_harbor(tmp_path, limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        people = [await harbor.new_account(f"user_{number}", home) for number in range(4)]
        stamps = {device.username: [await post(home, device.username) for _ in range(12)] for device, _ in people}
        for device, token in people:
            for after in (0, *stamps[device.username]):
                expected = [stamp for stamp in stamps[device.username] if stamp > after]
                assert [entry.received_at for entry in await fetch(home, token, device.username, after)] == expected


async def test_one_call_reads_only_so_many_mailboxes(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, most_received_at_once=2)
    async with open_harbor(tmp_path, limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        with pytest.raises(ServerBusy):
            await home.mailbox_multirecv((ReceiveFrom(token, direct_mailbox(alice.username), 0),) * 3, 0)


async def test_the_server_caps_how_long_a_message_is_kept(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, max_ttl_s=1)
    async with open_harbor(tmp_path, limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        await post(home, alice.username, ttl=0)
        await post(home, alice.username, ttl=10_000)

        async def is_empty() -> bool:
            return not await fetch(home, token, alice.username)

        await until(is_empty)


async def test_what_the_server_does_not_offer_is_answered_in_its_own_terms(harbor: Harbor, home: HomeServer) -> None:
    _, token = await harbor.new_account("alice", home)
    request = RawJson({"jsonrpc": "2.0", "method": "v1_server_info", "params": [], "id": "x"})
    with pytest.raises(ProxyNotSupported):
        await home.proxy_directory(token, request)
    with pytest.raises(ProxyNotSupported):
        await home.proxy_server(token, (await home.server_info()).server_name, request)


async def test_a_fault_inside_is_the_callers_to_retry(
    harbor: Harbor, home: HomeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _ = await harbor.new_account("alice", home)

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(harbor.service, "_store", None)
    with pytest.raises(ServerBusy):
        await home.mailbox_send(ANONYMOUS, direct_mailbox(alice.username), blob(), 0)
    monkeypatch.undo()
    await post(home, alice.username)
