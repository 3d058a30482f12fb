"""Ways into groups that exist: invitations of others, and what the account's other devices tell (spec: groups.md, Flows).

What comes of either is kept at once; `group_work` does the coming in.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from xirtam_core.clock import Clock
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.engine.contact_book import ContactBook
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.group_work import GroupWork
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.rosters import Rosters
from xirtam_core.errors import Malformed, Refused
from xirtam_core.events import ChatRemoved
from xirtam_core.groups import GroupState
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol.account_events import GroupJoined, InvitationDeclined, Membership
from xirtam_core.protocol.event import is_group
from xirtam_core.protocol.group_invite import INVITE, GroupInvite
from xirtam_core.protocol.group_move import Whereabouts
from xirtam_core.storage import asked, chats, declined, group_keys, messages, outbox, people
from xirtam_core.storage import groups as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.messages import StoredMessage

_MOST = 5000
_MOST_INVITATIONS = 200
EARLIER_NS: Final = 600 * 1_000_000_000
"""How long before "now" a reading of messages begins: that is this clock's, and compared with the server's."""


class Invitations:
    """Keeps what lets this account into groups."""

    def __init__(
        self,
        database: Database,
        controls: Controls,
        own_devices: OwnDevices,
        book: ContactBook,
        rosters: Rosters,
        work: GroupWork,
        clock: Clock,
        announce: Callable[[str], None],
    ) -> None:
        """`announce` is called with the chat of a group that has changed."""
        self._database = database
        self._own_devices = own_devices
        self._rosters = rosters
        self._work = work
        self._clock = clock
        self._announce = announce
        controls.when_stored(self._note_invitation)
        book.when_contact(self._note_invitations_of)
        own_devices.register(GroupJoined, self._take)
        own_devices.register(InvitationDeclined, self._take_declined)

    async def run(self) -> None:
        """Comes into the groups that this device was told of before."""
        with self._database.transaction():
            for body in stored.take_told(self._database):
                try:
                    self._told(GroupJoined.parse(body.encode()), self._clock.now_ns(), Outcome())
                except Malformed:
                    continue
        self._work.hurry()

    def accept(self, known: StoredGroup) -> None:
        """Accepts an invitation; what is none, or was accepted, stays as it is."""
        if known.state is not GroupState.INVITED:
            return
        with self._database.transaction():
            stored.store(self._database, msgspec.structs.replace(known, state=GroupState.JOINING, says_accepted=True))
            keys = group_keys.all_of(self._database, known.chat)
            membership = Membership(known.descriptor, keys[0], known.token, known.whereabouts)
            self._own_devices.tell(GroupJoined.of(membership))
        self._work.hurry()

    def decline(self, known: StoredGroup) -> None:
        """Deletes an invitation, and the group's chat with it; raises `Refused` where there is none."""
        if known.state is not GroupState.INVITED:
            raise Refused("there is no invitation to decline: leave the group instead")
        with self._database.transaction():
            self._own_devices.tell(InvitationDeclined(known.id, token_hash(known.token)))
            self._remove(known)

    def _remove(self, known: StoredGroup) -> None:
        declined.add(self._database, token_hash(known.token))
        stored.remove(self._database, known.chat)
        chats.remove(self._database, known.chat)

    def _take_declined(self, event: InvitationDeclined, sent_at: int, outcome: Outcome) -> None:
        """Another device of this account has declined an invitation, which this one may have, or get later."""
        declined.add(self._database, event.token)
        known = stored.find(self._database, event.group.hex())
        if known is not None and known.state is GroupState.INVITED and token_hash(known.token) == event.token:
            self._remove(known)
            outcome.news.append(ChatRemoved(known.chat))

    def _note_invitations_of(self, name: Username) -> None:
        """Somebody has become a contact, whose invitations were a stranger's until now."""
        outcome = Outcome()
        for message in messages.of_type(self._database, name, INVITE):
            self._note_invitation(message, outcome)
        for chat in outcome.chats:
            self._announce(chat)

    def _note_invitation(self, message: StoredMessage, outcome: Outcome) -> None:
        """Somebody invites this account; what an own device sent is an invitation of others."""
        said = message.message
        if said.mime != INVITE or said.mine or said.is_withdrawn or is_group(said.chat):
            return
        invite, where = GroupInvite.parse(message.body), Whereabouts.in_body(message.body)
        if declined.holds(self._database, token_hash(invite.token)):
            return
        chat, sender = invite.descriptor.id().hex(), message.message.sender
        known = stored.find(self._database, chat)
        if people.standing(self._database, sender) is not Standing.CONTACT or self._is_full():
            return
        if known is not None and not self._may_be_replaced(known, sender):
            return
        if known is not None and known.state in stored.READ:
            self._rosters.leave(known, GroupState.LEFT)
        after_ns = max(0, invite.created_at - EARLIER_NS)
        group = StoredGroup(
            chat,
            invite.descriptor,
            invite.descriptor.server,
            invite.token,
            GroupState.INVITED,
            after_ns,
            invited_by=sender,
        )
        group = _put_there(group, where)
        stored.store(self._database, group)
        group_keys.remove_all(self._database, chat)
        group_keys.add(self._database, chat, invite.group_key, 0)
        chats.open_group(self._database, chat, self._clock.now_ns())
        outcome.chats.add(chat)

    def _may_be_replaced(self, known: StoredGroup, inviter: Username) -> bool:
        """Whether an invitation may take the place of what opens a group already: where that is refused, or was the same one's.

        One that was asked for goes before another's.
        """
        if known.state in stored.READ:
            is_renewed = known.state is GroupState.JOINING and known.invited_by == inviter
            has_left = known.state is GroupState.LEAVING and not outbox.outstanding(self._database, known.chat)
            return is_renewed or has_left or stored.is_refused(self._database, known.chat)
        is_asked = asked.find(self._database, known.chat, inviter) is not None
        return known.state is not GroupState.INVITED or known.invited_by == inviter or is_asked

    def _is_full(self) -> bool:
        invitations = len(stored.in_states(self._database, GroupState.INVITED))
        return invitations >= _MOST_INVITATIONS or stored.count(self._database) >= _MOST

    def _take(self, event: GroupJoined, sent_at: int, outcome: Outcome) -> None:
        """Another device of this account, or this one, has come into a group."""
        self._told(event, sent_at, outcome)

    def _told(self, event: GroupJoined, at_ns: int, outcome: Outcome) -> None:
        membership = event.membership()
        descriptor = membership.descriptor
        chat = descriptor.id().hex()
        known = stored.find(self._database, chat)
        if known is not None and known.state in stored.READ:
            return
        if stored.count(self._database) >= _MOST and known is None:
            raise Malformed("more groups than an account takes")
        after_ns = max(0, at_ns - EARLIER_NS) if known is None else known.after_ns
        group = StoredGroup(chat, descriptor, descriptor.server, membership.token, GroupState.JOINING, after_ns)
        if known is not None:
            group = msgspec.structs.replace(group, invited_by=known.invited_by)
        group = _put_there(group, membership.where)
        stored.store(self._database, group)
        group_keys.add(self._database, chat, membership.key, 0)
        chats.open_group(self._database, chat, self._clock.now_ns())
        outcome.chats.add(chat)
        self._work.hurry()


def _put_there(group: StoredGroup, where: Whereabouts | None) -> StoredGroup:
    """The group as one comes into it where it has moved to."""
    if where is None:
        return group
    return msgspec.structs.replace(group, server=where.server, awaited=where.snapshot)
