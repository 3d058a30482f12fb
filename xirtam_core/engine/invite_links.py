"""Invite links of groups, as the devices of an admin's account keep them: hashes, each with an end and a number of uses.

Every device counts a use when it sees the asking, and corrects that by what the one that let somebody in tells (see
docs/protocol/named-groups.md).
"""

import secrets
from typing import Final

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.group_link import GroupLink
from xirtam_core.names import GroupName
from xirtam_core.protocol.group_entry import LinkEnded, LinkMade, find_link, link_hash
from xirtam_core.storage import group_asks as stored
from xirtam_core.storage import groups
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_asks import StoredLink
from xirtam_core.storage.groups import StoredGroup

MOST: Final = 20
MOST_USES: Final = 1000
MOST_DAYS: Final = 365
_MOST_KEPT: Final = 200
_DAY_S: Final = 86_400
_ENDED: Final = -(2**31)
"""The uses of a link that was ended: it is kept until it would have expired, so that no repeated word brings it back."""


class InviteLinks:
    """Makes, counts and ends links."""

    def __init__(self, database: Database, session: Session, own_devices: OwnDevices, clock: Clock) -> None:
        self._database = database
        self._session = session
        self._own_devices = own_devices
        self._clock = clock
        own_devices.register(LinkMade, self._take_made)
        own_devices.register(LinkEnded, self._take_ended)

    def good(self, chat: str | None = None) -> list[StoredLink]:
        """The links that let somebody in now."""
        now_s = seconds(self._clock)
        return [each for each in stored.links(self._database, chat) if each.is_good(now_s)]

    def make(self, group: StoredGroup, uses: int, days: int) -> GroupLink:
        """A new link; raises `Malformed` and `Refused`."""
        if not 1 <= uses <= MOST_USES or not 1 <= days <= MOST_DAYS:
            raise Malformed(f"a link is good for 1 to {MOST_USES} people and 1 to {MOST_DAYS} days")
        kept = stored.links(self._database, group.chat)
        if len(self.good(group.chat)) >= MOST or len(kept) >= _MOST_KEPT:
            raise Refused(f"a group has {MOST} invite links at most: end one first")
        account, secret = self._session.account, AuthToken(secrets.token_bytes(AuthToken.size))
        link = StoredLink(link_hash(secret), group.chat, seconds(self._clock) + days * _DAY_S, uses, is_here=True)
        with self._database.transaction():
            stored.purge_links(self._database, seconds(self._clock))
            stored.store_link(self._database, link)
            self._own_devices.tell(LinkMade(group.id, link.link, link.expires_s, uses, account.device_hash))
        name = group.presentation.directory_name
        return GroupLink(group.id, account.username, secret, GroupName(name) if name else None)

    def end(self, chat: str, beginning: str) -> int:
        """Ends the links whose ids begin so, gives how many; raises `NotFound`."""
        found = [each for each in self.good(chat) if each.link.hex().startswith(beginning.lower())]
        if not found:
            raise NotFound("there is no such invite link: it may have expired or be used up")
        with self._database.transaction():
            for each in found:
                self._set_uses(each, _ENDED)
                self._own_devices.tell(LinkEnded(each.link))
        return len(found)

    def take_use(self, chat: str, asked: Hash | None) -> StoredLink | None:
        """Counts a use of the link that was asked with; None where there is none that is good. Call it in a transaction."""
        if asked is None:
            return None
        known = {each.link: each for each in stored.links(self._database, chat)}
        found = find_link(known, asked)
        if found is None or not known[found].is_good(seconds(self._clock)):
            return None
        self.count(found, 1)
        return known[found]

    def count(self, link: Hash, uses: int) -> None:
        """A link was used so many times more than was known, or less."""
        if (known := stored.find_link(self._database, link)) is not None:
            self._set_uses(known, max(known.uses - uses, _ENDED))

    def is_overdrawn(self, link: Hash | None) -> bool:
        """Whether more have used a link than may, or it is gone: who has not been let in yet must wait for a person then."""
        known = None if link is None else stored.find_link(self._database, link)
        return known is None or known.uses < 0

    def is_here(self, link: Hash | None) -> bool:
        """Whether this device has made a link."""
        known = None if link is None else stored.find_link(self._database, link)
        return known is not None and known.is_here

    def say_again(self) -> None:
        """Tells the account's other devices all links that are good; call it in a transaction."""
        for each in self.good():
            by = self._session.account.device_hash if each.is_here else Hash(bytes(Hash.size))
            self._own_devices.tell(LinkMade(Hash.from_text(each.chat), each.link, each.expires_s, each.uses, by))

    def _set_uses(self, link: StoredLink, uses: int) -> None:
        stored.store_link(self._database, msgspec.structs.replace(link, uses=uses))

    def _take_made(self, event: LinkMade, sent_at: int, outcome: Outcome) -> None:
        now_s, chat = seconds(self._clock), event.group.hex()
        if not 1 <= event.uses <= MOST_USES or not now_s < event.expires <= now_s + (MOST_DAYS + 1) * _DAY_S:
            raise Malformed("a link beyond all bounds, or one that has expired")
        if stored.find_link(self._database, event.link) is not None or groups.find(self._database, chat) is None:
            return
        stored.purge_links(self._database, now_s)
        if len(stored.links(self._database, chat)) >= _MOST_KEPT:
            raise Refused("more links than a group has")
        stored.store_link(self._database, StoredLink(event.link, chat, event.expires, event.uses, is_here=False))

    def _take_ended(self, event: LinkEnded, sent_at: int, outcome: Outcome) -> None:
        if (known := stored.find_link(self._database, event.link)) is not None:
            self._set_uses(known, _ENDED)
