"""Listing who may do what with a mailbox, and what nobody may do to somebody else's."""

import pytest

from tests.server_builders import Harbor, post
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.protocol.mailbox import MailboxAcl, direct_mailbox, group_management_mailbox, group_messages_mailbox
from xirtam_core.rpc.home_server import AccessDenied, HomeServer

GROUP = Hash(b"g" * 32)
MEMBER = AuthToken(b"\x44" * 20)


def rights(token: AuthToken, *, edit: bool = False, send: bool = False, recv: bool = False) -> MailboxAcl:
    return MailboxAcl(token_hash(token), edit, send, recv)


async def test_who_may_edit_an_access_list_may_read_it_whole(harbor: Harbor, home: HomeServer) -> None:
    assert "acl_list" in (await home.server_info()).features
    _, owner = await harbor.new_account("alice", home)
    await home.register_group(owner, GROUP)
    mailbox = group_messages_mailbox(GROUP)
    granted = {
        rights(owner, edit=True, send=True, recv=True),
        rights(MEMBER, send=True, recv=True),
        rights(ANONYMOUS),
    }
    for entry in granted:
        await home.mailbox_acl_edit(owner, mailbox, entry)

    assert set(await home.mailbox_acl_list(owner, mailbox)) == granted
    assert await home.mailbox_acl_list(owner, group_management_mailbox(GROUP)) == (
        rights(owner, edit=True, send=True, recv=True),
    )


async def test_nobody_else_reads_an_access_list(harbor: Harbor, home: HomeServer) -> None:
    alice, owner = await harbor.new_account("alice", home)
    _, other = await harbor.new_account("bobby", home)
    await home.register_group(owner, GROUP)
    mailbox = group_messages_mailbox(GROUP)
    await home.mailbox_acl_edit(owner, mailbox, rights(MEMBER, send=True, recv=True))
    for caller, box in (
        (MEMBER, mailbox),
        (other, mailbox),
        (ANONYMOUS, mailbox),
        (owner, direct_mailbox(alice.username)),
        (owner, Hash(b"n" * 32)),
    ):
        with pytest.raises(AccessDenied):
            await home.mailbox_acl_list(caller, box)


async def test_nobody_can_take_from_strangers_the_way_to_write_to_a_user(harbor: Harbor, home: HomeServer) -> None:
    alice, _ = await harbor.new_account("alice", home)
    with pytest.raises(AccessDenied):
        await home.mailbox_acl_edit(ANONYMOUS, direct_mailbox(alice.username), rights(ANONYMOUS))
    await post(home, alice.username)


async def test_half_of_a_group_is_completed_by_its_editor_alone(harbor: Harbor, home: HomeServer) -> None:
    """As after a move of which one call came through."""
    _, owner = await harbor.new_account("alice", home)
    _, other = await harbor.new_account("bobby", home)
    await home.register_group(owner, GROUP)
    await home.mailbox_acl_edit(owner, group_messages_mailbox(GROUP), rights(other, edit=True))
    with pytest.raises(AccessDenied):
        await home.register_group(other, GROUP)
    await home.mailbox_acl_edit(owner, group_management_mailbox(GROUP), rights(other, edit=True))
    await home.register_group(other, GROUP)
    found = await home.mailbox_acl_list(other, group_messages_mailbox(GROUP))
    assert rights(other, edit=True, send=True, recv=True) in found
    assert ANONYMOUS_HASH not in {entry.token_hash for entry in found}


async def test_a_token_without_rights_cannot_have_itself_let_in_again(harbor: Harbor, home: HomeServer) -> None:
    """Deleting one's own entry gives back what anybody may do, and no more than that."""
    _, owner = await harbor.new_account("alice", home)
    await home.register_group(owner, GROUP)
    mailbox = group_messages_mailbox(GROUP)
    await home.mailbox_acl_edit(owner, mailbox, rights(MEMBER))
    for edit in (rights(MEMBER, send=True), rights(AuthToken(b"\x55" * 20), send=True)):
        with pytest.raises(AccessDenied):
            await home.mailbox_acl_edit(MEMBER, mailbox, edit)
    await home.mailbox_acl_edit(MEMBER, mailbox, rights(MEMBER))
    with pytest.raises(AccessDenied):
        await post(home, mailbox, auth=MEMBER)
