"""Groups: what `xirtam_core.faces.groups` declares, as the engine does it (spec: groups.md)."""

import secrets
from collections.abc import Callable

import msgspec

from xirtam_core.chat import Chat, Message, MessageKind
from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto import aead
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.contact_book import ContactBook
from xirtam_core.engine.group_avatars import GroupAvatars
from xirtam_core.engine.group_moves import GroupMoves
from xirtam_core.engine.group_work import GroupWork
from xirtam_core.engine.invitations import EARLIER_NS, Invitations
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.rosters import Rosters
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused, Unreachable, XirtamError
from xirtam_core.events import ChatChanged, ChatRemoved
from xirtam_core.groups import Group, GroupDetails, GroupMember, GroupState, Status
from xirtam_core.names import Username
from xirtam_core.protocol import group_avatar, group_command
from xirtam_core.protocol.account_events import GroupJoined, Membership
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.group_command import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    MOST_PINS,
    AddAdmin,
    Ban,
    Command,
    InviteSent,
    Leave,
    RemoveAdmin,
    SetInfo,
    SetPin,
    SetPolicy,
    Unban,
)
from xirtam_core.protocol.group_invite import INVITE, GroupInvite
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_core.protocol.roster import Roster
from xirtam_core.storage import chats, group_keys, group_members, group_tasks, journal, messages
from xirtam_core.storage import groups as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_tasks import TaskKind
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import Place


class Groups:
    """Groups that the account makes, is invited to, takes part in and leaves."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        known: Peers,
        outbox: Outbox,
        own_devices: OwnDevices,
        book: ContactBook,
        rosters: Rosters,
        work: GroupWork,
        moves: GroupMoves,
        invitations: Invitations,
        avatars: GroupAvatars,
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
        self._moves = moves
        self._invitations = invitations
        self._avatars = avatars
        self._clock = clock
        self._announcer = announcer
        self._on_followed = on_followed

    @property
    def _me(self) -> Username:
        return self._session.account.username

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
            group=self._shown(group),
            roster=tuple(members),
            who_invites=rules.who_invites,
            who_posts=rules.who_posts,
            unsure=tuple(group_members.unsure(self._database, group, "groups")),
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
        self._invitations.accept(self._require(group))
        return self._announced(group)

    def decline(self, group: str) -> None:
        """See the face."""
        self._invitations.decline(self._require(group))
        self._announcer.announce(ChatRemoved(group))

    # Taking part

    async def invite(self, group: str, name: Username) -> None:
        """See the face."""
        known, roster = self._settled(group)
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
        known, _ = self._settled(group)  # again: much may have happened meanwhile
        with self._database.transaction():
            key = group_keys.all_of(self._database, group)[0]
            invite = GroupInvite(known.descriptor, key, token, self._clock.now_ns())
            group_members.note_token(self._database, group, token_hash(token), name)
            self._say(known, InviteSent(name))
            self._book.begin(name)
            chats.open_chat(self._database, name, self._clock.now_ns())
            self._outbox.queue(name, INVITE, invite.render(known.whereabouts))
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
        member = self._rosters.of(known).member(name)
        if member is None or not member.is_active:
            raise NotFound(f"{name} is not in this group")
        if is_admin and member.status is Status.PENDING:  # accepting would make them a member like others again
            raise Refused(f"{name} has not accepted the invitation yet: make them an admin once they are in")
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

    async def set_avatar(self, group: str, content: bytes | None) -> None:
        """See the face."""
        known = self._managed(group)
        avatar = group_avatar.NONE if content is None else await self._avatars.put(known, content)
        self._say(self._managed(group), SetInfo(avatar=avatar))

    async def avatar(self, group: str) -> bytes:
        """See the face."""
        return await self._avatars.get(self._require(group))

    def set_policy(self, group: str, who_invites: str | None = None, who_posts: str | None = None) -> None:
        """See the face."""
        if not {who_invites, who_posts} <= {None, "members", "admins"}:
            raise Malformed("a policy is for members or for admins")
        self._say(self._managed(group), SetPolicy(who_invites, who_posts))

    async def move(self, group: str, server_is_gone: bool = False) -> None:
        """See the face."""
        known = self._managed(group)
        if known.moves_to is not None and not server_is_gone:
            raise Refused(f"the group is on its way to {known.moves_to} already")
        self._moves.begin(known, alone=server_is_gone)
        try:
            await self._moves.work(self._require(group))
        except XirtamError:
            self._moves.give_up(group)
            raise
        finally:
            self._announced(group)
        self._work.hurry()

    def pin(self, group: str, message_id: str, pinned: bool = True) -> None:
        """See the face."""
        known = self._managed(group)
        if pinned and len(known.presentation.pins) >= MOST_PINS:
            raise Refused(f"{MOST_PINS} messages are pinned: take the pin off one of them first")
        if message_id not in known.presentation.pins:  # one that is not here may have its pin taken off
            message = messages.find_in_chat(self._database, group, message_id)
            if message is None or message.message.kind is MessageKind.NOTICE or message.message.is_withdrawn:
                raise NotFound("the group has no such message")
        self._say(known, SetPin(Hash.from_text(message_id), pinned))

    def pins(self, group: str) -> list[Message]:
        """See the face."""
        pins = self._require(group).presentation.pins
        found = (messages.find_in_chat(self._database, group, each) for each in pins)
        return [each.message for each in found if each is not None]

    def mute(self, group: str, muted: bool) -> Chat:
        """See the face."""
        known = self._require(group)
        stored.store(self._database, msgspec.structs.replace(known, is_muted=muted))
        return self._announced(group)

    # Helpers

    def _say(self, group: StoredGroup, command: Command) -> None:
        self._outbox.queue_control(group.chat, MANAGE, group_command.render(command))

    def _now_ns(self) -> int:
        return max(0, self._clock.now_ns() - EARLIER_NS)

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

    def _settled(self, group: str) -> tuple[StoredGroup, Roster]:
        known, roster = self._member_of(group)
        if known.moves_to is not None:
            raise Unreachable(f"the group is on its way to {known.moves_to}: try again in a moment")
        return known, roster

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
