"""Groups that the account is in, was in, or is invited to. A group's chat is called by its id in hex."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.groups import Group, GroupState, Status
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_avatar
from xirtam_core.protocol.blob import GROUP_MESSAGE
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.group_move import Whereabouts
from xirtam_core.protocol.mailbox import group_management_mailbox, group_messages_mailbox
from xirtam_core.protocol.roster import Member, Presentation
from xirtam_core.storage.database import Database, Row

_COLUMNS = (
    "chat, descriptor, server, token, state, after_ns, says_accepted, invited_by, presentation, is_muted, rekey_s, is_urgent,"
    " snapshot, awaited, moved_ns, move_step, origin, arrived_ns"
)
_SHOWN = (
    "SELECT groups.chat, groups.state, groups.server, groups.members, groups.invited_by, groups.presentation,"  # noqa: S608 # no input
    " groups.is_muted, me.status, coalesce(me.is_admin, 0), (SELECT count(*) FROM journal WHERE mailbox = messages_mailbox"
    f" AND attempts > 0 AND kind = '{GROUP_MESSAGE}'), EXISTS (SELECT 1 FROM mailboxes WHERE mailboxes.server = groups.server"
    " AND mailboxes.mailbox IN (messages_mailbox, management_mailbox) AND is_refused),"
    " (SELECT fault FROM name_looks WHERE name_looks.chat = groups.chat AND is_told),"
    " (SELECT count(*) FROM group_asks WHERE state = 'waiting' AND group_asks.chat = groups.chat), move_step IS NOT NULL FROM groups"
    " LEFT JOIN group_members AS me ON me.chat = groups.chat AND me.username = (SELECT username FROM account)"
)
READ: Final = (GroupState.JOINING, GroupState.MEMBER, GroupState.LEAVING)
"""States in which a group's mailboxes are read."""


class MoveStep(StrEnum):
    """What this device has still to do where it moves a group to its account's home server (`engine.group_moves`)."""

    PREPARE = "prepare"
    PREPARE_ALONE = "prepare alone"
    """As before, without the server where the group was, which is gone."""
    SAY = "say"
    """The group is being told; then how it stood is said at the new server."""
    SAY_AND_TELL = "say and tell"
    """As before; its server does not say whose tokens it lets in, so the members are told by direct messages too."""
    SAY_ALONE = "say alone"
    """Its server is gone: how the group stood is said at the new one, and the members are told by direct messages."""
    TELL = "tell"
    """Each member is to be told by a direct message."""


class StoredGroup(msgspec.Struct, frozen=True):
    """A group with what opens it; the schema says what the fields are."""

    chat: str
    descriptor: GroupDescriptor
    server: ServerName
    token: AuthToken
    state: GroupState
    after_ns: int
    says_accepted: bool = False
    invited_by: Username | None = None
    presentation: Presentation = Presentation()
    is_muted: bool = False
    rekey_s: int | None = None
    urgency: int = 0
    snapshot: Hash | None = None
    awaited: Hash | None = None
    moved_ns: int = 0
    move_step: MoveStep | None = None
    origin: ServerName | None = None
    arrived_ns: int = 0

    @property
    def moves_to(self) -> ServerName | None:
        """The server where it goes on as soon as that says how it stood, as was said where it is."""
        return self.presentation.server

    @property
    def stay(self) -> int:
        """How often it has moved."""
        return self.presentation.stay

    @property
    def is_newcomers(self) -> bool:
        """Whether this account comes in where the group has moved to, and has not read how it stood then."""
        return self.awaited is not None

    @property
    def whereabouts(self) -> Whereabouts | None:
        """Where it is, if that is not where its descriptor says."""
        snapshot = self.awaited or self.snapshot
        return None if snapshot is None else Whereabouts(self.server, snapshot)

    @property
    def id(self) -> Hash:
        """What it is called on the wire."""
        return Hash.from_text(self.chat)

    @property
    def messages_mailbox(self) -> Hash:
        """Where its messages lie."""
        return group_messages_mailbox(self.id)

    @property
    def management_mailbox(self) -> Hash:
        """Where its management lies."""
        return group_management_mailbox(self.id)

    @property
    def mailboxes(self) -> tuple[Hash, Hash]:
        """Both of its mailboxes."""
        return self.messages_mailbox, self.management_mailbox


