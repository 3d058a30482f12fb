"""Who is in a group, by what its management mailbox says (spec: groups.md, Roster).

The mailbox is replayed in order from its first entry. All who read the same come to the same: nothing here depends on anything else.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.groups import Status
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.group_command import (
    MOST_OWNER_KEYS,
    MOST_PINS,
    AddAdmin,
    Ban,
    Command,
    InviteAccepted,
    InviteSent,
    Leave,
    MovedHere,
    MoveServer,
    OwnerKey,
    RemoveAdmin,
    SetDirectoryName,
    SetInfo,
    SetPin,
    SetPolicy,
    Unban,
)


class Member(msgspec.Struct, frozen=True):
    """Somebody whom the roster names."""

    status: Status
    is_admin: bool = False

    @property
    def is_active(self) -> bool:
        """Whether they take part, or are invited to."""
        return self.status is not Status.BANNED


PENDING, ACCEPTED, BANNED = Member(Status.PENDING), Member(Status.ACCEPTED), Member(Status.BANNED)


class Presentation(msgspec.Struct, frozen=True):
    """How a group presents itself and what its admins have set."""

    name: str = ""
    description: str = ""
    avatar: dict[str, Any] | None = None
    who_invites: str = "members"
    who_posts: str = "members"
    server: ServerName | None = None
    """Where the group is going: what is said at the server that it leaves has no effect any more."""
    stay: int = 0
    """How often it has moved."""
    pins: tuple[str, ...] = ()
    """Messages that are pinned, by their ids, the latest first."""
    directory_name: str = ""
    owner_keys: tuple[tuple[str, Username], ...] = ()
    """Keys that admins have announced, with whose they are, in that order (docs/protocol/named-groups.md)."""


MOST_OWNER_KEYS_OF_ONE: Final = 4
MOST_NAMED: Final = 100_000
"""How many a roster names, so that no member can fill all others' disks."""


