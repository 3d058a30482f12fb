"""Groups: what `xirtam_core.faces.groups` declares, as the engine does it (spec: groups.md)."""

import secrets
from collections.abc import Callable

import msgspec

from xirtam_core.chat import Chat
from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto import aead
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.contact_book import ContactBook
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.group_work import GroupWork
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.rosters import Rosters
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.events import ChatChanged, ChatRemoved
from xirtam_core.groups import Group, GroupDetails, GroupMember, GroupState, Status
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol import group_command
from xirtam_core.protocol.account_events import GroupJoined, Membership
from xirtam_core.protocol.event import is_group
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.group_command import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    AddAdmin,
    Ban,
    Command,
    InviteSent,
    Leave,
    RemoveAdmin,
    SetInfo,
    SetPolicy,
    Unban,
)
from xirtam_core.protocol.group_invite import INVITE, GroupInvite
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_core.protocol.roster import Roster
from xirtam_core.storage import chats, group_keys, group_members, group_tasks, journal, messages, people
from xirtam_core.storage import groups as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_tasks import TaskKind
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import Place
from xirtam_core.storage.messages import StoredMessage

_MOST = 5000
_MOST_INVITATIONS = 200
_EARLIER_NS = 600 * 1_000_000_000
"""How long before "now" a reading of messages begins: that is this clock's, and compared with the server's."""