def store(database: Database, group: StoredGroup) -> None:
    """Keeps a group as it is now; its roster and keys stay."""
    values = (
        group.chat, bytes(group.messages_mailbox), bytes(group.management_mailbox), bcs.encode(group.descriptor), group.server,
        bytes(group.token), group.state, group.after_ns, group.says_accepted, group.invited_by,
        msgspec.json.encode(group.presentation, enc_hook=str).decode(), group.is_muted, group.rekey_s, group.urgency,
        group.snapshot and bytes(group.snapshot), group.awaited and bytes(group.awaited), group.moved_ns, group.move_step,
        group.origin, group.arrived_ns,
    )  # fmt: skip
    database.execute(
        "INSERT INTO groups (chat, messages_mailbox, management_mailbox, descriptor, server, token, state, after_ns, says_accepted,"
        " invited_by, presentation, is_muted, rekey_s, is_urgent, snapshot, awaited, moved_ns, move_step,"
        " origin, arrived_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (chat) DO UPDATE SET server = excluded.server, token = excluded.token, state = excluded.state,"
        " after_ns = excluded.after_ns, says_accepted = excluded.says_accepted, invited_by = excluded.invited_by,"
        " presentation = excluded.presentation, is_muted = excluded.is_muted, rekey_s = excluded.rekey_s,"
        " is_urgent = excluded.is_urgent, snapshot = excluded.snapshot, awaited = excluded.awaited, moved_ns = excluded.moved_ns,"
        " move_step = excluded.move_step, origin = excluded.origin, arrived_ns = excluded.arrived_ns",
        *values,
    )


def find(database: Database, chat: str) -> StoredGroup | None:
    """A group, or None."""
    found = _all(database, "WHERE chat = ?", chat)
    return found[0] if found else None


def of_mailbox(database: Database, mailbox: Hash) -> StoredGroup | None:
    """The group that has this mailbox, or None."""
    found = _all(database, "WHERE messages_mailbox = ?1 OR management_mailbox = ?1", bytes(mailbox))
    return found[0] if found else None


def in_states(database: Database, *states: GroupState) -> list[StoredGroup]:
    """All groups with which the account stands so."""
    return _all(database, "WHERE state IN (SELECT value FROM json_each(?)) ORDER BY chat", _json(states))


def count(database: Database) -> int:
    """How many groups are known, invitations included."""
    row = database.row("SELECT count(*) FROM groups")
    return 0 if row is None else int(row[0])


def remove(database: Database, chat: str) -> None:
    """Forgets a group, its roster and its keys; what was said in it is the chat's."""
    database.execute("DELETE FROM groups WHERE chat = ?", chat)


def add_members(database: Database, chat: str, more: int) -> None:
    """Notes that so many more take part in a group, or are invited to."""
    if more:
        database.execute("UPDATE groups SET members = members + ? WHERE chat = ?", more, chat)


def count_members(database: Database, chat: str) -> None:
    """Notes how many take part in a group, or are invited to, by its roster."""
    active = "SELECT count(*) FROM group_members WHERE chat = ?1 AND status <> 'banned'"
    database.execute(f"UPDATE groups SET members = ({active}) WHERE chat = ?1", chat)  # noqa: S608 # no input


def plan_rekey(database: Database, chat: str, at_s: int | None, *, urgency: int = 0) -> None:
    """Notes when this device gives a group its next key, None for not at all."""
    database.execute("UPDATE groups SET rekey_s = ?, is_urgent = ? WHERE chat = ?", at_s, urgency, chat)


def hasten_rekey(database: Database, chat: str, now_s: int) -> None:
    """Has this device give a group a new key at once, once more if it is about to."""
    database.execute("UPDATE groups SET rekey_s = ?, is_urgent = is_urgent + 1 WHERE chat = ?", now_s, chat)


