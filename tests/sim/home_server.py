"""Home servers in memory, to the letter of spec/rpc.md: one of ours, and one that behaves as the reference does.

What they hold is durable: a machine that goes down keeps it. Nothing is awaited between a check and what follows from it, so a call
that is broken off has either happened or not.
"""

import asyncio
import math
import random
import secrets
from bisect import insort
from collections.abc import Callable, Mapping
from operator import attrgetter

import msgspec

from tests.sim.clock import SimClock
from tests.sim.directory import SimDirectory
from xirtam_core.codec import bcs, jsontext
from xirtam_core.codec.primitives import AuthToken, Hash, Signature
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import hash_bytes, token_hash
from xirtam_core.engine.session import challenge_bytes
from xirtam_core.errors import Unreachable, Unverified
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import certificate
from xirtam_core.protocol.attachment import Fragment, Leaf, Node
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import (
    AclEdit,
    MailboxAcl,
    MailboxEntry,
    ReceiveFrom,
    direct_mailbox,
    group_management_mailbox,
    group_messages_mailbox,
    judge_edit,
    rights_of,
)
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.home_server import (
    AccessDenied,
    Challenge,
    HomeServer,
    ProxyNotSupported,
    ServerBusy,
    ServerInfo,
    ServerLimits,
    UpstreamFailed,
)
from xirtam_core.rpc.service import Dispatcher, RawJson, Transport
from xirtam_core.rpc.transports.local import LocalTransport

_MOST_IN_PAGE = 100
_LARGEST_FRAGMENT = 720_000


class Mailbox:
    """What came, in the order of `received_at`, and who waits for more."""

    def __init__(self) -> None:
        self.entries: list[MailboxEntry] = []
        self.takes_messages = True
        self.access: dict[Hash, MailboxAcl] | None = None
        """The access list of a group's mailbox; a user's own is open to that user's devices, and to everybody's messages."""
        self.came = asyncio.Event()

    def add(self, entry: MailboxEntry) -> None:
        """Makes `entry` visible and wakes who waits."""
        insort(self.entries, entry, key=attrgetter("received_at"))
        self.came.set()
        self.came = asyncio.Event()

    def after(self, cursor: int) -> tuple[MailboxEntry, ...]:
        """A page of what came after `cursor`."""
        return tuple(entry for entry in self.entries if entry.received_at > cursor)[:_MOST_IN_PAGE]


class Device(msgspec.Struct):
    """A device that has signed in."""

    user: Username
    chain: CertificateChain
    token: AuthToken
    key: SignedMediumKey | None = None


