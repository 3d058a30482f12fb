"""Moving a group to the home server of this account, and following one that moves (docs/protocol/group-moves.md).

The steps are in the database. Whatever breaks off goes on, and whatever is done twice is as if done once: first the mailboxes are made
at the new server and everybody's tokens let in, then the group is told, and once that has come back, which fixes how the group stood,
that is said at the new server. A reader of the last goes there with all that it has; nothing is asked of the members.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence

import msgspec

from xirtam_core.clock import Clock
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, Base64Bytes, Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.group_posting import GroupPosting
from xirtam_core.engine.group_travel import MOST_MOVES_MISSED, where_is
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.rosters import Rosters
from xirtam_core.engine.session import Session
from xirtam_core.errors import Refused, Unreachable, XirtamError
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.control import GROUP_MOVED
from xirtam_core.protocol.event import Event, recipient_of
from xirtam_core.protocol.group_command import MOST_TO_MOVE, MovedHere, MoveServer
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.group_move import GroupMoved
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_core.protocol.opened import Opened
from xirtam_core.protocol.roster import Presentation
from xirtam_core.rpc.envelope import CallError
from xirtam_core.rpc.home_server import AccessDenied, HomeServer
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import group_members, group_words, groups, journal, management_log, places
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_words import Word
from xirtam_core.storage.groups import MoveStep, StoredGroup
from xirtam_core.storage.outbox import Leg

_AT_ONCE = 20
"""How many tokens are let in side by side."""
_HELPS_AFTER_S = 600.0
"""How long an admin waits for another, who moves the group, before saying in their place how it stood."""
_SAID_AGAIN_S, _SAID_AGAIN_MOST_S = 60.0, 6 * 3600.0
_SETTLES_S = 15.0
"""How long a server of another make may show an entry after others that it got later."""

_Key = tuple[str, int, ServerName | None]
"""One move of one group: its chat, how often it had moved, and where it goes."""


class GroupMoves:
    """Does what a move of a group has this device do."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        posting: GroupPosting,
        rosters: Rosters,
        outbox: Outbox,
        controls: Controls,
        clock: Clock,
        on_followed: Callable[[], None],
    ) -> None:
        """`on_followed` is called when a mailbox is to be read with another token."""
        self._database = database
        self._session = session
        self._network = network
        self._posting = posting
        self._rosters = rosters
        self._outbox = outbox
        self._clock = clock
        self._on_followed = on_followed
        self._going: dict[_Key, float] = {}
        """Since when, in this run, groups are on their way."""
        self._not_before: dict[_Key, float] = {}
        self._pauses_s: dict[_Key, float] = {}
        controls.register(GROUP_MOVED, self._take)

    @property
    def _me(self) -> Username:
        return self._session.account.username

    @property
    def _home(self) -> ServerName:
        return self._session.account.server

    def begin(self, group: StoredGroup, *, alone: bool) -> None:
        """Has the group move to the home server of this account, `alone` where its server is gone.

        Where it has moved there already, everybody is told so once more. Raises `Refused` where there is nothing to do, and for a
        group whose roster does not fit into one message.
        """
        if len(group_command.render(self._arrival(group))) > MOST_TO_MOVE:
            raise Refused("the group has too many people to be moved")
        if group.server == self._home and group.moves_to is None:
            if group.snapshot is None:
                raise Refused(f"the group is at {self._home} already")
            step = MoveStep.TELL
        else:
            step = MoveStep.PREPARE_ALONE if alone else MoveStep.PREPARE
        groups.store(self._database, msgspec.structs.replace(group, move_step=step))

    def give_up(self, chat: str) -> None:
        """What `begin` began, and nobody has been told of yet, is not to be done."""
        group = groups.find(self._database, chat)
        if group is not None and group.move_step in (MoveStep.PREPARE, MoveStep.PREPARE_ALONE):
            groups.store(self._database, msgspec.structs.replace(group, move_step=None))

    def is_due(self, group: StoredGroup) -> bool:
        """Whether there is anything to do for the move of a group, if it moves."""
        is_mover = group.move_step is not None
        if group.state is not GroupState.MEMBER or (group.moves_to is None and group.move_step is MoveStep.SAY):
            return False  # what was said is not read back yet
        return is_mover or (group.moves_to is not None and self._has_waited_long(group))

    def _has_waited_long(self, group: StoredGroup) -> bool:
        now, key = asyncio.get_running_loop().time(), (group.chat, group.stay, group.moves_to)
        return now - self._going.setdefault(key, now) > _HELPS_AFTER_S

    async def work(self, group: StoredGroup) -> None:
        """Does the next step for a group; raises `Unreachable` and `Refused` where that cannot be done now."""
        match group.move_step:
            case MoveStep.PREPARE | MoveStep.PREPARE_ALONE:
                await self._prepare(group)
            case MoveStep.SAY_ALONE:
                await self._say_alone(group)
            case MoveStep.TELL:
                await self._tell_everybody(group)
            case _ if group.moves_to is not None:
                await self._say_how_it_stands(group, group.moves_to)
            case _:
                return

    # Making ready

    async def _prepare(self, group: StoredGroup) -> None:
        alone = group.move_step is MoveStep.PREPARE_ALONE
        server, home = await self._session.server(), self._home
        editor = await self._open_mailboxes(server, group)
        listed = None if alone else await self._listed(group)
        await self._let_in(server, editor, group, self._known_rights(group) if listed is None else listed)
        with self._database.transaction():
            now = groups.find(self._database, group.chat)
            if now is None or now.move_step is not group.move_step or home != self._home:
                return  # it has been left, or another was before
            if not self._rosters.of(now).is_admin(self._me):
                groups.store(self._database, msgspec.structs.replace(now, move_step=None))
                return
            step = MoveStep.SAY_AND_TELL if listed is None else MoveStep.SAY
            now = msgspec.structs.replace(now, move_step=MoveStep.SAY_ALONE if alone else step)
            groups.store(self._database, now)
            if alone:
                self._fix_word(now, home)
            else:
                self._outbox.queue_control(group.chat, MANAGE, group_command.render(MoveServer(home, now.stay)))

    def _arrival(self, group: StoredGroup, *, alone: bool = False) -> MovedHere:
        """How the group stands, as far as is known here."""
        roster = self._rosters.of(group)
        if not alone:
            return roster.arrival(group.server, group.moved_ns, is_gone=False)
        after_ns = max(places.latest_received(self._database, group.chat), group.arrived_ns)
        read_ns = management_log.newest_ns(self._database, group.chat)
        return roster.arrival(group.server, max(after_ns, read_ns), is_gone=True, read_ns=read_ns)

    def _event(self, group: StoredGroup, said: MovedHere) -> Event:
        sent_at = stored_account.next_sent_at(self._database, self._clock.now_ns())
        return Event(recipient_of(group.chat), sent_at, MANAGE, Base64Bytes(group_command.render(said)))

    def _fix_word(self, group: StoredGroup, home: ServerName) -> None:
        """What is said at the new server is fixed before it is posted, so that it is the same however often that has to be tried."""
        event = self._event(group, self._arrival(group, alone=True))
        group_words.remove_own(self._database, group.chat)
        self._rosters.travel.hear(group, Word(home, event.hash(), self._me, event=bcs.encode(event)))

    async def _open_mailboxes(self, server: HomeServer, group: StoredGroup) -> AuthToken:
        """Makes the group's mailboxes, with all rights for this account's token; gives the token that may say who has which."""
        token = await self._session.token()
        try:
            await server.register_group(token, group.id)
        except AccessDenied:
            token = group.token  # it has been there before, registered by another device
        mine = MailboxAcl(token_hash(group.token), can_edit_acl=True, can_send=True, can_recv=True)
        try:
            for mailbox in group.mailboxes:
                await server.mailbox_acl_edit(token, mailbox, mine)
        except AccessDenied:
            raise Refused(f"{self._home} has this group under somebody else's hand") from None
        return token

    async def _listed(self, group: StoredGroup) -> list[MailboxAcl] | None:
        """Who may do what where the group is now, without those who are shut out; None where the server does not say."""
        listed = await _rights_at(await self._network.home_server(group.server), group)
        if listed is None:
            return None
        shut_out, admins = self._shut_out(group), self._tokens_of(group, self._rosters.of(group).admins())
        return [
            # Who may say who has which rights goes by the roster, not by what a server lists that one leaves.
            msgspec.structs.replace(each, can_edit_acl=each.token_hash in admins)
            for each in listed
            if each.token_hash not in shut_out
        ]

    def _shut_out(self, group: StoredGroup) -> set[Hash]:
        members = self._rosters.of(group).members
        return self._tokens_of(group, [name for name, member in members.items() if member.status is Status.BANNED])

    def _tokens_of(self, group: StoredGroup, names: Iterable[Username]) -> set[Hash]:
        return {token for name in names for token in group_members.tokens(self._database, group.chat, name)}

    def _known_rights(self, group: StoredGroup) -> list[MailboxAcl]:
        roster = self._rosters.of(group)
        return [
            MailboxAcl(token, roster.is_admin(name), can_send=True, can_recv=True)
            for name in roster.active()
            for token in group_members.tokens(self._database, group.chat, name)
        ]

    async def _let_in(
        self, server: HomeServer, editor: AuthToken, group: StoredGroup, rights: Iterable[MailboxAcl]
    ) -> None:
        turn = asyncio.Semaphore(_AT_ONCE)

        async def let_in(each: MailboxAcl) -> None:
            async with turn:
                for mailbox in group.mailboxes:
                    await server.mailbox_acl_edit(editor, mailbox, each)

        own = {token_hash(group.token), token_hash(editor)}
        await asyncio.gather(*(let_in(each) for each in rights if each.token_hash not in own))

    # Saying how it stands

    async def _say_how_it_stands(self, group: StoredGroup, server: ServerName) -> None:
        """The first word at the new server. Said twice, the first one counts."""
        key = (group.chat, group.stay, server)
        if not self._is_turn(key):
            return
        since = self._going.setdefault(key, asyncio.get_running_loop().time())
        waited_s = asyncio.get_running_loop().time() - since
        if group.move_step is MoveStep.SAY_AND_TELL and waited_s < _SETTLES_S:
            raise Unreachable("what was said before the move may still turn up")
        if group.move_step is MoveStep.SAY:
            await self._let_the_latest_in(group, waited_s)
        if self._rosters.of(group).is_admin(self._me):
            await self._posting.manage(group, server, self._event(group, self._arrival(group)))
            self._has_said(key)

    async def _let_the_latest_in(self, group: StoredGroup, waited_s: float) -> None:
        """Who has come in since the tokens were listed is let in too; if that cannot be asked any more, all are told and let in."""
        try:
            listed = await self._listed(group)
        except XirtamError:
            if waited_s < _HELPS_AFTER_S:
                raise
            listed = None
        if listed is None:
            groups.store(self._database, msgspec.structs.replace(group, move_step=MoveStep.SAY_AND_TELL))
            return
        server = await self._session.server()
        here = set(await _rights_at(server, group) or ())
        await self._let_in(server, group.token, group, [each for each in listed if each not in here])

    async def _say_alone(self, group: StoredGroup) -> None:
        """The first word at the new server, of a group whose old one is gone."""
        for word in group_words.all_of(self._database, group.chat):
            key = (group.chat, group.stay, word.server)
            if word.event is not None and self._is_turn(key):
                await self._posting.manage(group, word.server, bcs.decode(Event, word.event))
                self._has_said(key)

    def _is_turn(self, key: _Key) -> bool:
        return asyncio.get_running_loop().time() >= self._not_before.get(key, 0.0)

    def _has_said(self, key: _Key) -> None:
        """It is said again only where it is not read back, and ever more rarely."""
        self._pauses_s[key] = min(2 * self._pauses_s.get(key, _SAID_AGAIN_S / 2), _SAID_AGAIN_MOST_S)
        self._not_before[key] = asyncio.get_running_loop().time() + self._pauses_s[key]

    # Telling by direct messages

    async def _tell_everybody(self, group: StoredGroup) -> None:
        """Tells each member where the group is, with a token where none of theirs is known here: it may not have been let in."""
        fresh: dict[Username, AuthToken] = {}
        active = [name for name in self._rosters.of(group).active() if name != self._me]
        for name in active:
            if not group_members.tokens(self._database, group.chat, name):
                fresh[name] = AuthToken(secrets.token_bytes(AuthToken.size))
        server = await self._network.home_server(group.server)
        rights = [
            MailboxAcl(token_hash(token), can_edit_acl=False, can_send=True, can_recv=True) for token in fresh.values()
        ]
        await self._let_in(server, group.token, group, rights)
        with self._database.transaction():
            now = groups.find(self._database, group.chat)
            if now is None or now.move_step is not MoveStep.TELL:
                return
            for name, token in fresh.items():
                group_members.note_token(self._database, group.chat, token_hash(token), name)
            for name in [*active, self._me]:
                token = fresh.get(name)
                said = where_is(now, None if token is None else token.text())
                leg = Leg.SELF if name == self._me else Leg.PEER
                self._outbox.queue_control(name, GROUP_MOVED, said.render(), [leg])
            groups.store(self._database, msgspec.structs.replace(now, move_step=None))

    def _take(self, opened: Opened, outcome: Outcome) -> None:
        """A member says where the group is: an admin, as far as is known here, or whoever has invited this account."""
        said = GroupMoved.parse(opened.event.body)
        group = groups.find(self._database, said.group.hex())
        if group is None or not self._may_say(group, opened.sender) or said.snapshot == group.snapshot:
            self._let_myself_in(group, said)
            return
        outcome.chats.add(group.chat)
        word = Word(said.server, said.snapshot, opened.sender, said.new_token)
        if group.state is GroupState.INVITED or (group.state is GroupState.JOINING and said.stay > group.stay):
            self._put_there(group, word, said.stay)
        elif said.stay < group.stay:
            return
        elif group.state is GroupState.LEFT:
            group = msgspec.structs.replace(
                group, state=GroupState.LEAVING
            )  # they have not read that this account has left
            groups.store(self._database, group)
            self._rosters.travel.hear(group, word)
        elif group.state in groups.READ:
            self._rosters.travel.hear(group, word)
            outcome.is_to_read_again |= said.server == group.server

    def _put_there(self, group: StoredGroup, word: Word, stay: int) -> None:
        """Who has not come in yet comes in where the group is now."""
        if not group.stay < stay <= group.stay + MOST_MOVES_MISSED:
            return
        for mailbox in group.mailboxes:
            journal.unfollow_everywhere(self._database, mailbox)
        there = msgspec.structs.replace(
            group,
            server=word.server,
            awaited=word.snapshot,
            token=word.token or group.token,
            presentation=msgspec.structs.replace(Presentation(), stay=stay),
        )
        groups.store(self._database, there)
        self._database.when_stored(self._on_followed)

    def _may_say(self, group: StoredGroup, sender: Username) -> bool:
        if sender in (self._me, group.invited_by):
            return True
        return group.state is not GroupState.INVITED and self._rosters.of(group).is_admin(sender)

    def _let_myself_in(self, group: StoredGroup | None, said: GroupMoved) -> None:
        """Told of where the group is known to be: with a token that lets this account in, if its own does not."""
        token = said.new_token
        if group is None or token is None or said.snapshot != group.snapshot or group.state not in groups.READ:
            return
        if groups.is_refused(self._database, group.chat):
            groups.store(self._database, msgspec.structs.replace(group, token=token))
            for each in journal.followed(self._database, group.server):
                if each.place.mailbox in group.mailboxes:
                    journal.follow(self._database, each.place, token)
            self._database.when_stored(self._on_followed)


async def _rights_at(server: HomeServer, group: StoredGroup) -> Sequence[MailboxAcl] | None:
    """Who may do what with a group's mailboxes at a server, None where it does not say."""
    try:
        return await server.mailbox_acl_list(group.token, group.messages_mailbox)
    except (AccessDenied, CallError):  # the latter by a server of another make
        return None
