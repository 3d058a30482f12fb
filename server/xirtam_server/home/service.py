"""The home server's methods: each checks what its caller may do and hands on to the module that knows the rest."""

import asyncio
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

from xirtam_core.codec.primitives import AuthToken, Hash, Signature
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.attachment import Leaf, Node
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import (
    AclEdit,
    MailboxAcl,
    MailboxEntry,
    ReceiveFrom,
    group_management_mailbox,
    group_messages_mailbox,
    judge_edit,
    rights_of,
)
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.rpc.home_server import (
    AccessDenied,
    Challenge,
    HomeServer,
    ProxyNotSupported,
    ServerInfo,
    ServerLimits,
)
from xirtam_core.rpc.service import RawJson, without_task
from xirtam_server.home import profiles, sending
from xirtam_server.home.devices import Devices, UserDirectory
from xirtam_server.home.fragment_purging import FragmentPurger
from xirtam_server.home.fragments import Fragments
from xirtam_server.home.open_mailboxes import OpenMailbox, OpenMailboxes
from xirtam_server.home.preparations import Preparations
from xirtam_server.home.proxying import Forwarder
from xirtam_server.home.purging import Purger
from xirtam_server.home.receiving import Receiver
from xirtam_server.home.rechecking import Rechecker
from xirtam_server.home.registration import Registrar
from xirtam_server.home.settings import HomeSettings
from xirtam_server.home.throttle import Throttle
from xirtam_server.home.waiters import Waiters
from xirtam_server.storage.bodies import BodyStore, open_bodies
from xirtam_server.storage.interface import HomeStore
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.opening import open_store

if TYPE_CHECKING:
    from xirtam_server.storage.postgres.settings import PostgresSettings

_SOFTWARE = f"xirtam {version('xirtam')}"
_MOST_LISTED = 7_600
"""Entries of an access list that fit an answer of 1 MiB."""
_FEATURES = ("device_auth_challenge", "acl_list", "invites")


