"""What the engine tells about groups: immutable values for screens, commands and bots.

Text in these values is a member's, as it came: whoever shows it makes it safe for their medium.
"""

from enum import StrEnum

import msgspec

from xirtam_core.names import ServerName, Username


class Status(StrEnum):
    """How somebody stands in a group, by its roster."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    BANNED = "banned"


class GroupState(StrEnum):
    """How this account stands with a group."""

    INVITED = "invited"
    JOINING = "joining"
    """The invitation has been accepted, and the group's server has not been heard yet."""
    MEMBER = "member"
    LEAVING = "leaving"
    """It has been left here, and the group has not been told yet."""
    LEFT = "left"
    BANNED = "banned"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group as its chat shows it.

    `name` is empty until an admin has given it one. `members` counts those who take part or are invited. `invited_by` is whose
    invitation brought this account in, None where it made the group. `waiting` counts messages that no key opens yet. `is_refused`:
    the group's server does not let this account read any more, as after a ban that could not be read. `moves_to` is the server that
    it is on its way to, if it is; `is_moving`: this device is moving it to the account's home server, or has to tell members that it
    did. `directory_name` is what it is called in the directory, empty for nothing, and `name_alarm` what is wrong with that, in words.
    `asking` counts those who wait to be let in. `avatar_bytes` is how large its picture is, 0 for none.
    """

    id: str
    name: str
    description: str
    state: GroupState
    server: ServerName
    members: int
    is_admin: bool
    may_post: bool
    may_invite: bool
    invited_by: Username | None
    is_muted: bool
    waiting: int
    is_refused: bool
    moves_to: ServerName | None = None
    is_moving: bool = False
    directory_name: str = ""
    name_alarm: str | None = None
    asking: int = 0
    avatar_bytes: int = 0

    @property
    def title(self) -> str:
        """What to call it: its name, or whose it is as far as is known."""
        if self.name:
            return self.name
        return f"a group of {self.invited_by}" if self.invited_by else f"group {self.id[:8]}"


class GroupMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a group's roster names."""

    name: Username
    status: Status
    is_admin: bool


class GroupDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A group with everybody whom its roster names, admins first, then by name; and its rules ("members" or "admins").

    `unsure` are those who take part, or are invited, and whose clients are not known to understand that a group has rules or moves.
    """

    group: Group
    roster: tuple[GroupMember, ...]
    who_invites: str
    who_posts: str
    unsure: tuple[Username, ...] = ()
