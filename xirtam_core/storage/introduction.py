"""What a device that joins is told of the account: read from the database of one that is in it, stored in the new one's."""

from xirtam_core.codec.primitives import Hash
from xirtam_core.groups import GroupState
from xirtam_core.names import ServerName, Username
from xirtam_core.people import Standing
from xirtam_core.protocol.account_events import GroupJoined, Membership
from xirtam_core.protocol.pairing import PairedContact, PairedDevice, PairingReply
from xirtam_core.storage import chats, devices, group_keys, groups, offered_histories, people
from xirtam_core.storage.database import Database
from xirtam_core.storage.people import Person


def contacts(database: Database, most: int) -> tuple[PairedContact, ...]:
    """The people that this account knows, those with a chat first and at most so many."""
    rows = database.rows(
        "SELECT names.name, coalesce(standing, 'contact'), petname, verified_root, chats.id IS NOT NULL,"
        " coalesce(read_up_to_ns, 0), coalesce(changed_ns, 0)"
        " FROM (SELECT peer AS name FROM chats WHERE peer LIKE '@%' UNION SELECT username FROM people) AS names"
        " LEFT JOIN people ON people.username = names.name LEFT JOIN chats ON chats.peer = names.name"
        " ORDER BY chats.id IS NULL, opened_ns DESC LIMIT ?",
        most,
    )
    return tuple(
        PairedContact(Username(name), Standing(standing), petname, root and Hash(root), bool(has_chat), read, changed)
        for name, standing, petname, root, has_chat, read, changed in rows
    )


def memberships(database: Database, after_ns: int = 0) -> tuple[GroupJoined, ...]:
    """The groups that this account is in, those alone that it reads from a time on."""
    known = [group for group in groups.in_states(database, GroupState.MEMBER) if group.after_ns >= after_ns]
    keys = {group.chat: group_keys.all_of(database, group.chat) for group in known}
    return tuple(
        GroupJoined.of(Membership(group.descriptor, keys[group.chat][0], group.token, group.whereabouts))
        for group in known
        if keys[group.chat]
    )


def own_devices(database: Database) -> tuple[PairedDevice, ...]:
    """What this account calls its devices, and which are revoked."""
    known = devices.known(database).values()
    return tuple(PairedDevice(each.device, each.label, each.added_s, each.is_revoked) for each in known)


def store(database: Database, reply: PairingReply, now_ns: int) -> None:
    """Keeps what the new device is told; call it in the transaction that makes it one of the account."""
    for contact in reply.contacts:
        person = Person(
            username=contact.name,
            standing=contact.standing,
            petname=contact.petname,
            verified_root=contact.verified,
            changed_ns=contact.changed,
        )
        people.store(database, person)
        if contact.has_chat:
            chats.open_chat(database, contact.name, now_ns)
            database.execute("UPDATE chats SET read_up_to_ns = ? WHERE id = ?", contact.read, contact.name)
    if reply.history is not None:
        server = None if reply.history.server_name is None else ServerName(reply.history.server_name)
        offered_histories.add(database, reply.history.root(), server, now_ns // 10**9)
    for group in reply.groups:
        groups.add_told(database, group.membership().descriptor, group.render())
    for each in reply.devices:
        devices.add(database, each.device, each.label, each.added)
        if each.revoked:
            devices.revoke(database, each.device)
