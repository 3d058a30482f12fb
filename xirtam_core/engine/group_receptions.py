"""The two mailboxes of a group (spec: groups.md, Messages, Rekey, Roster; client.md, Groups).

What a member says must have been signed by a device whose certificates were valid when the server got it: a roster is replayed from
its beginning by whoever comes later, and all must come to the same.
"""

from typing import Final

import msgspec

from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.engine import rulings
from xirtam_core.engine.arrivals import Arrivals
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.direct_reception import check
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.reception import NotYet, Reception, Rekeyed, Said
from xirtam_core.engine.rosters import Rosters
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.names import Username
from xirtam_core.protocol import group_command, group_message, rekey
from xirtam_core.protocol.blob import CONTROL, GROUP_MESSAGE, GROUP_REKEY, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.device_signing import Received
from xirtam_core.protocol.group_command import Command, MovedHere, MoveServer
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import group_keys, group_members, groups, hearing, journal, medium_keys
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import JournalEntry

_LOOKS_FOR_KEY: Final = 300
"""How often a message that no key opens is tried again, which takes a day and more."""
_MOST_WAITING: Final = 1000
"""How many messages of one group may wait for keys: any member can post what nothing opens."""
_LOOKS_FOR_ADMIN: Final = 8
"""How often the roster is looked at for the sender of a key, which takes some twenty minutes: the mailboxes have no common order."""