class SimHomeServer(HomeServer):
    """A home server of ours."""

    def __init__(self, name: ServerName, directory: SimDirectory, clock: SimClock) -> None:
        self.name = name
        self.mailboxes: dict[Hash, Mailbox] = {}
        self.devices: dict[Hash, Device] = {}
        self.refuses_readers = False
        self.registration: str | None = "open"
        self.prepares = True
        """Whether users who live elsewhere can have their place here ready."""
        self.profiles: dict[Username, UserProfile] = {}
        self.invites: dict[AuthToken, int] = {}
        """How many each still lets in."""
        self.invited: set[Username] = set()
        self.forwards: Callable[[ServerName], Transport] | None = None
        """The way to other servers, where it forwards calls to them."""
        self.shown: Directory | None = None
        """The directory as this server's callers see it, where it forwards calls to that."""
        self.fragments: dict[Hash, Node | Leaf] = {}
        self.fragment_expiries_s: dict[Hash, float] = {}
        self._directory = directory
        self._clock = clock
        self._challenges: set[Hash] = set()

    # What a test arranges

    def mailbox(self, user: Username) -> Mailbox:
        """The mailbox of `user`."""
        return self.mailboxes[direct_mailbox(user)]

    def keep_time_by(self, clock: SimClock) -> None:
        """Has a clock of its own from now on, which may be wrong."""
        self._clock = clock

    def adopt(self, user: Username, chain: CertificateChain, key: SignedMediumKey) -> AuthToken:
        """Takes a device in as if it had registered."""
        device = self._sign_in(user, chain)
        device.key = key
        return device.token

    def forget_tokens(self) -> None:
        """Knows no token any more, as after a backup was restored: devices must sign in again."""
        for device in self.devices.values():
            device.token = AuthToken(secrets.token_bytes(20))

    def _sign_in(self, user: Username, chain: CertificateChain) -> Device:
        name = chain.this.device_hash()
        if name not in self.devices:
            self.devices[name] = Device(user, chain, AuthToken(secrets.token_bytes(20)))
        self.devices[name].chain = chain
        self.mailboxes.setdefault(direct_mailbox(user), Mailbox())
        return self.devices[name]

    def _lets_in(self, user: Username) -> bool:
        is_new = all(device.user != user for device in self.devices.values())
        return not is_new or self.registration in (None, "open") or user in self.invited

    def _device(self, token: AuthToken) -> Device | None:
        return next((device for device in self.devices.values() if device.token == token), None)

    # What it answers

    async def server_info(self) -> ServerInfo:
        return ServerInfo(
            self.name,
            "simulated",
            ("device_auth_challenge", "prepare") if self.prepares else ("device_auth_challenge",),
            ServerLimits(720_000, 0),
            self.registration,
        )

    async def redeem_invite(self, username: Username, invite: AuthToken) -> None:
        if username in self.invited:
            return
        if self.registration == "closed" or self.invites.get(invite, 0) == 0:
            raise AccessDenied
        self.invites[invite] -= 1
        self.invited.add(username)

    async def device_auth_start(self, username: Username) -> Challenge:
        challenge = Hash(secrets.token_bytes(32))
        self._challenges.add(challenge)
        return Challenge(challenge, self._clock.now_ns() // 10**9 + 60)

    async def device_auth_finish(
        self, username: Username, chain: CertificateChain, challenge: Hash, signature: Signature
    ) -> AuthToken:
        message = challenge_bytes(self.name, username, challenge)
        if challenge not in self._challenges or not signing.verifies(chain.this.pk, message, signature):
            raise AccessDenied
        self._challenges.discard(challenge)
        return self._admit(username, chain, may_prepare=self.prepares)

    async def device_auth(self, username: Username, chain: CertificateChain) -> AuthToken:
        raise AccessDenied

    def _admit(self, username: Username, chain: CertificateChain, *, may_prepare: bool = False) -> AuthToken:
        if self._directory.is_down:
            raise ServerBusy
        user = self._directory.find_user(username)
        is_ours = user is not None and (user.server_name == self.name or may_prepare)
        if user is None or not is_ours or not self._lets_in(username):
            raise AccessDenied
        try:
            certificate.verify(chain, user.root_cert_hash, self._clock.now_ns() // 10**9)
        except Unverified:
            raise AccessDenied from None
        return self._sign_in(username, chain).token

    async def device_certs(self, username: Username) -> Mapping[Hash, CertificateChain] | None:
        found = {name: device.chain for name, device in self.devices.items() if device.user == username}
        return found or None

    async def device_medium_pks(self, username: Username) -> Mapping[Hash, SignedMediumKey]:
        return {name: device.key for name, device in self.devices.items() if device.user == username and device.key}

    async def device_add_medium_pk(self, auth: AuthToken, key: SignedMediumKey) -> None:
        device = self._device(auth)
        if device is None or not key.is_signed_by(device.chain.this.pk):
            raise AccessDenied
        if device.key is not None and (key.created < device.key.created or key.created >= 2**63):
            raise AccessDenied
        device.key = key

    async def profile(self, username: Username) -> UserProfile | None:
        return self.profiles.get(username)

    async def profile_set(self, username: Username, profile: UserProfile) -> None:
        keys = [device.chain.this.pk for device in self.devices.values() if device.user == username]
        if not any(profile.is_signed_by(key) for key in keys):
            raise AccessDenied
        self.profiles[username] = profile

    async def mailbox_send(self, auth: AuthToken, mailbox: Hash, message: Blob, ttl: int) -> int:
        box = self._require_open(auth, mailbox)
        received_at = max(self._clock.now_ns(), box.entries[-1].received_at + 1 if box.entries else 0)
        box.add(MailboxEntry(message, received_at, token_hash(auth)))
        return received_at

    async def mailbox_multirecv(
        self, mailboxes: tuple[ReceiveFrom, ...], timeout_ms: int
    ) -> Mapping[Hash, tuple[MailboxEntry, ...]]:
        if not all(self._may_read(asked) for asked in mailboxes):
            await asyncio.sleep(1.0)
            raise AccessDenied
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while not (found := self._find(mailboxes)):
                    await self._something_comes(mailboxes)
                return found
        except TimeoutError:
            return {}

    async def _something_comes(self, mailboxes: tuple[ReceiveFrom, ...]) -> None:
        """Returns when there is something new in any of the mailboxes."""
        waits = [asyncio.ensure_future(self.mailboxes[asked.mailbox].came.wait()) for asked in mailboxes]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _require_open(self, auth: AuthToken, mailbox: Hash) -> Mailbox:
        """The mailbox, if the holder of `auth` may write to it."""
        box = self.mailboxes.get(mailbox)
        if box is None or not box.takes_messages:
            raise AccessDenied
        if box.access is not None and not rights_of(token_hash(auth), box.access).can_send:
            raise AccessDenied
        return box

    def _may_read(self, asked: ReceiveFrom) -> bool:
        box = self.mailboxes.get(asked.mailbox)
        if box is not None and box.access is not None:
            return rights_of(token_hash(asked.auth), box.access).can_recv
        device = self._device(asked.auth)
        is_own = device is not None and direct_mailbox(device.user) == asked.mailbox
        return is_own and not self.refuses_readers

    async def register_group(self, auth: AuthToken, group: Hash) -> None:
        names = (group_messages_mailbox(group), group_management_mailbox(group))
        if self._device(auth) is None or not all(self._may_edit(auth, name) for name in names):
            raise AccessDenied
        owner = MailboxAcl(token_hash(auth), can_edit_acl=True, can_send=True, can_recv=True)
        for name in names:
            box = self.mailboxes.setdefault(name, Mailbox())
            box.access = (box.access or {}) | {owner.token_hash: owner}

    def _may_edit(self, auth: AuthToken, mailbox: Hash) -> bool:
        """Whether the holder of `auth` may edit the access list, or there is no such mailbox yet."""
        box = self.mailboxes.get(mailbox)
        return box is None or rights_of(token_hash(auth), box.access or {}).can_edit_acl

    async def mailbox_acl_edit(self, auth: AuthToken, mailbox: Hash, acl: MailboxAcl) -> None:
        box = self.mailboxes.get(mailbox)
        if box is None or box.access is None:
            raise AccessDenied
        match judge_edit(token_hash(auth), acl, box.access):
            case AclEdit.STORE:
                box.access[acl.token_hash] = acl
            case AclEdit.DELETE:
                box.access.pop(acl.token_hash, None)
            case AclEdit.REFUSE:
                raise AccessDenied
            case AclEdit.NOTHING:
                pass

    async def mailbox_acl_list(self, auth: AuthToken, mailbox: Hash) -> tuple[MailboxAcl, ...]:
        box = self.mailboxes.get(mailbox)
        if box is None or box.access is None or not self._may_edit(auth, mailbox):
            raise AccessDenied
        return tuple(box.access.values())

    async def upload_frag(self, auth: AuthToken, fragment: Node | Leaf, ttl: int) -> None:
        content = bcs.encode(fragment, Fragment)
        if self._device(auth) is None or len(content) > _LARGEST_FRAGMENT:
            raise AccessDenied
        name = hash_bytes(content)
        expiry_s = self._clock.now_ns() / 1e9 + ttl if ttl else math.inf
        self.fragments[name] = fragment
        self.fragment_expiries_s[name] = max(self.fragment_expiries_s.get(name, 0.0), expiry_s)

    async def download_frag(self, fragment: Hash) -> Node | Leaf | None:
        if self.fragment_expiries_s.get(fragment, 0.0) <= self._clock.now_ns() / 1e9:
            return None
        return self.fragments.get(fragment)

    def _find(self, mailboxes: tuple[ReceiveFrom, ...]) -> dict[Hash, tuple[MailboxEntry, ...]]:
        pages = {asked.mailbox: self.mailboxes[asked.mailbox].after(asked.after) for asked in mailboxes}
        return {mailbox: page for mailbox, page in pages.items() if page}

    async def proxy_server(self, auth: AuthToken, server: ServerName, request: RawJson) -> RawJson:
        if self._device(auth) is None or self.forwards is None:
            raise ProxyNotSupported
        return await self._forward(self.forwards(server), request)

    async def proxy_directory(self, auth: AuthToken, request: RawJson) -> RawJson:
        if self.shown is None:
            raise ProxyNotSupported
        return await self._forward(LocalTransport(Dispatcher(self.shown)), request)

    async def _forward(self, way: Transport, request: RawJson) -> RawJson:
        """As the reference does it: under the id that it was given, and a null comes back as neither result nor error."""
        try:
            answer = jsontext.parse(await way.call(jsontext.render(request.value), request.value["id"], timeout_s=600))
        except Unreachable as fault:
            raise UpstreamFailed(str(fault)) from None
        return RawJson({name: value for name, value in answer.items() if name != "result" or value is not None})


class ReferenceServer(SimHomeServer):
    """A reference server: no methods of ours, and entries that become visible up to `most_late_s` after their stamp."""

    most_late_s = 3.0

    async def device_auth(self, username: Username, chain: CertificateChain) -> AuthToken:
        return self._admit(username, chain)

    async def profile(self, username: Username) -> UserProfile | None:
        return self.profiles.get(username)

    async def profile_set(self, username: Username, profile: UserProfile) -> None:
        keys = [device.chain.this.pk for device in self.devices.values() if device.user == username]
        if not any(profile.is_signed_by(key) for key in keys):
            raise AccessDenied
        self.profiles[username] = profile

    async def mailbox_send(self, auth: AuthToken, mailbox: Hash, message: Blob, ttl: int) -> int:
        received_at = self._clock.now_ns()
        await asyncio.sleep(self._lateness_s())
        box = self._require_open(auth, mailbox)
        if any(entry.received_at == received_at for entry in box.entries):
            raise ServerBusy
        box.add(MailboxEntry(message, received_at, token_hash(auth)))
        return received_at

    def _may_edit(self, auth: AuthToken, mailbox: Hash) -> bool:
        return True  # whoever registers a group again has all rights on it, too

    def _lateness_s(self) -> float:
        return random.uniform(0, self.most_late_s)  # seeded by the world

    async def mailbox_multirecv(
        self, mailboxes: tuple[ReceiveFrom, ...], timeout_ms: int
    ) -> Mapping[Hash, tuple[MailboxEntry, ...]]:
        assert mailboxes, "an empty list kills a reference server"
        assert timeout_ms >= 1000, "near 0 a reference server may hide entries"
        return await super().mailbox_multirecv(mailboxes, timeout_ms)


_OURS = ("v1_server_info", "v1_device_auth_start", "v1_device_auth_finish", "v1_redeem_invite", "v1_mailbox_acl_list")
ReferenceServer.methods = {name: entry for name, entry in HomeServer.methods.items() if name not in _OURS}
