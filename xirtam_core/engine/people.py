"""Contacts, requests and blocked people: what `xirtam_core.faces.people` declares, as the engine does it."""

import msgspec

from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.contact_book import LONGEST_PETNAME, ContactBook
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.engine.short_text import one_line
from xirtam_core.errors import NotFound, Refused
from xirtam_core.events import ChatRemoved
from xirtam_core.names import Username
from xirtam_core.people import Contact, SafetyCode, Standing
from xirtam_core.protocol import safety_code
from xirtam_core.storage import chats, group_members
from xirtam_core.storage import peers as stored_peers
from xirtam_core.storage import people as stored
from xirtam_core.storage.database import Database


class People:
    """Whom the account knows, and what its owner says of them."""

    def __init__(
        self, database: Database, session: Session, known: Peers, book: ContactBook, announcer: Announcer
    ) -> None:
        self._database = database
        self._session = session
        self._peers = known
        self._book = book
        self._announcer = announcer

    def people(self) -> list[Contact]:
        """See the face."""
        return stored.contacts(self._database)

    def accept(self, name: Username) -> Contact:
        """See the face."""
        with self._database.transaction():
            person = self._book.person(name)
            chats.open_chat(self._database, name, person.changed_ns)
            self._book.say(msgspec.structs.replace(person, standing=Standing.CONTACT))
        return self._announced(name)

    def block(self, name: Username) -> Contact:
        """See the face."""
        self._book.say(msgspec.structs.replace(self._book.person(name), standing=Standing.BLOCKED))
        return self._announced(name)

    def forget(self, name: Username) -> None:
        """See the face. The identity key that was seen of them stays: that it changed should show if they come back."""
        chat = chats.find(self._database, name)
        if chat is None:
            self._book.person(name)
        with self._database.transaction():
            chats.remove(self._database, name)
            stored.remove(self._database, name)
        self._database.forget_deleted()
        if chat is not None:
            self._announcer.announce(ChatRemoved(name))

    async def safety_code(self, name: Username) -> SafetyCode:
        """See the face."""
        me = self._session.account
        if name == me.username:
            raise Refused("that is this account itself: a safety code is between two")
        peer = await self._peers.identity(name)
        code = safety_code.of((me.username, me.root_hash), (name, peer.root_cert_hash))
        person = stored.find(self._database, name)
        is_verified = person is not None and person.verified_root == peer.root_cert_hash
        known = stored_peers.find(self._database, name)
        former = None if known is None or known.former_root is None else (name, known.former_root)
        return SafetyCode(
            peer=name,
            digits=code.digits,
            text=code.text,
            verified=is_verified,
            former_digits=None if former is None else safety_code.of((me.username, me.root_hash), former).digits,
            devices_changed_s=None if known is None else known.devices_changed_s,
        )

    def shared_groups(self, name: Username) -> list[str]:
        """See the face."""
        return group_members.shared(self._database, self._session.account.username, name)

    async def set_verified(self, name: Username, verified: bool) -> Contact:
        """See the face; raises `Refused` while a changed identity has not been acknowledged."""
        root = None
        if verified:
            self._book.person(name)
            peer = await self._peers.identity(name)
            if peer.alarm is not None:
                raise Refused(f"{peer.alarm} Acknowledge that first, then compare the new safety code.")
            root = peer.root_cert_hash
        self._book.say(msgspec.structs.replace(self._book.person(name), verified_root=root))
        return self._announced(name)

    def set_petname(self, name: Username, petname: str | None) -> Contact:
        """See the face."""
        wanted = one_line(petname, LONGEST_PETNAME, "a petname")
        self._book.say(msgspec.structs.replace(self._book.person(name), petname=wanted))
        return self._announced(name)

    def _announced(self, name: Username) -> Contact:
        self._book.announce(name)
        found = stored.contact(self._database, name)
        if found is None:
            raise NotFound(f"{name} is not known here")
        return found