def has_rekeyed(database: Database, group: StoredGroup, next_s: int) -> None:
    """Notes that a key was given, and when the next one is; unless another was asked for since `group` was looked at."""
    database.execute(
        "UPDATE groups SET rekey_s = ?, is_urgent = 0 WHERE chat = ? AND is_urgent = ? AND rekey_s IS NOT NULL",
        next_s, group.chat, group.urgency,
    )  # fmt: skip


def shown(database: Database, chat: str) -> Group | None:
    """A group as its chat shows it, or None."""
    row = database.row(f"{_SHOWN} WHERE groups.chat = ?", chat)
    return None if row is None else _shown(row)


def is_refused(database: Database, chat: str) -> bool:
    """Whether a group's server does not let this account read any more."""
    group = shown(database, chat)
    return group is not None and group.is_refused


def shown_of(database: Database, chats: Sequence[str]) -> dict[str, Group]:
    """The groups of these chats, as those show them."""
    if not chats:
        return {}
    sql = f"{_SHOWN} WHERE groups.chat IN (SELECT value FROM json_each(?))"  # noqa: S608 # no input
    rows = database.rows(sql, _json(chats))
    return {row[0]: _shown(row) for row in rows}


def add_told(database: Database, descriptor: GroupDescriptor, body: bytes) -> None:
    """Keeps the event on a group that this device is to come into when its engine starts."""
    sql = "INSERT OR REPLACE INTO told_groups (id, server, body) VALUES (?, ?, ?)"
    database.execute(sql, bytes(descriptor.id()), descriptor.server, body.decode())


def take_told(database: Database) -> list[str]:
    """The events on groups that this device was told of before it could come into them; they are kept no more."""
    return [body for (body,) in database.rows("DELETE FROM told_groups RETURNING body")]


def _all(database: Database, rest: str, *values: object) -> list[StoredGroup]:
    return [_stored(row) for row in database.rows(f"SELECT {_COLUMNS} FROM groups {rest}", *values)]  # noqa: S608 # ours


def _stored(row: Row) -> StoredGroup:
    (
        chat,
        descriptor,
        server,
        token,
        state,
        after_ns,
        accepts,
        invited_by,
        presentation,
        is_muted,
        rekey_s,
        is_urgent,
        snapshot,
        awaited,
        moved_ns,
        move_step,
        origin,
        arrived_ns,
    ) = row
    return StoredGroup(
        chat,
        bcs.decode(GroupDescriptor, descriptor),
        ServerName(server),
        AuthToken(token),
        GroupState(state),
        after_ns,
        bool(accepts),
        None if invited_by is None else Username(invited_by),
        _presentation(presentation),
        bool(is_muted),
        rekey_s,
        is_urgent,
        snapshot and Hash(snapshot),
        awaited and Hash(awaited),
        moved_ns,
        move_step and MoveStep(move_step),
        origin and ServerName(origin),
        arrived_ns,
    )


def _presentation(text: str) -> Presentation:
    return msgspec.json.decode(text, type=Presentation, dec_hook=lambda kind, value: kind(value))


def _shown(row: Row) -> Group:
    chat, state, server, members, invited_by, presentation, is_muted, status, is_admin, waiting, is_refused, *more = row
    name_alarm, asking, is_moving = more
    shown, known = _presentation(presentation), GroupState(state)
    me = None if status is None else Member(Status(status), bool(is_admin))
    is_in = known is GroupState.MEMBER and me is not None and me.is_active
    is_admin = is_in and bool(is_admin)
    avatar = group_avatar.find(shown.avatar)
    return Group(
        id=chat,
        name=shown.name,
        description=shown.description,
        state=known,
        server=ServerName(server),
        members=members,
        is_admin=is_admin,
        may_post=is_admin or (is_in and shown.who_posts == "members"),
        may_invite=is_admin or (is_in and shown.who_invites == "members"),
        invited_by=None if invited_by is None else Username(invited_by),
        is_muted=bool(is_muted),
        waiting=waiting,
        is_refused=bool(is_refused),
        moves_to=shown.server,
        is_moving=bool(is_moving),
        directory_name=shown.directory_name,
        name_alarm=name_alarm,
        asking=asking,
        avatar_bytes=0 if avatar is None else avatar.size,
    )


def _json(values: Sequence[str]) -> str:
    return msgspec.json.encode([str(value) for value in values]).decode()
