"""Mailboxes and their access lists in SQLite. The functions that change something run inside the writer's transaction."""

import sqlite3
from collections.abc import Sequence

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import AclEdit, MailboxAcl, judge_edit
from xirtam_server.storage.interface import MailboxState


def find(db: sqlite3.Connection, mailbox: Hash) -> MailboxState | None:
    """The mailbox with its access list, or None."""
    found = db.execute("SELECT id, last FROM mailbox WHERE name = ?", (bytes(mailbox),)).fetchone()
    if found is None:
        return None
    row, last = found
    rights = db.execute("SELECT token_hash, can_edit_acl, can_send, can_recv FROM access WHERE mailbox = ?", (row,))
    access = {
        Hash(token): MailboxAcl(Hash(token), bool(edit), bool(send), bool(recv)) for token, edit, send, recv in rights
    }
    return MailboxState(mailbox, row, last, access)


def create(db: sqlite3.Connection, mailbox: Hash, owner: Username | None, access: Sequence[MailboxAcl]) -> MailboxState:
    """Makes a mailbox that is not there yet."""
    row = db.execute(
        "INSERT INTO mailbox (name, owner, last, entries, bytes) VALUES (?, ?, 0, 0, 0)", (bytes(mailbox), owner)
    ).lastrowid
    assert row is not None
    state = MailboxState(mailbox, row, 0, {})
    for rights in access:
        put_rights(db, state, rights)
    return state


def put_rights(db: sqlite3.Connection, state: MailboxState, rights: MailboxAcl) -> None:
    """Stores a token's rights in `state` and in the database."""
    db.execute(
        "REPLACE INTO access (mailbox, token_hash, can_edit_acl, can_send, can_recv) VALUES (?, ?, ?, ?, ?)",
        (state.row, bytes(rights.token_hash), rights.can_edit_acl, rights.can_send, rights.can_recv),
    )
    state.access[rights.token_hash] = rights


def edit_access(db: sqlite3.Connection, mailbox: Hash, caller: Hash, edit: MailboxAcl, most: int) -> AclEdit:
    """Does what the rules say of the edit; a list never grows beyond `most`."""
    state = find(db, mailbox)
    if state is None:
        return AclEdit.REFUSE
    verdict = judge_edit(caller, edit, state.access)
    match verdict:
        case AclEdit.STORE if edit.token_hash not in state.access and len(state.access) >= most:
            return AclEdit.REFUSE
        case AclEdit.STORE:
            put_rights(db, state, edit)
        case AclEdit.DELETE:
            db.execute("DELETE FROM access WHERE mailbox = ? AND token_hash = ?", (state.row, bytes(edit.token_hash)))
        case AclEdit.NOTHING | AclEdit.REFUSE:
            pass
    return verdict


def register_group(
    db: sqlite3.Connection, owner: Username, token_hash: Hash, mailboxes: Sequence[Hash], most_owned: int
) -> list[MailboxState] | None:
    """Makes a group's mailboxes where they are not there; None where the caller may not, or owns `most_owned` already."""
    everything = MailboxAcl(token_hash, True, True, True)
    standing = [find(db, mailbox) for mailbox in mailboxes]
    for state in standing:
        rights = None if state is None else state.access.get(token_hash)
        if state is not None and not (rights and rights.can_edit_acl):
            return None
    missing = [mailbox for mailbox, state in zip(mailboxes, standing, strict=True) if state is None]
    (owned,) = db.execute("SELECT count(*) FROM mailbox WHERE owner = ?", (owner,)).fetchone()
    if missing and owned + len(missing) > most_owned:
        return None
    for state in standing:
        if state is not None:
            put_rights(db, state, everything)
    made = [create(db, mailbox, owner, [everything]) for mailbox in missing]
    return made + [state for state in standing if state is not None]