class HomeService(HomeServer):
    """What callers reach; `open` makes one."""

    def __init__(
        self,
        settings: HomeSettings,
        store: HomeStore,
        mailboxes: OpenMailboxes,
        waiters: Waiters,
        directory: UserDirectory,
        bodies: BodyStore,
        forwarder: Forwarder | None = None,
    ) -> None:
        limits = settings.limits
        self._settings, self._store, self._mailboxes, self._waiters = settings, store, mailboxes, waiters
        self._limits = limits
        self.throttle = Throttle(settings.rates)
        self._registrar = Registrar(settings.registration, store)
        prepared_s = settings.registration.prepared_s
        self._devices = Devices(settings.name, store, directory, limits, self._registrar, self.throttle, prepared_s)
        self._receiver = Receiver(store, mailboxes, waiters, self.throttle, limits)
        self._bodies, self._fragments = bodies, Fragments(store, bodies, settings.fragments)
        self._forwarder = forwarder
        self._fragment_purger = FragmentPurger(store, bodies, settings.fragments, limits)
        self._purger = Purger(
            store, limits, Preparations(settings.name, store, self._devices.look_up, limits.purge_step)
        )
        self._end_by: float | None = None
        self._rechecker = Rechecker(store, waiters, limits.recheck_s) if store.is_shared else None

    @classmethod
    async def open(
        cls,
        settings: HomeSettings,
        database: str | Path,
        directory: UserDirectory,
        fragments: str,
        store_limits: StoreLimits | None = None,
        forwarder: Forwarder | None = None,
        postgres: "PostgresSettings | None" = None,
    ) -> "HomeService":
        """The home server with its `database` (as `open_store` takes it); device authentication asks `directory`.

        `fragments` is where attachments are kept (as `open_bodies` takes it).
        `forwarder`, which whoever made it closes, does what is asked of proxies; None: nothing is forwarded.
        """
        limits = settings.limits
        waiters = Waiters(limits)
        mailboxes = OpenMailboxes(
            waiters.wake,
            waiters.is_watched,
            most_rights=limits.most_open_rights,
            recent_bytes=limits.recent_bytes,
            most_missing=limits.most_unknown_remembered,
        )
        bodies = await open_bodies(fragments)
        store = await open_store(database, mailboxes, store_limits, postgres)
        return cls(settings, store, mailboxes, waiters, directory, bodies, forwarder)

    def stop_waiting(self) -> None:
        """Answers the parked polls, and from now on every poll, at once; gives up what is being forwarded.

        The time that `close` has runs from here, so that it and the answers before it take no longer together.
        """
        if self._end_by is None:
            self._end_by = asyncio.get_running_loop().time() + self._limits.close_s
        self._waiters.close()
        if self._forwarder is not None:
            self._forwarder.stop()

    @property
    def polls_let_go(self) -> Mapping[str, int]:
        """How many polls were answered early to make room, by the bound that was reached."""
        return self._waiters.let_go

    @property
    def forwarded_given_up(self) -> int:
        """How many forwarded calls were given up to make room for others."""
        return 0 if self._forwarder is None else self._forwarder.given_up

    @property
    def parked(self) -> int:
        """How many polls wait."""
        return len(self._waiters)

    @property
    def store(self) -> HomeStore:
        """What it keeps, for those who look after it."""
        return self._store

    async def close(self) -> None:
        """Finishes what was begun, within `HomeLimits.close_s` of `stop_waiting`, and lets go of the database."""
        self.stop_waiting()
        assert self._end_by is not None
        await self._purger.close()
        await self._fragment_purger.close()
        if self._rechecker is not None:
            await self._rechecker.close()
        await self._store.close(max(self._end_by - asyncio.get_running_loop().time(), 0.0))
        await self._bodies.close()

    async def server_info(self) -> ServerInfo:
        fragments = self._settings.fragments
        limits = ServerLimits(
            self._limits.max_message_bytes, self._limits.max_ttl_s, fragments.quota_bytes, fragments.max_bytes
        )
        policy = self._settings.registration
        features = (*_FEATURES, "prepare") if policy.prepared_s > 0 else _FEATURES
        return ServerInfo(self._settings.name, _SOFTWARE, features, limits, policy.new_users)

    async def device_auth_start(self, username: Username) -> Challenge:
        await self.throttle.costly()
        return self._devices.challenge(username)

    async def device_auth_finish(
        self, username: Username, chain: CertificateChain, challenge: Hash, signature: Signature
    ) -> AuthToken:
        await self.throttle.costly()
        return await self._devices.answer_challenge(username, chain, challenge, signature)

    async def device_auth(self, username: Username, chain: CertificateChain) -> AuthToken:
        if not self._settings.legacy_device_auth:
            raise AccessDenied
        await self.throttle.costly()
        return await self._devices.admit(username, chain)

    async def redeem_invite(self, username: Username, invite: AuthToken) -> None:
        await self.throttle.invite()
        await self._registrar.redeem(username, invite)

    async def device_certs(self, username: Username) -> Mapping[Hash, CertificateChain] | None:
        return await self._devices.certificates(username)

    async def device_medium_pks(self, username: Username) -> Mapping[Hash, SignedMediumKey]:
        return await self._store.medium_keys(username)

    async def device_add_medium_pk(self, auth: AuthToken, key: SignedMediumKey) -> None:
        await self._devices.publish_medium_key(auth, key)

    async def profile(self, username: Username) -> UserProfile | None:
        return await self._store.profile(username)

    async def profile_set(self, username: Username, profile: UserProfile) -> None:
        await self.throttle.costly()
        await profiles.publish(self._store, username, profile, self._limits.max_profile_bytes)

    @without_task
    async def mailbox_send(self, auth: AuthToken, mailbox: Hash, message: Blob, ttl: int) -> int:
        limits = self._limits
        sender = token_hash(auth)
        found = self._mailboxes.find_open(mailbox)
        if found is None:
            found = await asyncio.create_task(self._find_or_slow_down(mailbox))
        if not rights_of(sender, found.state.access).can_send:
            if not self._store.is_shared:
                raise AccessDenied
            found = await asyncio.create_task(sending.judge_again(self._store, self._mailboxes, sender, mailbox))
        if len(message.inner) > limits.max_message_bytes or len(message.kind) > limits.max_kind_bytes:
            raise AccessDenied
        if self.throttle.limits_sends and (sender == ANONYMOUS_HASH or sender not in found.state.access):
            found = await asyncio.create_task(self._hold_back(found, sender, message))
        if limits.max_ttl_s:
            ttl = min(ttl or limits.max_ttl_s, limits.max_ttl_s)
        if self._store.is_shared:
            return await asyncio.create_task(sending.append(self._store, self._mailboxes, found, sender, message, ttl))
        return await self._store.append(found.state, sender, message, ttl)

    async def _hold_back(self, found: OpenMailbox, sender: Hash, message: Blob) -> OpenMailbox:
        """Holds a stranger to the rates; the mailbox as it is by then. A device of this server is no stranger."""
        mailbox = found.state.name
        is_stranger = sender == ANONYMOUS_HASH or not await self._devices.is_known(sender)
        if is_stranger and not await self.throttle.send(mailbox, len(message.inner)):
            return found
        again = await self._find_or_slow_down(mailbox)
        if not rights_of(sender, again.state.access).can_send:
            raise AccessDenied
        return again

    async def mailbox_multirecv(
        self, mailboxes: tuple[ReceiveFrom, ...], timeout_ms: int
    ) -> Mapping[Hash, tuple[MailboxEntry, ...]]:
        # JSON ready made, which the dispatcher passes on: entries are encoded once however often they are read.
        received = self._receiver.receive(mailboxes, timeout_ms)
        del mailboxes  # thousands of calls may wait for minutes with thousands of cursors each
        answer = await received
        return cast("Mapping[Hash, tuple[MailboxEntry, ...]]", answer)

    async def mailbox_acl_edit(self, auth: AuthToken, mailbox: Hash, acl: MailboxAcl) -> None:
        caller = token_hash(auth)
        if not self._store.is_shared and not await self._is_change(caller, mailbox, acl):
            return
        if await self._store.edit_access(mailbox, caller, acl) is AclEdit.REFUSE:
            raise AccessDenied

    async def _is_change(self, caller: Hash, mailbox: Hash, acl: MailboxAcl) -> bool:
        """Whether an edit, by what is in memory, has anything to write: who may not edit shall not keep the writer busy."""
        found = await self._find_or_slow_down(mailbox)
        match judge_edit(caller, acl, found.state.access):
            case AclEdit.REFUSE:
                raise AccessDenied
            case AclEdit.NOTHING:
                return False
            case AclEdit.DELETE:
                return caller in found.state.access
            case AclEdit.STORE:
                return True

    async def _find_or_slow_down(self, mailbox: Hash) -> OpenMailbox:
        """The mailbox; raises `AccessDenied` for one that is not there, and not too often, as only the store can tell."""
        found = await self._mailboxes.find(mailbox, self._store)
        if found is None:
            await self.throttle.costly()
            raise AccessDenied
        return found

    async def mailbox_acl_list(self, auth: AuthToken, mailbox: Hash) -> tuple[MailboxAcl, ...]:
        found = await self._find_or_slow_down(mailbox)
        if not rights_of(token_hash(auth), found.state.access).can_edit_acl:
            raise AccessDenied
        if len(found.state.access) > _MOST_LISTED:
            raise AccessDenied
        return tuple(found.state.access.values())

    async def register_group(self, auth: AuthToken, group: Hash) -> None:
        device = await self._devices.find(auth)
        both = (group_messages_mailbox(group), group_management_mailbox(group))
        if not await self._store.register_group(device.user, token_hash(auth), both):
            raise AccessDenied

    async def proxy_server(self, auth: AuthToken, server: ServerName, request: RawJson) -> RawJson:
        forwarder, user = await self._may_forward(auth)
        return await forwarder.to_server(user, server, request)

    async def proxy_directory(self, auth: AuthToken, request: RawJson) -> RawJson:
        forwarder, user = await self._may_forward(auth)
        return await forwarder.to_directory(user, request)

    async def _may_forward(self, auth: AuthToken) -> tuple[Forwarder, Username]:
        if self._forwarder is None:
            raise ProxyNotSupported
        try:
            device = await self._devices.find(auth)
        except AccessDenied:
            raise ProxyNotSupported from None
        return self._forwarder, device.user

    async def upload_frag(self, auth: AuthToken, fragment: Node | Leaf, ttl: int) -> None:
        device = await self._devices.find(auth)
        await self._fragments.keep(device.user, fragment, ttl)

    async def download_frag(self, fragment: Hash) -> Node | Leaf | None:
        # JSON ready made, as above.
        return cast("Node | Leaf | None", await self._fragments.find(fragment))
