"""Asking to be let into groups: what `xirtam_core.faces.asking` declares, as the engine does it (docs/protocol/named-groups.md).

What comes of it is an ordinary invitation. It is accepted without a person where it is by an admin who was asked and for the very
group that was asked for, which the hash of its descriptor says; any other is looked at by a person, as ever.
"""

from typing import Final

from xirtam_core.clock import Clock
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.engine.contact_book import ContactBook
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.invitations import Invitations
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused, SecurityAlarm, Unreachable
from xirtam_core.group_entry import Asked, FoundGroup
from xirtam_core.group_link import PREFIX, GroupLink
from xirtam_core.groups import GroupState
from xirtam_core.names import GroupName, Username
from xirtam_core.people import Standing
from xirtam_core.protocol.event import is_group
from xirtam_core.protocol.group_entry import (
    GOOD_NS,
    GROUP_ANSWER,
    GROUP_ASK,
    LONGEST_NOTE,
    GroupAnswer,
    GroupAsk,
)
from xirtam_core.protocol.group_invite import INVITE, GroupInvite
from xirtam_core.protocol.group_name import find_doubt, find_listing
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import asked as stored
from xirtam_core.storage import chats, groups, people
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage
from xirtam_core.storage.outbox import Leg

_MOST: Final = 200


class Asking:
    """Looks groups up, and asks their admins."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        known: Peers,
        outbox: Outbox,
        controls: Controls,
        book: ContactBook,
        invitations: Invitations,
        clock: Clock,
    ) -> None:
        """Make it after `invitations`, which keeps what comes before it is accepted here."""
        self._database = database
        self._session = session
        self._network = network
        self._peers = known
        self._outbox = outbox
        self._book = book
        self._invitations = invitations
        self._clock = clock
        controls.when_stored(self._note_invitation)
        controls.register(GROUP_ANSWER, self._take_answer)

    # Asking

    async def look_up(self, name: GroupName) -> FoundGroup:
        """See the face."""
        item = await self._network.item(name)
        listing = find_listing(item.state, name)
        if listing is None:
            raise NotFound(f"the directory lists no group {name}")
        return FoundGroup(
            name=name,
            group=listing.group.hex(),
            title=listing.title,
            admins=listing.admins,
            doubt=find_doubt(item.history, name),
        )

    async def join(
        self, target: str, note: str = "", admin: Username | None = None, in_spite_of_doubt: bool = False
    ) -> Asked:
        """See the face."""
        if len(note) > LONGEST_NOTE:
            raise Malformed(f"a note has {LONGEST_NOTE} characters at most")
        if target.strip().startswith(PREFIX):
            link = GroupLink.parse(target)
            await self._check_link(link)
            return await self._ask(link.group.hex(), link.name, link.admin, note, link.secret)
        name = GroupName.parse(target.strip())
        found = await self.look_up(name)
        if stored.under(self._database, name) - {found.group}:
            raise SecurityAlarm(
                f"{name} meant another group when you asked for it before. Nobody was asked: find out from its people what happened"
            )
        if found.doubt is not None and not in_spite_of_doubt:
            raise Refused(f"{found.doubt}. Nobody was asked: say so if you mean it all the same")
        return await self._ask(found.group, name, self._choose(found, admin), note, None)

    async def _check_link(self, link: GroupLink) -> None:
        """Raises `SecurityAlarm` where the directory, if it answers, knows another group by the link's name."""
        if link.name is None:
            return
        try:
            found = await self.look_up(link.name)
        except (NotFound, Unreachable):
            return
        if found.group != link.group.hex():
            raise SecurityAlarm(f"this link is for another group than {link.name}. Nobody was asked")

    def _choose(self, found: FoundGroup, admin: Username | None) -> Username:
        """Whom to ask: who is named, else the first who has not been asked, else who was asked longest ago."""
        listed = [each for each in found.admins if people.standing(self._database, each) is not Standing.BLOCKED]
        if admin is not None and admin not in found.admins:
            raise Refused(f"{admin} is not among those who may be asked about {found.name}: {', '.join(found.admins)}")
        if admin is not None:
            return admin
        if not listed:
            raise Refused(f"nobody can be asked about {found.name}")
        before = [each.admin for each in stored.of(self._database, found.group)]
        fresh = [each for each in listed if each not in before]
        return fresh[0] if fresh else next(each for each in before + listed if each in listed)

    async def _ask(
        self, group: str, name: GroupName | None, admin: Username, note: str, secret: AuthToken | None
    ) -> Asked:
        self._check_standing(group, admin)
        await self._peers.look_up(admin)
        asked = Asked(group=group, name=name, admin=admin, asked_at=self._clock.now_ns(), is_refused=False)
        body = GroupAsk(Hash.from_text(group), name, note, None if secret is None else secret.text())
        with self._database.transaction():
            if stored.find(self._database, group, admin) is None and stored.count(self._database) >= _MOST:
                raise Refused(f"{_MOST} groups have been asked for already: cancel some")
            self._book.begin(admin)
            chats.open_chat(self._database, admin, self._clock.now_ns())
            stored.store(self._database, asked)
            self._outbox.queue_control(admin, GROUP_ASK, body.render(), [Leg.PEER])
        self._book.announce(admin)
        return asked

    def _check_standing(self, group: str, admin: Username) -> None:
        if admin == self._session.account.username:
            raise Refused("that is this account itself, which is an admin of the group")
        known = groups.find(self._database, group)
        if known is not None and known.state is GroupState.INVITED:
            raise Refused("this account is invited to that group already: accept that")
        if known is not None and known.state in groups.READ and not groups.is_refused(self._database, group):
            raise Refused("this account is in that group already")

    def asked(self) -> list[Asked]:
        """See the face."""
        return stored.of(self._database)

    def cancel(self, group: str) -> None:
        """See the face."""
        if not stored.remove(self._database, group):
            raise NotFound("that group has not been asked for")

    # What comes of it

    def _note_invitation(self, message: StoredMessage, outcome: Outcome) -> None:
        said = message.message
        if said.mime != INVITE or said.mine or said.is_withdrawn or is_group(said.chat):
            return
        chat = GroupInvite.parse(message.body).descriptor.id().hex()
        asked, known = stored.find(self._database, chat, said.sender), groups.find(self._database, chat)
        if asked is None or asked.is_refused or self._clock.now_ns() - asked.asked_at > GOOD_NS:
            return
        if known is None or known.state is not GroupState.INVITED or known.invited_by != said.sender:
            return
        stored.remove(self._database, chat)
        self._invitations.accept(known)
        outcome.chats.add(chat)

    def _take_answer(self, opened: Opened, outcome: Outcome) -> None:
        answer = GroupAnswer.parse(opened.event.body)
        if answer.refused and stored.refuse(self._database, answer.group.hex(), opened.sender):
            outcome.chats.add(opened.sender)
