"""Sending, receiving and access lists, as a client meets them."""

import asyncio

import pytest

from tests.server_builders import Harbor, blob, fetch, fetch_all, post, text_of, until
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.protocol.mailbox import MailboxAcl, ReceiveFrom, direct_mailbox, group_messages_mailbox
from xirtam_core.rpc.home_server import AccessDenied, HomeServer

GROUP = Hash(b"g" * 32)
MESSAGES = group_messages_mailbox(GROUP)
NOBODY = AuthToken(b"\x11" * 20)


def rights(token: AuthToken, *, edit: bool = False, send: bool = False, recv: bool = False) -> MailboxAcl:
    return MailboxAcl(token_hash(token), edit, send, recv)


async def test_what_anybody_sends_to_a_user_comes_out_once_and_in_order(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    stamps = [await post(home, alice.username, f"{number}") for number in range(5)]

    entries = await fetch(home, token, alice.username)

    assert [text_of(entry) for entry in entries] == ["0", "1", "2", "3", "4"]
    assert [entry.received_at for entry in entries] == stamps == sorted(set(stamps))
    assert {entry.sender_auth_token_hash for entry in entries} == {ANONYMOUS_HASH}
    assert await fetch(home, token, alice.username, stamps[-1]) == ()


async def test_a_page_holds_a_hundred_and_the_next_one_follows(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    await asyncio.gather(*(post(home, alice.username, f"{number}") for number in range(230)))

    assert len(await fetch(home, token, alice.username)) == 100
    stored = await fetch_all(home, token, alice.username)
    assert len({text_of(entry) for entry in stored}) == len(stored) == 230


async def test_an_answer_fits_a_line_however_large_the_messages_are(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    for _ in range(4):
        await post(home, alice.username, "x" * 400_000)

    pages = [len(await fetch(home, token, alice.username, 0))]
    stored = await fetch_all(home, token, alice.username)

    assert pages == [1]  # two would be over 1 MiB
    assert len(stored) == 4


async def test_several_mailboxes_come_in_one_answer(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    await home.register_group(token, GROUP)
    await post(home, alice.username, "direct")
    await post(home, MESSAGES, "group", auth=token)

    wanted = tuple(ReceiveFrom(token, mailbox, 0) for mailbox in (direct_mailbox(alice.username), MESSAGES))
    found = await home.mailbox_multirecv(wanted, 1000)

    assert {mailbox: [text_of(entry) for entry in page] for mailbox, page in found.items()} == {
        direct_mailbox(alice.username): ["direct"],
        MESSAGES: ["group"],
    }


async def test_an_empty_list_of_mailboxes_is_answered_with_nothing(home: HomeServer) -> None:
    assert await home.mailbox_multirecv((), 0) == {}


async def test_a_cursor_beyond_what_the_reference_reads_has_seen_everything(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    await post(home, alice.username)
    assert await fetch(home, token, alice.username, 2**63) == ()
    assert await fetch(home, token, alice.username, 2**64 - 1) == ()


async def test_an_expired_entry_is_not_returned(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    await post(home, alice.username, "brief", ttl=1)
    await post(home, alice.username, "kept")

    async def is_gone() -> bool:
        return [text_of(entry) for entry in await fetch(home, token, alice.username)] == ["kept"]

    await until(is_gone)


async def test_nobody_reads_or_fills_a_mailbox_without_the_right(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    await home.register_group(token, GROUP)

    for sender, mailbox in ((ANONYMOUS, MESSAGES), (NOBODY, MESSAGES), (token, Hash(b"\x22" * 32))):
        with pytest.raises(AccessDenied):
            await home.mailbox_send(sender, mailbox, blob(), 0)
    for reader in (ANONYMOUS, NOBODY):
        with pytest.raises(AccessDenied):
            await fetch(home, reader, alice.username)


async def test_a_mailbox_that_may_not_be_read_does_not_hide_the_others(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    refused = ReceiveFrom(NOBODY, MESSAGES, 0)
    wanted = (refused, ReceiveFrom(token, direct_mailbox(alice.username), 0))
    await post(home, alice.username, "still read")

    found = await home.mailbox_multirecv(wanted, 1000)

    assert [text_of(entry) for page in found.values() for entry in page] == ["still read"]
    with pytest.raises(AccessDenied):
        await home.mailbox_multirecv((refused,), 60_000)


async def test_a_group_can_be_registered_again_by_its_editor_alone(harbor: Harbor, home: HomeServer) -> None:
    _, token = await harbor.new_account("alice", home)
    _, other = await harbor.new_account("bobby", home)
    await home.register_group(token, GROUP)

    await home.register_group(token, GROUP)
    for stranger in (other, NOBODY, ANONYMOUS):
        with pytest.raises(AccessDenied):
            await home.register_group(stranger, GROUP)
    with pytest.raises(AccessDenied):
        await post(home, MESSAGES, auth=other)


async def test_the_rules_of_access_lists_hold_in_their_order(harbor: Harbor, home: HomeServer) -> None:
    _, owner = await harbor.new_account("alice", home)
    await home.register_group(owner, GROUP)
    editor, member, guest = (AuthToken(bytes([number]) * 20) for number in (0x33, 0x44, 0x55))

    async def is_taken(caller: AuthToken, edit: MailboxAcl) -> bool:
        try:
            await home.mailbox_acl_edit(caller, MESSAGES, edit)
        except AccessDenied:
            return False
        return True

    assert await is_taken(owner, rights(editor, edit=True))
    assert await is_taken(editor, rights(member, send=True, recv=True)), "an editor grants what it lacks"
    assert await is_taken(member, rights(guest, send=True)), "a member invites with no more than its own rights"
    assert not await is_taken(member, rights(guest, send=True, recv=True)), "but changes nobody"
    assert await is_taken(NOBODY, rights(guest, send=True)), "what changes nothing succeeds, whoever asks"
    assert not await is_taken(guest, rights(NOBODY, recv=True))
    assert not await is_taken(member, rights(NOBODY)), "an empty entry would shut its token out"
    assert await is_taken(guest, rights(guest)), "anyone may leave"
    assert await is_taken(NOBODY, rights(NOBODY)), "also who is not there"
    assert not await is_taken(guest, rights(guest, send=True))


async def test_anonymous_rights_let_nobody_invite(harbor: Harbor, home: HomeServer) -> None:
    alice, _ = await harbor.new_account("alice", home)
    with pytest.raises(AccessDenied):
        await home.mailbox_acl_edit(ANONYMOUS, direct_mailbox(alice.username), rights(NOBODY))
    with pytest.raises(AccessDenied):
        await home.mailbox_acl_edit(NOBODY, direct_mailbox(alice.username), rights(AuthToken(b"\x12" * 20), send=True))


async def test_an_entry_without_rights_shuts_its_token_out_where_anybody_may_act(
    harbor: Harbor, home: HomeServer
) -> None:
    _, owner = await harbor.new_account("alice", home)
    await home.register_group(owner, GROUP)
    await home.mailbox_acl_edit(owner, MESSAGES, rights(ANONYMOUS, send=True))
    await post(home, MESSAGES, auth=NOBODY)

    await home.mailbox_acl_edit(owner, MESSAGES, rights(NOBODY))

    with pytest.raises(AccessDenied):
        await post(home, MESSAGES, auth=NOBODY)
    await post(home, MESSAGES, auth=ANONYMOUS)


async def test_rights_that_are_taken_away_stop_the_very_next_call(harbor: Harbor, home: HomeServer) -> None:
    _, owner = await harbor.new_account("alice", home)
    member = AuthToken(b"\x44" * 20)
    await home.register_group(owner, GROUP)
    for _ in range(20):
        await home.mailbox_acl_edit(owner, MESSAGES, rights(member, send=True))
        await post(home, MESSAGES, auth=member)
        await home.mailbox_acl_edit(owner, MESSAGES, rights(member))
        with pytest.raises(AccessDenied):
            await post(home, MESSAGES, auth=member)