class Groups:
    """Groups that the account makes, is invited to, takes part in and leaves."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        known: Peers,
        outbox: Outbox,
        controls: Controls,
        own_devices: OwnDevices,
        book: ContactBook,
        rosters: Rosters,
        work: GroupWork,
        clock: Clock,
        announcer: Announcer,
        on_followed: Callable[[], None],
    ) -> None:
        """`on_followed` is called when mailboxes are to be read that were not before."""
        self._database = database
        self._session = session
        self._network = network
        self._peers = known
        self._outbox = outbox
        self._own_devices = own_devices
        self._book = book
        self._rosters = rosters
        self._work = work
        self._clock = clock
        self._announcer = announcer
        self._on_followed = on_followed
        controls.when_stored(self._note_invitation)
        book.when_contact(self._note_invitations_of)
        own_devices.register(GroupJoined, self._take)

    @property
    def _me(self) -> Username:
        return self._session.account.username

    async def run(self) -> None:
        """Comes into the groups that this device was told of before."""
        with self._database.transaction():
            for body in stored.take_told(self._database):
                try:
                    self._told(GroupJoined.parse(body.encode()), self._clock.now_ns(), Outcome())
                except Malformed:
                    continue
        self._work.hurry()

    # What there is

    def groups(self) -> list[Group]:
        """See the face."""
        return [chat.group for chat in chats.all_chats(self._database) if chat.group is not None]

    def details(self, group: str) -> GroupDetails:
        """See the face."""
        known = self._require(group)
        roster = self._rosters.of(known)
        members = [
            GroupMember(name=name, status=each.status, is_admin=each.is_admin) for name, each in roster.members.items()
        ]
        members.sort(key=lambda each: (not each.is_admin, each.status is Status.BANNED, each.name))
        rules = roster.presentation
        return GroupDetails(
            group=self._shown(group), roster=tuple(members), who_invites=rules.who_invites, who_posts=rules.who_posts
        )

    # Coming in

    async def create(self, name: str = "") -> Chat:
        """See the face."""
        _check_info(name, None)
        account = self._session.account
        server, device_token = await self._session.server(), await self._session.token()
        now_s = seconds(self._clock)
        nonce = Hash(secrets.token_bytes(Hash.size))
        descriptor = GroupDescriptor(nonce, account.username, now_s, account.server, aead.new_key())
        token = _new_token()
        group = StoredGroup(
            descriptor.id().hex(),
            descriptor,
            account.server,
            token,
            GroupState.MEMBER,
            self._now_ns(),
            rekey_s=now_s + 3600,
        )
        await server.register_group(device_token, group.id)
        for mailbox in group.mailboxes:
            await server.mailbox_acl_edit(device_token, mailbox, MailboxAcl(token_hash(token), True, True, True))
        key = aead.new_key()
        with self._database.transaction():
            stored.store(self._database, group)
            self._rosters.begin(group)
            group_keys.add(self._database, group.chat, key, 0)
            group_members.note_token(self._database, group.chat, token_hash(token), account.username)
            journal.follow(self._database, Place(group.server, group.management_mailbox), token)
            journal.follow(self._database, Place(group.server, group.messages_mailbox), token, group.after_ns)
            chats.open_group(self._database, group.chat, self._clock.now_ns())
            self._own_devices.tell(GroupJoined.of(Membership(descriptor, key, token)))
            if name:
                self._say(group, SetInfo(name=name))
        self._on_followed()
        return self._announced(group.chat)

    def accept(self, group: str) -> Chat:
        """See the face."""
        known = self._require(group)
        if known.state is not GroupState.INVITED:
            return self._chat(group)
        with self._database.transaction():
            stored.store(self._database, msgspec.structs.replace(known, state=GroupState.JOINING, says_accepted=True))
            keys = group_keys.all_of(self._database, group)
            self._own_devices.tell(GroupJoined.of(Membership(known.descriptor, keys[0], known.token)))
        self._work.hurry()
        return self._announced(group)

    def decline(self, group: str) -> None:
        """See the face."""
        if self._require(group).state is not GroupState.INVITED:
            raise Refused("there is no invitation to decline: leave the group instead")
        with self._database.transaction():
            stored.remove(self._database, group)
            chats.remove(self._database, group)
        self._announcer.announce(ChatRemoved(group))

    def _note_invitations_of(self, name: Username) -> None:
        """Somebody has become a contact, whose invitations were a stranger's until now."""
        outcome = Outcome()
        for message in messages.of_type(self._database, name, INVITE):
            self._note_invitation(message, outcome)
        for chat in outcome.chats:
            self.announce(chat)

    def _note_invitation(self, message: StoredMessage, outcome: Outcome) -> None:
        """Somebody invites this account; what an own device sent is an invitation of others."""
        said = message.message
        if said.mime != INVITE or said.mine or said.is_withdrawn or is_group(said.chat):
            return
        invite = GroupInvite.parse(message.body)
        chat, sender = invite.descriptor.id().hex(), message.message.sender
        known = stored.find(self._database, chat)
        if known is not None and not self._may_be_replaced(known, sender):
            return
        if people.standing(self._database, sender) is not Standing.CONTACT or self._is_full():
            return
        after_ns = max(0, invite.created_at - _EARLIER_NS)
        group = StoredGroup(
            chat,
            invite.descriptor,
            invite.descriptor.server,
            invite.token,
            GroupState.INVITED,
            after_ns,
            invited_by=sender,
        )
        stored.store(self._database, group)
        group_keys.remove_all(self._database, chat)
        group_keys.add(self._database, chat, invite.group_key, 0)
        chats.open_group(self._database, chat, self._clock.now_ns())
        outcome.chats.add(chat)

    def _may_be_replaced(self, known: StoredGroup, inviter: Username) -> bool:
        """Whether an invitation may take the place of what opens a group already: where that is refused, or was the same one's."""
        if known.state in stored.READ:
            if not self._shown(known.chat).is_refused:
                return False
            self._rosters.leave(known, GroupState.LEFT)
            return True
        return known.state is not GroupState.INVITED or known.invited_by == inviter

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
        after_ns = max(0, at_ns - _EARLIER_NS) if known is None else known.after_ns
        group = StoredGroup(chat, descriptor, descriptor.server, membership.token, GroupState.JOINING, after_ns)
        if known is not None:
            group = msgspec.structs.replace(group, invited_by=known.invited_by)
        stored.store(self._database, group)
        group_keys.add(self._database, chat, membership.key, 0)
        chats.open_group(self._database, chat, self._clock.now_ns())
        outcome.chats.add(chat)
        self._work.hurry()

    # Taking part

    async def invite(self, group: str, name: Username) -> None:
        """See the face."""
        known, roster = self._member_of(group)
        if not self._shown(group).may_invite:
            raise Refused("only admins invite people to this group")
        member = roster.member(name)
        if member is not None and member.status is Status.BANNED:
            raise Refused(f"{name} is banned from this group: let them in again first")
        if member is not None and member.status is Status.ACCEPTED:
            raise Refused(f"{name} is in this group already")
        await self._peers.look_up(name)
        token = _new_token()
        server = await self._network.home_server(known.server)
        for mailbox in known.mailboxes:
            access = MailboxAcl(token_hash(token), can_edit_acl=False, can_send=True, can_recv=True)
            await server.mailbox_acl_edit(known.token, mailbox, access)
        known, _ = self._member_of(group)  # again: much may have happened meanwhile
        with self._database.transaction():
            key = group_keys.all_of(self._database, group)[0]
            invite = GroupInvite(known.descriptor, key, token, self._clock.now_ns())
            group_members.note_token(self._database, group, token_hash(token), name)
            self._say(known, InviteSent(name))
            self._book.begin(name)
            chats.open_chat(self._database, name, self._clock.now_ns())
            self._outbox.queue(name, INVITE, invite.render())
        self._book.announce(name)

    def leave(self, group: str) -> None:
        """See the face."""
        known = self._require(group)
        if known.state not in stored.READ:
            raise Refused("this account is not in the group (any more)")
        is_out = known.state is GroupState.JOINING or self._shown(group).is_refused
        with self._database.transaction():
            if is_out:
                self._rosters.leave(known, GroupState.LEFT)
            else:
                stored.store(self._database, msgspec.structs.replace(known, state=GroupState.LEAVING, rekey_s=None))
                self._say(known, Leave())
        self._on_followed()
        self._announced(group)

    def forget(self, group: str) -> None:
        """See the face."""
        known = self._require(group)
        if known.state in (GroupState.MEMBER, GroupState.JOINING):
            raise Refused("leave the group first: as long as this account is in it, it goes on")
        with self._database.transaction():
            if known.state is GroupState.LEAVING:
                self._rosters.leave(known, GroupState.LEFT)
            chats.remove(self._database, group)
            stored.remove(self._database, group)
        self._database.forget_deleted()
        self._announcer.announce(ChatRemoved(group))

    # Managing

    def ban(self, group: str, name: Username) -> None:
        """See the face."""
        known = self._managed(group)
        if name == self._me:
            raise Refused("nobody bans themselves: leave the group instead")
        with self._database.transaction():
            self._say(known, Ban(name))
            group_tasks.add(self._database, group, TaskKind.SHUT_OUT, name)
            stored.hasten_rekey(self._database, group, seconds(self._clock))
        self._work.hurry()

    def unban(self, group: str, name: Username) -> None:
        """See the face."""
        known = self._managed(group)
        with self._database.transaction():
            group_tasks.drop(self._database, group, TaskKind.SHUT_OUT, name)
            self._say(known, Unban(name))

    def set_admin(self, group: str, name: Username, is_admin: bool) -> None:
        """See the face."""
        known = self._managed(group)
        if not self._rosters.of(known).is_active(name):
            raise NotFound(f"{name} is not in this group")
        with self._database.transaction():
            self._say(known, AddAdmin(name) if is_admin else RemoveAdmin(name))
            kind, opposite = (TaskKind.EMPOWER, TaskKind.REDUCE) if is_admin else (TaskKind.REDUCE, TaskKind.EMPOWER)
            group_tasks.drop(self._database, group, opposite, name)
            group_tasks.add(self._database, group, kind, name)
        self._work.hurry()

    def set_info(self, group: str, name: str | None = None, description: str | None = None) -> None:
        """See the face."""
        _check_info(name, description)
        self._say(self._managed(group), SetInfo(name=name, description=description))

    def set_policy(self, group: str, who_invites: str | None = None, who_posts: str | None = None) -> None:
        """See the face."""
        if not {who_invites, who_posts} <= {None, "members", "admins"}:
            raise Malformed("a policy is for members or for admins")
        self._say(self._managed(group), SetPolicy(who_invites, who_posts))

    def mute(self, group: str, muted: bool) -> Chat:
        """See the face."""
        known = self._require(group)
        stored.store(self._database, msgspec.structs.replace(known, is_muted=muted))
        return self._announced(group)

    # Helpers

    def _say(self, group: StoredGroup, command: Command) -> None:
        self._outbox.queue_control(group.chat, MANAGE, group_command.render(command))

    def _now_ns(self) -> int:
        return max(0, self._clock.now_ns() - _EARLIER_NS)

    def _require(self, group: str) -> StoredGroup:
        known = stored.find(self._database, group)
        if known is None:
            raise NotFound("there is no such group here")
        return known

    def _member_of(self, group: str) -> tuple[StoredGroup, Roster]:
        known = self._require(group)
        if known.state is not GroupState.MEMBER:
            raise Refused("this account is not in the group (yet, or any more)")
        return known, self._rosters.of(known)

    def _managed(self, group: str) -> StoredGroup:
        known, roster = self._member_of(group)
        if not roster.is_admin(self._me):
            raise Refused("only admins of the group can do that")
        return known

    def _shown(self, group: str) -> Group:
        shown = stored.shown(self._database, group)
        if shown is None:
            raise NotFound("there is no such group here")
        return shown

    def _chat(self, group: str) -> Chat:
        chat = chats.find(self._database, group)
        if chat is None:
            raise NotFound("there is no such group here")
        return chat

    def announce(self, group: str) -> None:
        """Tells listeners how a group stands now."""
        if (chat := chats.find(self._database, group)) is not None:
            self._announcer.announce(ChatChanged(chat))

    def _announced(self, group: str) -> Chat:
        self.announce(group)
        return self._chat(group)


def _new_token() -> AuthToken:
    return AuthToken(secrets.token_bytes(AuthToken.size))


def _check_info(name: str | None, description: str | None) -> None:
    if name is not None and (len(name) > LONGEST_NAME or not name.isprintable()):
        raise Malformed(f"a group's name is one line of {LONGEST_NAME} characters at most")
    if description is not None and len(description) > LONGEST_DESCRIPTION:
        raise Malformed(f"a group's description has {LONGEST_DESCRIPTION} characters at most")
