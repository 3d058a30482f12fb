"""Devices: who may have a token, and whose medium-term keys are published (spec: rpc.md, Device authentication).

A user must be in the directory, with this server as home unless they prepare a move here, and the device's chain must lead to the
root key that the directory names. The directory is asked each time, as a client that registers comes the moment its entry has landed.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Protocol

from xirtam_core.codec import bcs
from xirtam_core.codec.integers import LATEST
from xirtam_core.codec.primitives import AuthToken, Hash, Signature
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.errors import Malformed, RetryLater, Unreachable, Unverified, XirtamError
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.certificate import CertificateChain, verify
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.rpc.home_server import AccessDenied, Challenge, ServerBusy
from xirtam_server.home.challenges import Challenges
from xirtam_server.home.limits import HomeLimits
from xirtam_server.home.registration import Registrar
from xirtam_server.home.throttle import Throttle
from xirtam_server.storage.interface import Device, HomeStore

_log = logging.getLogger(__name__)
_DOMAIN = "xirtam-device-auth"
_ASK_AGAIN_S = 0.25
_MOST_KNOWN = 50_000
_NANOSECONDS = 1_000_000_000


class UserDirectory(Protocol):
    """Where users are looked up."""

    async def user(self, name: Username) -> UserDescriptor | None:
        """What the directory says of `name`, verified; None for a name that it does not have."""
        ...


def challenge_bytes(server: ServerName, username: Username, challenge: Hash) -> bytes:
    """What a device signs to answer a challenge; the server's name keeps another server from passing ours on."""
    return bcs.encode_fields(_DOMAIN, server, username, challenge)


class Devices:
    """Gives out tokens and keeps chains and medium-term keys."""

    def __init__(
        self,
        name: ServerName,
        store: HomeStore,
        directory: UserDirectory,
        limits: HomeLimits,
        registrar: Registrar,
        throttle: Throttle,
        prepared_s: int,
    ) -> None:
        """`prepared_s`: how long a user of another server may be on the way here; 0: nobody."""
        self._name, self._store, self._directory, self._limits = name, store, directory, limits
        self._registrar, self._throttle, self._prepared_s = registrar, throttle, prepared_s
        self._challenges = Challenges(limits.challenge_s, limits.most_spent_challenges, key=store.secret)
        self._lookups = asyncio.Semaphore(limits.directory_lookups)
        self._known: OrderedDict[Hash, None] = OrderedDict()

    def challenge(self, username: Username) -> Challenge:
        """A challenge for a device of `username`, whether or not there is such a user."""
        return self._challenges.make(username)

    async def answer_challenge(
        self, username: Username, chain: CertificateChain, challenge: Hash, signature: Signature
    ) -> AuthToken:
        """The device's token, for who holds the device's key; raises `AccessDenied`."""
        if not self._challenges.is_open(challenge, username):
            raise AccessDenied
        if not signing.verifies(chain.this.pk, challenge_bytes(self._name, username, challenge), signature):
            raise AccessDenied
        self._challenges.spend(challenge)
        now_s = int(time.time())
        if not await self._store.spend_challenge(challenge, now_s + self._limits.challenge_s + 1, now_s):
            raise AccessDenied
        return await self.admit(username, chain, may_prepare=self._prepared_s > 0)

    async def admit(self, username: Username, chain: CertificateChain, *, may_prepare: bool = False) -> AuthToken:
        """The token of the device with this chain; raises `AccessDenied` for a user or chain that does not belong here.

        With `may_prepare` the user may live elsewhere still, and has some time to come.
        """
        if len(chain.ancestors) >= self._limits.max_chain or not await self._registrar.lets_in(username):
            raise AccessDenied
        user = await self.look_up(username)
        if user is None or (user.server_name != self._name and not may_prepare):
            raise AccessDenied
        try:
            await asyncio.to_thread(verify, chain, user.root_cert_hash, int(time.time()))
        except Unverified:
            raise AccessDenied from None
        until = 0 if user.server_name == self._name else time.time_ns() + self._prepared_s * _NANOSECONDS
        await self._drop_former(username, user.root_cert_hash)
        token = await self._store.add_device(username, chain, direct_mailbox(username), until)
        if token is None:
            raise AccessDenied
        return token

    async def _drop_former(self, username: Username, root: Hash) -> None:
        """Forgets the devices of a root that the user's present one has replaced: what they have is for nobody any more.

        Else they would keep their access to the mailbox, and leave no room for new ones.
        """
        former = [
            device
            for device, chain in (await self._store.chains(username)).items()
            if all(certificate.device_hash() != root for certificate in (chain.this, *chain.ancestors))
        ]
        if not former:
            return
        now = await self.look_up(
            username
        )  # again: meanwhile the root may have been replaced, and this be the call of a former device
        if now is None or now.root_cert_hash != root:
            raise AccessDenied
        await self._store.drop_devices(username, direct_mailbox(username), former)

    async def look_up(self, username: Username) -> UserDescriptor | None:
        """What the directory says of `username`, None for nobody; raises `ServerBusy` where it gives no usable answer in time.

        Where it is out of reach it is asked again as long as there is time: a reference client that registers never comes again.
        """
        try:
            async with asyncio.timeout(self._limits.directory_timeout_s):
                while True:
                    try:
                        async with self._lookups:
                            return await self._directory.user(username)
                    except (Unreachable, RetryLater):
                        await asyncio.sleep(_ASK_AGAIN_S)
        except Malformed:
            return None  # it is verified, and no user's
        except (XirtamError, TimeoutError) as fault:
            _log.warning("the directory did not answer usably: %s", type(fault).__name__)
            raise ServerBusy from None

    async def find(self, auth: AuthToken) -> Device:
        """The device that `auth` belongs to; raises `AccessDenied` for a token of no device here, and not too often.

        Only the store can tell such a token, so it counts as a costly call; raises `ServerBusy` beyond the rate for these.
        """
        device = await self._store.find_device(token_hash(auth))
        if device is None:
            await self._throttle.costly()
            raise AccessDenied
        return device

    async def is_known(self, token: Hash) -> bool:
        """Whether the token with hash `token` is a device's, or was; quick for those that were asked for lately."""
        if token in self._known:
            self._known.move_to_end(token)
            return True
        if await self._store.find_device(token) is None:
            return False
        self._known[token] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return True

    async def certificates(self, username: Username) -> Mapping[Hash, CertificateChain] | None:
        """The chains of the user's devices; None where no device is known."""
        return await self._store.chains(username) or None

    async def publish_medium_key(self, auth: AuthToken, key: SignedMediumKey) -> None:
        """Replaces the device's medium-term key; raises `AccessDenied` for one that is older or not the device's."""
        device = await self.find(auth)
        if key.created > LATEST or not key.is_signed_by(device.chain.this.pk):
            raise AccessDenied
        if not await self._store.set_medium_key(device, key):
            raise AccessDenied
