"""Mailboxes: their names, their entries, and who may do what (spec: rpc.md, Mailboxes).

A caller's rights are its token's entry in the mailbox's access list, else the entry of the anonymous token, else nothing. An entry
without rights therefore shuts its token out, even where anybody may act.
"""

from collections.abc import Mapping
from enum import Enum

from xirtam_core.codec.integers import NanoTimestamp
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, keyed_hash
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob


class MailboxEntry(Wire):
    """A message as a mailbox holds it; `received_at` orders the mailbox and is unique in it."""

    message: Blob
    received_at: NanoTimestamp
    sender_auth_token_hash: Hash | None


class MailboxAcl(Wire):
    """What the holder of a token may do."""

    token_hash: Hash
    can_edit_acl: bool
    can_send: bool
    can_recv: bool

    @property
    def has_any_right(self) -> bool:
        """Whether it grants anything."""
        return self.can_edit_acl or self.can_send or self.can_recv

    def is_within(self, other: "MailboxAcl") -> bool:
        """Whether it grants nothing that `other` does not."""
        return (
            (other.can_edit_acl or not self.can_edit_acl)
            and (other.can_send or not self.can_send)
            and (other.can_recv or not self.can_recv)
        )


class ReceiveFrom(Wire):
    """A mailbox to read, with what token, and the last `received_at` already seen."""

    auth: AuthToken
    mailbox: Hash
    after: NanoTimestamp


class AclEdit(Enum):
    """What an edit of an access list comes to."""

    STORE = "store"
    DELETE = "delete"
    NOTHING = "nothing"
    REFUSE = "refuse"


AccessList = Mapping[Hash, MailboxAcl]


def direct_mailbox(user: Username) -> Hash:
    """The mailbox in which `user` gets direct messages."""
    return keyed_hash("direct-mailbox", user.encode())


def group_messages_mailbox(group: Hash) -> Hash:
    """The mailbox of a group's messages."""
    return keyed_hash("group-messages", group)


def group_management_mailbox(group: Hash) -> Hash:
    """The mailbox of a group's management."""
    return keyed_hash("group-management", group)


def rights_of(caller: Hash, access: AccessList) -> MailboxAcl:
    """What the holder of the token with hash `caller` may do."""
    return access.get(caller) or access.get(ANONYMOUS_HASH) or MailboxAcl(caller, False, False, False)


def judge_edit(caller: Hash, edit: MailboxAcl, access: AccessList) -> AclEdit:
    """What becomes of `edit` by `caller`, by the rules in their order (spec: rpc.md, Mailboxes).

    The entry of the anonymous token is nobody's own: else anybody could delete it, and with it the way for strangers to write.
    """
    if edit.token_hash == caller != ANONYMOUS_HASH and not edit.has_any_right:
        return AclEdit.DELETE
    standing = access.get(edit.token_hash)
    if standing == edit:
        return AclEdit.NOTHING
    if rights_of(caller, access).can_edit_acl:
        return AclEdit.STORE
    own = access.get(caller)
    if standing is None and own is not None and edit.has_any_right and edit.is_within(own):
        return AclEdit.STORE
    return AclEdit.REFUSE
