"""Asking to be let into a group, and invite links (docs/protocol/named-groups.md).

Both bodies are control events of direct chats: clients that do not know them drop them unseen.
"""

import hmac
from collections.abc import Iterable
from typing import Final

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import keyed_hash
from xirtam_core.names import GroupName, Username
from xirtam_core.protocol.control import Body
from xirtam_core.protocol.own_device import OwnDeviceEvent

GROUP_ASK: Final = "application/vnd.xirtam.v1.group_ask"
GROUP_ANSWER: Final = "application/vnd.xirtam.v1.group_answer"
LONGEST_NOTE: Final = 280
GOOD_NS: Final = 30 * 86_400 * 10**9
"""How long an asking, and what it brings about, counts."""
_AHEAD_NS: Final = 86_400 * 10**9
_DOMAIN: Final = "xirtam-group-link"


class GroupAsk(Body, frozen=True):
    """Asks an admin to be let into a group; `secret` is that of an invite link, in hex."""

    group: Hash
    name: GroupName | None = None
    note: str = ""
    secret: str | None = None

    def __post_init__(self) -> None:
        if len(self.note) > LONGEST_NOTE:
            raise ValueError("a note beyond all bounds")
        if self.secret is not None:
            AuthToken.from_text(self.secret)

    def link(self) -> Hash | None:
        """What the admin's devices know the link by."""
        return None if self.secret is None else link_hash(AuthToken.from_text(self.secret))


class GroupAnswer(Body, frozen=True):
    """Says what became of an asking, where that is no invitation."""

    group: Hash
    refused: bool


class NameOwner(OwnDeviceEvent, frozen=True, tag="name_owner"):
    """An owner key of this account's, for the name of a group."""

    group: Hash
    name: GroupName
    secret: str


class LinkMade(OwnDeviceEvent, frozen=True, tag="group_link"):
    """An invite link that the device `by` has made: good until `expires` (Unix seconds), for so many `uses`."""

    group: Hash
    link: Hash
    expires: int
    uses: int
    by: Hash


class LinkEnded(OwnDeviceEvent, frozen=True, tag="group_link_ended"):
    """An invite link is good no more."""

    link: Hash


class AskSettled(OwnDeviceEvent, frozen=True, tag="ask_settled"):
    """The asking of `user` that was sent at `sent_at` has been dealt with, by a use of `link` if there is one."""

    group: Hash
    user: Username
    sent_at: int
    link: Hash | None = None


def link_hash(secret: AuthToken) -> Hash:
    """What is kept of a link's secret."""
    return keyed_hash(_DOMAIN, bytes(secret))


def find_link(known: Iterable[Hash], asked: Hash) -> Hash | None:
    """The one of `known` that equals `asked`, or None; how long that takes does not tell how much of any was right."""
    found = None
    for each in known:
        if hmac.compare_digest(each, asked):
            found = each
    return found


def is_timely(sent_at_ns: int, now_ns: int) -> bool:
    """Whether something that was sent then is to be dealt with now."""
    return now_ns - GOOD_NS <= sent_at_ns <= now_ns + _AHEAD_NS