class _GroupReception(Reception):
    looks_for_sender = 3
    """Nobody else's words wait longer than they must."""

    def checked_at_s(self, entry: JournalEntry, now_s: int) -> int:
        """See the base."""
        return min(now_s, entry.received_at_ns // 1_000_000_000)


class MessagesReception(_GroupReception):
    """The messages of a group, and its new keys."""

    def __init__(self, database: Database, group: StoredGroup, controls: Controls, arrivals: Arrivals) -> None:
        self._database = database
        self._group = group
        self._controls = controls
        self._arrivals = arrivals
        self._keys = group_keys.all_of(database, group.chat)
        self._openers = medium_keys.openers(database)

    def unseal(self, entry: JournalEntry) -> Received | None:
        """See the base."""
        blob = Blob(entry.kind, Base64Bytes(entry.inner))
        if entry.kind == GROUP_REKEY:
            try:
                return rekey.unseal(blob, self._openers)
            except Unverified:
                return None  # it was not for this device
        if entry.kind != GROUP_MESSAGE:
            return None
        try:
            return group_message.unseal(blob, self._keys)
        except Unverified:
            if entry.attempts >= _LOOKS_FOR_KEY or self._is_full(entry):
                raise
            raise NotYet("its key has not come yet") from None

    def _is_full(self, entry: JournalEntry) -> bool:
        return entry.attempts == 0 and journal.waiting_in(self._database, entry.place) >= _MOST_WAITING

    def open(self, entry: JournalEntry, received: Received) -> Said:
        """See the base."""
        if entry.kind == GROUP_REKEY:
            return Rekeyed(received.signed.sender, rekey.open_signed(received, self._group.id))
        opened = group_message.open_signed(received.signed, self._group.id)
        check(opened)
        return opened

    def take(self, entry: JournalEntry, said: Said, unchecked_root: Hash | None, outcome: Outcome) -> None:
        """See the base."""
        if isinstance(said, Rekeyed):
            self._rekey(entry, said)
            return
        if hearing.is_banned(self._database, self._group.chat, said.sender, entry.received_at_ns):
            rulings.refuse(self._database, said, outcome)
            return
        if entry.sender_token is not None:
            group_members.note_token(self._database, self._group.chat, entry.sender_token, said.sender)
        if said.kind == CONTROL:
            self._controls.take(msgspec.structs.replace(said, group_ns=entry.received_at_ns), outcome)
        elif said.kind == MESSAGE_CONTENT:
            self._take_message(entry, said, unchecked_root, outcome)

    def _take_message(self, entry: JournalEntry, said: Opened, unchecked_root: Hash | None, outcome: Outcome) -> None:
        if not hearing.is_heard(self._database, self._group.chat, said.sender, entry.received_at_ns):
            rulings.refuse(self._database, said, outcome)
            return
        self._arrivals.store(
            said, entry.received_at_ns, outcome,
            unchecked_root=unchecked_root, is_outsiders=not self._is_active(said.sender),
        )  # fmt: skip

    def _is_active(self, user: Username) -> bool:
        member = group_members.find(self._database, self._group.chat, user)
        return member is not None and member.is_active

    def _is_admin(self, user: Username) -> bool:
        member = group_members.find(self._database, self._group.chat, user)
        return member is not None and member.is_active and member.is_admin

    def _rekey(self, entry: JournalEntry, said: Rekeyed) -> None:
        group = groups.find(self._database, self._group.chat)
        if group is None or group.state not in groups.READ:
            return  # the account is out since this batch began
        was_admin = group_members.was_admin(self._database, self._group.chat, said.sender, entry.received_at_ns)
        if not was_admin and not self._is_admin(said.sender):
            if entry.attempts < _LOOKS_FOR_ADMIN:
                raise NotYet("its sender is no admin, as far as is known")
            return
        if entry.place.server == group.server or entry.received_at_ns <= group.moved_ns:
            is_news = group_keys.add(self._database, group.chat, said.key, entry.received_at_ns)
        else:
            is_news = group_keys.add_behind(self._database, group.chat, said.key, group.moved_ns)
        if is_news:
            journal.retry(self._database, entry.place)  # what waited for it


class ManagementReception(_GroupReception):
    """What is said about a group, strictly in order."""

    is_ordered = True

    def __init__(self, database: Database, group: StoredGroup, rosters: Rosters) -> None:
        self._database = database
        self._group = group
        self._roster = rosters.of(group)
        self._rosters = rosters
        self._shift_ns = 0
        """What the times of these entries are to be shifted by besides: they were looked up before that was known."""

    def unseal(self, entry: JournalEntry) -> Received | None:
        """See the base."""
        if entry.kind != GROUP_MESSAGE:
            return None
        return group_message.unseal(Blob(entry.kind, Base64Bytes(entry.inner)), [self._group.descriptor.management_key])

    def open(self, entry: JournalEntry, received: Received) -> Said:
        """See the base."""
        return group_message.open_signed(received.signed, self._group.id)

    def take(self, entry: JournalEntry, said: Said, unchecked_root: Hash | None, outcome: Outcome) -> None:
        """See the base."""
        if not isinstance(said, Opened) or said.kind != MESSAGE_CONTENT or said.event.mime != MANAGE:
            return
        if entry.sender_token is not None:
            group_members.note_token(self._database, self._group.chat, entry.sender_token, said.sender)
        try:
            command = group_command.parse(said.event.body)
        except Malformed:
            return  # it has no effect, or none that this version knows
        group = groups.find(self._database, self._group.chat)  # as it is now: it may have moved since this batch began
        if group is not None and group.state in groups.READ:
            self._take(group, entry, said, command, outcome)

    def _take(self, group: StoredGroup, entry: JournalEntry, said: Opened, command: Command, outcome: Outcome) -> None:
        at_ns, here = entry.received_at_ns + self._shift_ns, entry.place.server
        travel = self._rosters.travel
        is_new = travel.is_own(said) and not isinstance(command, MovedHere)
        is_new = is_new and journal.note_own(self._database, entry.place, said.event.sent_at)
        if isinstance(command, MovedHere):
            self._come(group, entry, said, command, at_ns, outcome)
        elif group.is_newcomers or (here != group.server and travel.is_expected_at(group, here)):
            return  # nothing counts there before it is known how the group stood when it came
        elif here != group.server or (group.moves_to is not None and at_ns > group.moved_ns):
            if is_new:  # else somebody shows it again
                travel.say_again(group, self._rosters.of(group), [command])
        elif at_ns > group.arrived_ns and not (isinstance(command, MoveServer) and command.server == here):
            self._rosters.apply(group.chat, self._roster, said.sender, command, at_ns, outcome)

    def _come(
        self, group: StoredGroup, entry: JournalEntry, said: Opened, command: MovedHere, at_ns: int, outcome: Outcome
    ) -> None:
        here = entry.place.server
        self._roster = self._rosters.of(group)  # what is read elsewhere may have changed it
        if self._rosters.travel.is_awaited(group, self._roster, here, said, command):
            self._shift_ns += self._rosters.arrive(group, self._roster, here, said, command, at_ns, outcome)
        elif command.stay == group.stay and self._rosters.travel.believed(group, self._roster, here, said):
            self._rosters.travel.hear_out(group, here, entry.received_at_ns)
