"""Who may do what with a mailbox (spec: rpc.md, Mailboxes)."""

import pytest

from tests.builders import seeded
from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import (
    AccessList,
    AclEdit,
    MailboxAcl,
    direct_mailbox,
    group_management_mailbox,
    group_messages_mailbox,
    judge_edit,
    rights_of,
)

OWNER, MEMBER, OTHER, NOBODY = (Hash(seeded(name)) for name in ("owner", "member", "other", "nobody"))


def entry(who: Hash, rights: str) -> MailboxAcl:
    """The entry of `who`, with those of e (edit), s (send) and r (receive) in `rights`."""
    return MailboxAcl(who, "e" in rights, "s" in rights, "r" in rights)


def access(**rights: str) -> AccessList:
    names = {"owner": OWNER, "member": MEMBER, "other": OTHER, "anonymous": ANONYMOUS_HASH}
    return {names[name]: entry(names[name], granted) for name, granted in rights.items()}


def edit(caller: Hash, target: Hash, rights: str, standing: AccessList) -> AclEdit:
    return judge_edit(caller, entry(target, rights), standing)


STORE, DELETE, NOTHING, REFUSE = AclEdit.STORE, AclEdit.DELETE, AclEdit.NOTHING, AclEdit.REFUSE


@pytest.mark.parametrize(
    ("caller", "target", "rights", "standing", "verdict"),
    [
        # 1: one's own entry can always be deleted, there or not, whatever it grants.
        (MEMBER, MEMBER, "", access(member="sr"), DELETE),
        (MEMBER, MEMBER, "", access(member=""), DELETE),
        (OWNER, OWNER, "", access(owner="esr"), DELETE),
        (NOBODY, NOBODY, "", access(owner="esr"), DELETE),
        (NOBODY, NOBODY, "", access(), DELETE),
        # … but that of the anonymous token is nobody's own.
        (ANONYMOUS_HASH, ANONYMOUS_HASH, "", access(anonymous="s"), REFUSE),
        (ANONYMOUS_HASH, ANONYMOUS_HASH, "", access(anonymous="es"), STORE),
        # 2: an edit that changes nothing succeeds, whoever asks.
        (NOBODY, MEMBER, "sr", access(owner="esr", member="sr"), NOTHING),
        (MEMBER, MEMBER, "sr", access(owner="esr", member="sr"), NOTHING),
        (NOBODY, OTHER, "", access(owner="esr", other=""), NOTHING),
        # 3: who may edit may grant what they lack; all rights false is stored.
        (OWNER, MEMBER, "sr", access(owner="e"), STORE),
        (OWNER, MEMBER, "esr", access(owner="e", member="s"), STORE),
        (OWNER, MEMBER, "", access(owner="e", member="sr"), STORE),
        (OWNER, NOBODY, "", access(owner="e"), STORE),
        (OWNER, OWNER, "esr", access(owner="e"), STORE),
        (NOBODY, OTHER, "s", access(anonymous="e"), STORE),
        # 4: a new entry within one's own rights, from one's own entry, with some right.
        (MEMBER, OTHER, "sr", access(owner="esr", member="sr"), STORE),
        (MEMBER, OTHER, "s", access(owner="esr", member="sr"), STORE),
        (MEMBER, OTHER, "e", access(owner="esr", member="sr"), REFUSE),
        (MEMBER, OTHER, "esr", access(owner="esr", member="sr"), REFUSE),
        (MEMBER, OTHER, "sr", access(owner="esr", member="s"), REFUSE),
        (MEMBER, OTHER, "", access(owner="esr", member="sr"), REFUSE),
        (MEMBER, OTHER, "r", access(member="sr", other="s"), REFUSE),
        (MEMBER, OTHER, "", access(member="sr", other="s"), REFUSE),
        (NOBODY, OTHER, "s", access(anonymous="s"), REFUSE),
        (NOBODY, NOBODY, "s", access(anonymous="s"), REFUSE),
        (NOBODY, OTHER, "", access(anonymous="s"), REFUSE),
        # 5: else refused; an entry without rights shuts out even where anybody may edit.
        (NOBODY, OTHER, "s", access(owner="esr"), REFUSE),
        (MEMBER, MEMBER, "esr", access(owner="esr", member="sr"), REFUSE),
        (MEMBER, OWNER, "", access(owner="esr", member="sr"), REFUSE),
        (MEMBER, OTHER, "s", access(member="", anonymous="esr"), REFUSE),
        (MEMBER, MEMBER, "s", access(member="", anonymous="s"), REFUSE),
        (NOBODY, OTHER, "s", access(), REFUSE),
    ],
)
def test_edits_of_an_access_list(
    caller: Hash, target: Hash, rights: str, standing: AccessList, verdict: AclEdit
) -> None:
    assert edit(caller, target, rights, standing) is verdict


@pytest.mark.parametrize(
    ("caller", "standing", "rights"),
    [
        (MEMBER, access(member="sr", anonymous="e"), "sr"),
        (MEMBER, access(member="", anonymous="esr"), ""),
        (NOBODY, access(member="sr", anonymous="s"), "s"),
        (NOBODY, access(member="sr"), ""),
        (NOBODY, access(), ""),
    ],
)
def test_rights_are_those_of_ones_entry_else_of_the_anonymous_one_else_none(
    caller: Hash, standing: AccessList, rights: str
) -> None:
    found = rights_of(caller, standing)
    assert (found.can_edit_acl, found.can_send, found.can_recv) == ("e" in rights, "s" in rights, "r" in rights)


def test_mailboxes_of_a_user_and_of_a_group_are_all_different() -> None:
    group = Hash(seeded("group"))
    names = {direct_mailbox(Username("@alice")), direct_mailbox(Username("@Alice"))}
    names |= {group_messages_mailbox(group), group_management_mailbox(group), group}
    assert len(names) == 5
