"""The home server's methods: each checks what its caller may do and hands on to the module that knows the rest."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

from xirtam_core.codec.primitives import AuthToken, Hash, Signature
from xirtam_core.crypto.hashing import token_hash
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
from xirtam_core.rpc.service import RawJson
from xirtam_server.home import profiles, sending
from xirtam_server.home.devices import Devices, UserDirectory
from xirtam_server.home.open_mailboxes import OpenMailboxes
from xirtam_server.home.purging import Purger
from xirtam_server.home.receiving import Receiver
from xirtam_server.home.rechecking import Rechecker
from xirtam_server.home.settings import HomeSettings
from xirtam_server.home.waiters import Waiters
from xirtam_server.storage.interface import HomeStore
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.opening import open_store

if TYPE_CHECKING:
    from xirtam_server.storage.postgres.settings import PostgresSettings

_SOFTWARE = f"xirtam {version('xirtam')}"
_FEATURES = ("device_auth_challenge",)


class HomeService(HomeServer):
    """What callers reach; `open` makes one."""

    def __init__(
        self,
        settings: HomeSettings,
        store: HomeStore,
        mailboxes: OpenMailboxes,
        waiters: Waiters,
        directory: UserDirectory,
    ) -> None:
        limits = settings.limits
        self._settings, self._store, self._mailboxes, self._waiters = settings, store, mailboxes, waiters
        self._limits = limits
        self._devices = Devices(settings.name, store, directory, limits)
        self._receiver = Receiver(store, mailboxes, waiters, limits)
        self._purger = Purger(store, limits)
        self._rechecker = Rechecker(store, waiters, limits.recheck_s) if store.is_shared else None

    @classmethod
    async def open(
        cls,
        settings: HomeSettings,
        database: str | Path,
        directory: UserDirectory,
        store_limits: StoreLimits | None = None,
        postgres: "PostgresSettings | None" = None,
    ) -> "HomeService":
        """The home server with its `database` (as `open_store` takes it); device authentication asks `directory`."""
        limits = settings.limits
        waiters = Waiters(limits.most_polls, limits.most_polls_per_peer)
        mailboxes = OpenMailboxes(
            waiters.wake, waiters.is_watched, most_rights=limits.most_open_rights, recent_bytes=limits.recent_bytes
        )
        store = await open_store(database, mailboxes, store_limits, postgres)
        return cls(settings, store, mailboxes, waiters, directory)

    def stop_waiting(self) -> None:
        """Answers the parked polls, and from now on every poll, at once."""
        self._waiters.close()

    @property
    def parked(self) -> int:
        """How many polls wait."""
        return len(self._waiters)

    async def close(self) -> None:
        """Finishes what was begun and lets go of the database."""
        self.stop_waiting()
        await self._purger.close()
        if self._rechecker is not None:
            await self._rechecker.close()
        await self._store.close()

    async def server_info(self) -> ServerInfo:
        limits = ServerLimits(self._limits.max_message_bytes, self._limits.max_ttl_s)
        return ServerInfo(self._settings.name, _SOFTWARE, _FEATURES, limits)

    async def device_auth_start(self, username: Username) -> Challenge:
        return self._devices.challenge(username)

    async def device_auth_finish(
        self, username: Username, chain: CertificateChain, challenge: Hash, signature: Signature
    ) -> AuthToken:
        return await self._devices.answer_challenge(username, chain, challenge, signature)

    async def device_auth(self, username: Username, chain: CertificateChain) -> AuthToken:
        if not self._settings.legacy_device_auth:
            raise AccessDenied
        return await self._devices.admit(username, chain)

    async def device_certs(self, username: Username) -> Mapping[Hash, CertificateChain] | None:
        return await self._devices.certificates(username)

    async def device_medium_pks(self, username: Username) -> Mapping[Hash, SignedMediumKey]:
        return await self._store.medium_keys(username)

    async def device_add_medium_pk(self, auth: AuthToken, key: SignedMediumKey) -> None:
        await self._devices.publish_medium_key(auth, key)

    async def profile(self, username: Username) -> UserProfile | None:
        return await self._store.profile(username)

    async def profile_set(self, username: Username, profile: UserProfile) -> None:
        await profiles.publish(self._store, username, profile, self._limits.max_profile_bytes)

    async def mailbox_send(self, auth: AuthToken, mailbox: Hash, message: Blob, ttl: int) -> int:
        limits = self._limits
        sender = token_hash(auth)
        found = self._mailboxes.find_open(mailbox) or await self._mailboxes.find(mailbox, self._store)
        if found is None or not rights_of(sender, found.state.access).can_send:
            found = await sending.judge_again(self._store, self._mailboxes, sender, mailbox)
        if len(message.inner) > limits.max_message_bytes or len(message.kind) > limits.max_kind_bytes:
            raise AccessDenied
        if limits.max_ttl_s:
            ttl = min(ttl or limits.max_ttl_s, limits.max_ttl_s)
        if self._store.is_shared:
            return await sending.append(self._store, self._mailboxes, found, sender, message, ttl)
        return await self._store.append(found.state, sender, message, ttl)

    async def mailbox_multirecv(
        self, mailboxes: tuple[ReceiveFrom, ...], timeout_ms: int
    ) -> Mapping[Hash, tuple[MailboxEntry, ...]]:
        # JSON ready made, which the dispatcher passes on: entries are encoded once however often they are read.
        answer = await self._receiver.receive(mailboxes, timeout_ms)
        return cast("Mapping[Hash, tuple[MailboxEntry, ...]]", answer)

    async def mailbox_acl_edit(self, auth: AuthToken, mailbox: Hash, acl: MailboxAcl) -> None:
        if await self._store.edit_access(mailbox, token_hash(auth), acl) is AclEdit.REFUSE:
            raise AccessDenied

    async def register_group(self, auth: AuthToken, group: Hash) -> None:
        device = await self._devices.find(auth)
        both = (group_messages_mailbox(group), group_management_mailbox(group))
        if not await self._store.register_group(device.user, token_hash(auth), both):
            raise AccessDenied

    async def proxy_server(self, auth: AuthToken, server: ServerName, request: RawJson) -> RawJson:
        raise ProxyNotSupported

    async def proxy_directory(self, auth: AuthToken, request: RawJson) -> RawJson:
        raise ProxyNotSupported

    async def upload_frag(self, auth: AuthToken, fragment: Node | Leaf, ttl: int) -> None:
        raise AccessDenied

    async def download_frag(self, fragment: Hash) -> Node | Leaf | None:
        return None
