"""Mailboxes and their access lists in PostgreSQL. What changes one holds the lock on its row.

`acl_version` grows with every change to the list: a sender who was judged by an earlier one is judged again.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import AclEdit, MailboxAcl, judge_edit
from xirtam_server.storage.interface import MailboxState
from xirtam_server.storage.postgres.arrays import ByteaArray
from xirtam_server.storage.postgres.database import Connection


async def find_all(db: Connection, mailboxes: Sequence[Hash]) -> list[MailboxState]:
    """Those of the mailboxes that are there, with their access lists, as of one moment."""
    found = await db.execute(
        """SELECT m.name, m.id, m.last, m.acl_version, m.owner, a.token_hash, a.can_edit_acl, a.can_send, a.can_recv
        FROM mailbox m LEFT JOIN access a ON a.mailbox = m.id WHERE m.name = ANY (%b)""",
        (ByteaArray(mailboxes),),
        binary=True,
    )
    return _states(await found.fetchall())


def _states(rows: Iterable[Any]) -> list[MailboxState]:
    states: dict[int, MailboxState] = {}
    for name, row, last, version, owner, token, edit, send, recv in rows:
        state = states.get(row)
        if state is None:
            state = states[row] = MailboxState(Hash(name), row, last, {}, version, owner)
        if token is not None:
            rights = MailboxAcl(Hash(token), edit, send, recv)
            state.access[rights.token_hash] = rights
    return list(states.values())


async def heads(db: Connection, mailboxes: Sequence[Hash]) -> list[tuple[Hash, int, int, int]]:
    """Name, row, last cursor and version of the list, of those that are there."""
    found = await db.execute(
        "SELECT name, id, last, acl_version FROM mailbox WHERE name = ANY (%b)", (ByteaArray(mailboxes),), binary=True
    )
    return [(Hash(name), row, last, version) for name, row, last, version in await found.fetchall()]


async def lock(db: Connection, mailboxes: Sequence[Hash]) -> dict[Hash, MailboxState]:
    """Locks those of the mailboxes that are there until the end of the transaction, and reads them."""
    await db.execute(
        "SELECT 1 FROM mailbox WHERE name = ANY (%b) ORDER BY id FOR NO KEY UPDATE", (ByteaArray(mailboxes),)
    )
    return {state.name: state for state in await find_all(db, mailboxes)}


async def make(db: Connection, mailboxes: Sequence[Hash], owner: Username | None) -> set[Hash]:
    """Makes those of the mailboxes that are not there; their names. Two processes may do so at once: one of them does."""
    made: set[Hash] = set()
    for name in sorted(mailboxes):
        found = await db.execute(
            "INSERT INTO mailbox (name, owner) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING", (bytes(name), owner)
        )
        if found.rowcount == 1:
            made.add(name)
    return made


async def put_rights(db: Connection, state: MailboxState, rights: Sequence[MailboxAcl]) -> MailboxState:
    """Stores rights; the mailbox as it is then."""
    for item in rights:
        await db.execute(
            """INSERT INTO access VALUES (%s, %s, %s, %s, %s) ON CONFLICT (mailbox, token_hash) DO UPDATE
            SET can_edit_acl = excluded.can_edit_acl, can_send = excluded.can_send, can_recv = excluded.can_recv""",
            (state.row, bytes(item.token_hash), item.can_edit_acl, item.can_send, item.can_recv),
        )
    access = state.access | {item.token_hash: item for item in rights}
    return await _renew(db, state, access)


async def remove_rights(db: Connection, state: MailboxState, tokens: Sequence[Hash]) -> MailboxState:
    """Takes tokens from the access list; the mailbox as it is then."""
    for token in tokens:
        await db.execute("DELETE FROM access WHERE mailbox = %s AND token_hash = %s", (state.row, bytes(token)))
    return await _renew(db, state, {token: rights for token, rights in state.access.items() if token not in tokens})


async def _renew(db: Connection, state: MailboxState, access: dict[Hash, MailboxAcl]) -> MailboxState:
    await db.execute("UPDATE mailbox SET acl_version = acl_version + 1 WHERE id = %s", (state.row,))
    return MailboxState(state.name, state.row, state.last, access, state.version + 1, state.owner)


async def edit_access(
    db: Connection, mailbox: Hash, caller: Hash, edit: MailboxAcl, most: int
) -> tuple[AclEdit, MailboxState | None]:
    """Does what the rules say of the edit, and gives the mailbox as it is then; a list never grows beyond `most`."""
    state = (await lock(db, (mailbox,))).get(mailbox)
    if state is None:
        return AclEdit.REFUSE, None
    verdict = judge_edit(caller, edit, state.access)
    match verdict:
        case AclEdit.STORE if edit.token_hash not in state.access and len(state.access) >= most:
            return AclEdit.REFUSE, state
        case AclEdit.STORE:
            state = await put_rights(db, state, (edit,))
        case AclEdit.DELETE if edit.token_hash in state.access:
            state = await remove_rights(db, state, (edit.token_hash,))
        case AclEdit.DELETE | AclEdit.NOTHING | AclEdit.REFUSE:
            pass
    return verdict, state


class NotAllowed(Exception):
    """Undoes what was begun for a caller who may not."""


async def register_group(
    db: Connection, owner: Username, token_hash: Hash, mailboxes: Sequence[Hash], most_owned: int
) -> list[MailboxState]:
    """Makes a group's mailboxes where they are not there; raises `NotAllowed`."""
    made = await make(db, mailboxes, owner)
    states = await lock(db, mailboxes)
    for name, state in states.items():
        rights = state.access.get(token_hash)
        if name not in made and not (rights and rights.can_edit_acl):
            raise NotAllowed
    if made:
        found = await (await db.execute("SELECT count(*) FROM mailbox WHERE owner = %s", (owner,))).fetchone()
        if found is None or found[0] > most_owned:
            raise NotAllowed
    everything = MailboxAcl(token_hash, True, True, True)
    return [await put_rights(db, state, (everything,)) for state in states.values()]
