"""What the account makes of people: kept here, and agreed on among its devices (spec: extensions.md, Own devices).

Whatever is said of somebody on one device the others hear as a whole: standing, petname, verification. The last word counts. To order
words that clocks may mislead about, each carries a time later than any that its device has heard about that person.

A requester is one on each device by itself, since each sees what they write: so `request`, said with a petname, makes nobody less than
they are.
"""

from collections.abc import Callable

import msgspec

from xirtam_core.clock import Clock
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.events import ChatChanged
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol.own_device import OwnDeviceEvent
from xirtam_core.storage import chats
from xirtam_core.storage import people as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.people import Person

LONGEST_PETNAME = 64
_LATEST_WORD_NS = 2**62


class ContactEvent(OwnDeviceEvent, frozen=True, tag="contact"):
    """What the account says of somebody from `changed` (Unix nanoseconds) on; `verified` is the root key hash that was compared."""

    name: Username
    standing: Standing
    changed: int
    petname: str | None = None
    verified: Hash | None = None


class ContactBook:
    """Who is known, and as what."""

    def __init__(
        self, database: Database, me: Username, own_devices: OwnDevices, clock: Clock, announcer: Announcer
    ) -> None:
        self._database = database
        self._me = me
        self._own_devices = own_devices
        self._clock = clock
        self._announcer = announcer
        self._followers: list[Callable[[Username], None]] = []
        own_devices.register(ContactEvent, self._take)

    def when_contact(self, then: Callable[[Username], None]) -> None:
        """Calls `then` whenever somebody has become a contact, in the transaction in which they do."""
        self._followers.append(then)

    def person(self, name: Username) -> Person:
        """Somebody who is known; raises `NotFound`."""
        person = stored.find(self._database, name)
        if person is None:
            raise NotFound(f"{name} is not known here: they have not written, and nobody has added them")
        return person

    def begin(self, name: Username) -> None:
        """`name` is about to be written to, which makes them a contact; raises `Refused` for somebody who is blocked."""
        standing = stored.standing(self._database, name)
        if name == self._me or standing is Standing.CONTACT:
            return
        if standing is Standing.BLOCKED:
            raise Refused(f"{name} is blocked here: nothing is sent to them until you accept them again")
        known = stored.find(self._database, name) or Person(username=name, standing=Standing.CONTACT)
        self.say(msgspec.structs.replace(known, standing=Standing.CONTACT))

    def say(self, person: Person) -> None:
        """Keeps what is said of somebody from now on, and tells the account's other devices, if that is news.

        Call it in the transaction of what it belongs to, and `announce` after that.
        """
        with self._database.transaction():
            known = stored.find(self._database, person.username)
            before_ns = 0 if known is None else known.changed_ns
            if known is not None and known == msgspec.structs.replace(person, changed_ns=before_ns):
                return
            changed_ns = min(max(self._clock.now_ns(), before_ns + 1), _LATEST_WORD_NS)
            stored.store(self._database, msgspec.structs.replace(person, changed_ns=changed_ns))
            self._welcome(known, person)
            self._tell(msgspec.structs.replace(person, changed_ns=changed_ns))

    def _welcome(self, before: Person | None, now: Person) -> None:
        if now.standing is Standing.CONTACT and (before is None or before.standing is not Standing.CONTACT):
            for then in self._followers:
                then(now.username)

    def say_again(self, after_ns: int) -> None:
        """Tells the account's other devices once more what was said of people after a time; call it in a transaction."""
        for person in stored.changed_after(self._database, after_ns):
            self._tell(person)

    def _tell(self, person: Person) -> None:
        event = ContactEvent(person.username, person.standing, person.changed_ns, person.petname, person.verified_root)
        self._own_devices.tell(event)

    def announce(self, name: Username) -> None:
        """Tells listeners how the chat with `name` stands, if there is one, once that is on the disk."""
        self._database.when_stored(lambda: self._announce(name))

    def _announce(self, name: Username) -> None:
        if (chat := chats.find(self._database, name)) is not None:
            self._announcer.announce(ChatChanged(chat))

    def _take(self, event: ContactEvent, _sent_at: int, outcome: Outcome) -> None:
        """Another device of this account, or this one, has said something of somebody."""
        if event.name == self._me or not 0 <= event.changed <= _LATEST_WORD_NS:
            raise Malformed("a word on nobody, or from beyond all time")
        if event.petname is not None and len(event.petname) > LONGEST_PETNAME:
            raise Malformed("a petname that is too long")
        known = stored.find(self._database, event.name)
        if known is not None and known.changed_ns > event.changed:
            return
        standing = event.standing
        if standing is Standing.REQUEST and known is not None:
            standing = known.standing
        said = Person(
            username=event.name,
            standing=standing,
            petname=event.petname,
            verified_root=event.verified,
            changed_ns=event.changed,
        )
        is_new_chat = standing is Standing.CONTACT and chats.open_chat(self._database, event.name, self._clock.now_ns())
        if said != known or is_new_chat:
            stored.store(self._database, said)
            self._welcome(known, said)
            outcome.chats.add(event.name)
