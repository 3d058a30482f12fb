"""What large groups cost: `python bench/groups.py [messages]`, 5,000 unless said. One line of JSON per figure.

A rekey is sealed for devices whose keys are known: looking keys up is the network's time. A roster is replayed from parsed commands,
and once more as the engine does it when somebody comes in, from sealed entries to the database. Messages are read the same way.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from xirtam_core.clock import SystemClock
from xirtam_core.codec.primitives import AeadKey, AuthToken, Base64Bytes, Hash
from xirtam_core.crypto import aead, dh, signing
from xirtam_core.engine.arrivals import Arrivals
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.group_travel import GroupTravel
from xirtam_core.engine.mailbox_receptions import MailboxReceptions
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.rosters import Rosters
from xirtam_core.groups import GroupState
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_command, group_message, rekey
from xirtam_core.protocol.blob import MESSAGE_CONTENT
from xirtam_core.protocol.certificate import self_signed
from xirtam_core.protocol.event import TEXT, Event, ToGroup
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.group_command import Command, InviteAccepted, InviteSent
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.header_encryption import hint_of
from xirtam_core.protocol.roster import Roster
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import chats, group_keys, groups
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import JournalEntry, Place
from xirtam_core.storage.keys import DatabaseKey

ME, HOME = Username("@reader"), ServerName("~harbor")
_SECRET = signing.new_secret()
_CHAIN = self_signed(_SECRET)
_BATCH = 100


def report(figure: str, value: float, unit: str, count: int) -> None:
    print(
        json.dumps({"bench": "groups", "figure": figure, "value": round(value, 3), "unit": unit, "count": count}),
        flush=True,
    )


def rekeys() -> None:
    for count in (1000, 10_000):
        receivers = [dh.public_of(dh.new_secret()) for _ in range(count)]
        own = dh.new_secret()
        began = time.process_time()
        blob = rekey.seal(Hash(bytes(32)), aead.new_key(), ME, _SECRET, _CHAIN, [*receivers, dh.public_of(own)])
        report("a rekey sealed, processor time", 1000 * (time.process_time() - began), "ms", count)
        report("a rekey's size", len(blob.inner) / 1024, "KiB", count)
        began = time.process_time()
        rekey.unseal(blob, [(hint_of(dh.public_of(own)), own)]).check_signature()
        report("a rekey opened, processor time", 1000 * (time.process_time() - began), "ms", count)


def commands(count: int) -> list[tuple[Username, Command]]:
    names = [Username(f"@member{number}") for number in range(count // 2)]
    return [said for name in names for said in ((ME, InviteSent(name)), (name, InviteAccepted()))]


def replays(count: int) -> None:
    said = [(sender, group_command.parse(group_command.render(command))) for sender, command in commands(count)]
    began = time.process_time()
    roster = Roster(ME)
    for sender, command in said:
        roster.apply(sender, command)
    report("a roster replayed from parsed commands, processor time", 1000 * (time.process_time() - began), "ms", count)


class Reader:
    """A database that is in a group, and what understands the entries of its mailboxes."""

    def __init__(self, path: Path) -> None:
        clock, now_ns = SystemClock(), time.time_ns()
        self.database = Database(path, DatabaseKey(bytes(32)))
        link = JoinLink(("tcp://directory:1",), signing.public_of(_SECRET))
        account = Account(ME, HOME, link, _SECRET, _CHAIN, token=None, is_registered=True)
        stored_account.create(self.database, account)
        self.descriptor = GroupDescriptor(Hash(bytes(32)), ME, 1, HOME, AeadKey(bytes(32)))
        self.key = aead.new_key()
        group = StoredGroup(self.descriptor.id().hex(), self.descriptor, HOME, own_token(), GroupState.MEMBER, now_ns)
        travel = GroupTravel(self.database, ME, account.device_hash, clock)
        rosters = Rosters(self.database, ME, travel, clock)
        groups.store(self.database, group)
        rosters.begin(group)
        chats.open_group(self.database, group.chat, now_ns)
        group_keys.add(self.database, group.chat, self.key, 0)
        controls = Controls(self.database, ME)
        self.group, self.began_ns = group, now_ns
        self.rosters = rosters
        self.receptions = MailboxReceptions(self.database, ME, rosters, controls, Arrivals(self.database, ME, controls))

    def entries(self, mailbox: Hash, events: list[Event], key: AeadKey, first_ns: int) -> list[JournalEntry]:
        place = Place(HOME, mailbox)
        blobs = [group_message.seal(MESSAGE_CONTENT, event, ME, _SECRET, _CHAIN, key) for event in events]
        return [
            JournalEntry(number, place, first_ns + number, blob.kind, bytes(blob.inner), 0)
            for number, blob in enumerate(blobs, 1)
        ]

    def understand(self, entries: list[JournalEntry]) -> float:
        """The processor seconds that it takes to open, verify and store these entries, in batches as the inbox has them."""
        began = time.process_time()
        for at in range(0, len(entries), _BATCH):
            batch = entries[at : at + _BATCH]
            (reception,) = self.receptions.of({batch[0].place}).values()
            assert reception is not None
            opened = [(entry, received) for entry in batch if (received := reception.unseal(entry)) is not None]
            with self.database.transaction():
                for entry, received in opened:
                    received.check_signature()
                    reception.take(entry, reception.open(entry, received), None, Outcome())
        return time.process_time() - began


def own_token() -> AuthToken:
    return AuthToken(bytes(range(20)))


def reading(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(Path(folder) / "account.db")
        to = ToGroup(reader.group.id)
        said = [group_command.render(InviteSent(Username(f"@member{number}"))) for number in range(10_000)]
        events = [Event(to, number, MANAGE, Base64Bytes(body)) for number, body in enumerate(said)]
        entries = reader.entries(
            reader.group.management_mailbox, events, reader.descriptor.management_key, reader.began_ns - 10**12
        )
        report("a roster read from its mailbox, processor time", 1000 * reader.understand(entries), "ms", len(entries))
        texts = [
            f"message {number} of many, about as long as people's messages are".encode() for number in range(count)
        ]
        events = [Event(to, number, TEXT, Base64Bytes(body)) for number, body in enumerate(texts)]
        entries = reader.entries(reader.group.messages_mailbox, events, reader.key, reader.began_ns)
        taken = reader.understand(entries)
        report(
            "messages of a group of 10,000 opened, verified and stored, by the core's time", count / taken, "1/s", count
        )
        began = time.process_time()
        roster = reader.rosters.of(reader.group)
        report(
            "its roster from the database, processor time",
            1000 * (time.process_time() - began),
            "ms",
            len(roster.members),
        )
        report("its roster replayed after a late entry, processor time", 1000 * late(reader), "ms", len(roster.members))
        reader.database.close()


def late(reader: Reader) -> float:
    """The processor seconds that an entry costs which turns up before all others."""
    began = time.process_time()
    with reader.database.transaction():
        roster = reader.rosters.of(reader.group)
        reader.rosters.apply(reader.group.chat, roster, ME, InviteSent(Username("@latecomer")), 1, Outcome())
        reader.rosters.conclude(Outcome())
    return time.process_time() - began


def main() -> None:
    rekeys()
    replays(10_000)
    reading(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)


if __name__ == "__main__":
    main()
