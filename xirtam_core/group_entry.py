"""What the engine tells about names of groups in the directory, and about asking to be let in: immutable values for screens and bots.

Text in these values is somebody else's, as it came: whoever shows it makes it safe for their medium.
"""

import msgspec

from xirtam_core.discreet import Discreet
from xirtam_core.names import GroupName, Username


class FoundGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What the directory lists under a name. No `admins`: nobody can be asked. `doubt` is what should make one hesitate, in words."""

    name: GroupName
    group: str
    title: str
    admins: tuple[Username, ...]
    doubt: str | None


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """How the work on a group's name in the directory stands.

    `name` is empty where the group has none. `is_pending` while updates are to be made; then `step` says which is being made, and
    `share` (0 to 1) and `seconds_left` how far its proof of work is, where that can be told. `trouble` is why the last attempt came to
    nothing; it is made again while `is_pending`. `owners` are those whose keys own the name as far as is known, `is_owner` is whether
    this account is one; `alarm` is what is wrong with the name, in words.
    """

    group: str
    name: str
    is_pending: bool
    step: str | None
    share: float | None
    seconds_left: float | None
    trouble: str | None
    owners: tuple[Username, ...]
    is_owner: bool
    alarm: str | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A group that this account has asked to be let into. `asked_at` is in Unix nanoseconds, `name` None where a link led there."""

    group: str
    name: GroupName | None
    admin: Username
    asked_at: int
    is_refused: bool


class JoinRequest(Discreet, frozen=True, kw_only=True):
    """Somebody who waits to be let into a group, since `asked_at` (Unix nanoseconds); `has_link`: by a link that is good no more."""

    group: str
    user: Username
    note: str
    asked_at: int
    has_link: bool


class InviteLink(msgspec.Struct, frozen=True, kw_only=True):
    """An invite link that counts, without its secret. `expires` is in Unix seconds, `uses` how many are left."""

    id: str
    group: str
    expires: int
    uses: int