class Roster:
    """A group's members and presentation; `apply` takes what is said, in the mailbox's order."""

    def __init__(self, init_admin: Username) -> None:
        self.members: dict[Username, Member] = {init_admin: Member(Status.ACCEPTED, is_admin=True)}
        self.presentation = Presentation()

    @classmethod
    def of(cls, members: dict[Username, Member], presentation: Presentation) -> "Roster":
        """A roster as it was stored."""
        roster = cls.__new__(cls)
        roster.members, roster.presentation = members, presentation
        return roster

    @classmethod
    def arrived(cls, said: MovedHere) -> "Roster":
        """The roster of a group that has moved, as whoever moved it says."""
        members = {
            name: Member(Status(status), is_admin and status != Status.BANNED)
            for name, status, is_admin in said.members
        }
        pins = tuple(each.hex() for each in said.pins)
        shown = Presentation(
            said.name, said.description, said.avatar, said.who_invites, said.who_posts, stay=said.stay, pins=pins,
            directory_name=said.directory_name, owner_keys=tuple((key.text(), name) for key, name in said.owner_keys),
        )  # fmt: skip
        return cls.of(members, shown)

    def arrival(self, origin: ServerName, after_ns: int, *, is_gone: bool, read_ns: int = 0) -> MovedHere:
        """What to say at the server that the group moves to; `read_ns` is up to when management has been read where that is gone."""
        shown = self.presentation
        return MovedHere(
            origin=origin,
            stay=shown.stay + 1,
            after=after_ns,
            read=read_ns,
            members=tuple((name, str(each.status), each.is_admin) for name, each in self.members.items()),
            name=shown.name,
            description=shown.description,
            avatar=shown.avatar,
            who_invites=shown.who_invites,
            who_posts=shown.who_posts,
            pins=tuple(Hash.from_text(each) for each in shown.pins),
            directory_name=shown.directory_name,
            owner_keys=tuple((SigningPublic.from_text(key), name) for key, name in shown.owner_keys),
            is_gone=is_gone,
        )

    def member(self, user: Username) -> Member | None:
        """How somebody stands, None where the roster does not name them."""
        return self.members.get(user)

    def is_active(self, user: Username) -> bool:
        """Whether somebody takes part or is invited to."""
        found = self.members.get(user)
        return found is not None and found.is_active

    def is_admin(self, user: Username) -> bool:
        """Whether somebody is an active admin."""
        found = self.members.get(user)
        return found is not None and found.is_admin and found.is_active

    def active(self) -> Iterable[Username]:
        """All who take part or are invited to."""
        return (name for name, member in self.members.items() if member.is_active)

    def admins(self) -> list[Username]:
        """All active admins."""
        return [name for name in self.members if self.is_admin(name)]

    def apply(self, sender: Username, command: Command) -> bool:
        """Does what `sender` says, as far as they may; gives whether anything has changed by it."""
        if self.presentation.server is not None:
            return False
        match command:
            case InviteAccepted():
                return self._standing(sender) is not Status.BANNED and self._set(sender, ACCEPTED)
            case Leave():
                return self._standing(sender) is not Status.BANNED and self._remove(sender)
            case InviteSent(user):
                is_new = user not in self.members
                return is_new and self._may_invite(sender) and self._set(user, PENDING)
            case OwnerKey(key):
                return self.is_admin(sender) and self._announce_key(key, sender)
            case _:
                return self.is_admin(sender) and self._apply_admins(command)

    def _apply_admins(self, command: Command) -> bool:
        match command:
            case Ban(user):
                return self._set(user, BANNED)
            case Unban(user):
                return self._standing(user) is Status.BANNED and self._set(user, PENDING)
            case AddAdmin(user):
                return self.is_active(user) and self._set(user, Member(self.members[user].status, is_admin=True))
            case RemoveAdmin(user):
                return self.is_active(user) and self._set(user, Member(self.members[user].status))
            case MoveServer(_, stay) if stay != self.presentation.stay:
                return False  # said of an earlier stay, and shown again
            case SetInfo() | SetPolicy() | MoveServer() | SetDirectoryName():
                return self._present(command)
            case SetPin(target, pinned):
                return self._pin(target.hex(), is_pinned=pinned)
            case _:
                return False

    def _may_invite(self, sender: Username) -> bool:
        return self.is_admin(sender) or (self.is_active(sender) and self.presentation.who_invites == "members")

    def _standing(self, user: Username) -> Status | None:
        found = self.members.get(user)
        return None if found is None else found.status

    def _set(self, user: Username, member: Member) -> bool:
        if self.members.get(user) == member or (user not in self.members and len(self.members) >= MOST_NAMED):
            return False
        self.members[user] = member
        return True

    def _remove(self, user: Username) -> bool:
        return self.members.pop(user, None) is not None

    def _pin(self, message_id: str, *, is_pinned: bool) -> bool:
        pins = self.presentation.pins
        if (message_id in pins) is is_pinned or (is_pinned and len(pins) >= MOST_PINS):
            return False
        now = (message_id, *pins) if is_pinned else tuple(each for each in pins if each != message_id)
        self.presentation = msgspec.structs.replace(self.presentation, pins=now)
        return True

    def _announce_key(self, key: str, owner: Username) -> bool:
        """Whose a key is, whoever announced it first says; the latest few of each count."""
        known = self.presentation.owner_keys
        theirs = [each for each in known if each[1] == owner]
        surplus = theirs[: max(0, len(theirs) - MOST_OWNER_KEYS_OF_ONE + 1)]
        kept = tuple(each for each in known if each not in surplus)
        if any(key == each for each, _ in known) or len(kept) >= MOST_OWNER_KEYS:
            return False
        self.presentation = msgspec.structs.replace(self.presentation, owner_keys=(*kept, (key, owner)))
        return True

    def _present(self, command: SetInfo | SetPolicy | MoveServer | SetDirectoryName) -> bool:
        said = {name: value for name in command.__struct_fields__ if (value := getattr(command, name)) is not None}
        before = self.presentation
        self.presentation = msgspec.structs.replace(before, **said)
        return self.presentation != before
