"""People: who they are by the directory, and the keys of their devices (spec: client.md, Trust, Sending).

An identity is trusted for a minute, then asked for again, behind whoever wants it: where the directory does not answer within a
moment, the last one known stands in, and what rests on it is marked. A root key that differs from the one known raises an alarm that
stays until a person has seen it. What was verified of certificate chains is kept while the process lives.
"""

import asyncio
from collections.abc import Callable, Mapping
from weakref import WeakValueDictionary

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import DhPublic, Hash
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.lookups import Lookups
from xirtam_core.engine.network import Network
from xirtam_core.errors import Equivocation, NotFound, RetryLater, Unreachable, Unverified, XirtamError
from xirtam_core.events import AlarmRaised, ChatChanged
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import certificate
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import chats, devices
from xirtam_core.storage import peers as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.peers import Peer

FRESH_S = 60
_LEFT_AFTER_S = 5
_OLDEST_KEYS_S = 3600
"""A key that was looked up longer ago is not used: its device destroys the secret seventy minutes after it has a successor."""
_AFTER_FAILURE_S = 10.0
_LOOKUP_TIMEOUT_S = 10.0
_MOST_DEVICES = 64
_MOST_CHAINS = 10_000


class Peers:
    """Identities and keys of other people, and of this account's other devices."""

    def __init__(self, database: Database, network: Network, clock: Clock, announcer: Announcer) -> None:
        self._database = database
        self._network = network
        self._clock = clock
        self._announcer = announcer
        self._locks: WeakValueDictionary[Username, asyncio.Lock] = WeakValueDictionary()
        self._pinned: dict[Username, Hash] = {}
        self._keys_at_s: dict[Username, int] = {}
        self._no_directory_until = 0.0
        self._has_failed = False
        self._on_recovery: list[Callable[[], None]] = []
        self._on_confirmation: list[Callable[[Peer], None]] = []
        self._verified_chains: dict[tuple[Hash, Hash], int] = {}
        self._identities = Lookups(self.look_up)
        self._key_rings = Lookups(self._look_up_keys)

    def pin(self, user: Username, root_cert_hash: Hash) -> None:
        """Knows somebody's identity from elsewhere than the directory: what differs is a change, also where it is the first answer."""
        self._pinned[user] = root_cert_hash

    async def run(self) -> None:
        """Has look-ups go on behind those who asked for them."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._identities.run())
            tasks.create_task(self._key_rings.run())

    def when_recovered(self, then: Callable[[], None]) -> None:
        """Calls `then` whenever a look-up has succeeded after one had failed, or after somebody had gone without it."""
        self._on_recovery.append(then)

    def when_confirmed(self, then: Callable[[Peer], None]) -> None:
        """Calls `then` with every identity that the directory has just confirmed or changed."""
        self._on_confirmation.append(then)

    async def identity(self, user: Username) -> Peer:
        """Who `user` is: at most a minute old where the directory answers within a moment, else as last known.

        Somebody who is not known at all is waited for. Raises `NotFound` when there is no such user, and `Unreachable` when nothing is
        known and nobody can be asked.
        """
        known = stored.find(self._database, user)
        if known is None:
            self._check_directory(user)
            return await self.look_up(user)
        return await self._newest(known)

    async def sender(self, user: Username) -> Peer:
        """As `identity`, but nobody is waited for longer than a moment: `when_recovered` tells when to ask again."""
        known = stored.find(self._database, user)
        if known is not None:
            return await self._newest(known)
        self._check_directory(user)
        fault = await self._identities.ask(user)
        found = stored.find(self._database, user)
        if found is None and isinstance(fault, NotFound):
            raise NotFound(str(fault))  # the directory has answered: nothing is to be tried again as soon as it does
        if found is None:
            self._has_failed = True
            raise Unverified(str(fault)) if isinstance(fault, Unverified) else Unreachable(str(fault))
        return found

    async def _newest(self, known: Peer) -> Peer:
        if self.is_fresh(known) or self._is_directory_gone():
            return known
        fault = await self._identities.ask(known.username)
        if isinstance(fault, NotFound):
            raise NotFound(str(fault))
        return stored.find(self._database, known.username) or known

    def refresh_soon(self, user: Username) -> None:
        """Has the directory asked about `user`, if it answers, and waits for nothing; `when_confirmed` tells."""
        if not self._is_directory_gone():
            self._identities.begin(user)

    def _is_directory_gone(self) -> bool:
        return asyncio.get_running_loop().time() < self._no_directory_until

    def _check_directory(self, user: Username) -> None:
        if self._is_directory_gone():
            raise Unreachable(f"the directory did not answer a moment ago; {user} has not been asked about")

    async def look_up(self, user: Username) -> Peer:
        """Who `user` is, asked for now unless that was done within the last minute.

        Raises `NotFound`, `Unverified` for an answer that does not hold, and `Unreachable` in time.
        """
        try:
            async with asyncio.timeout(_LOOKUP_TIMEOUT_S):
                return await self.refresh(user)
        except NotFound:
            raise
        except (XirtamError, TimeoutError) as fault:
            if isinstance(fault, Unverified) and not isinstance(fault, Equivocation):
                raise Unverified(f"what the directory answers about {user} does not hold: {fault}") from fault
            self._has_failed = True
            if isinstance(
                fault, Unreachable | RetryLater | TimeoutError
            ):  # else it answered, if wrongly: others may be asked about
                self._no_directory_until = asyncio.get_running_loop().time() + _AFTER_FAILURE_S
            raise Unreachable(f"the directory does not answer about {user}: {fault or 'too slow'}") from fault

    def is_fresh(self, peer: Peer) -> bool:
        """Whether the directory confirmed this identity within the last minute."""
        return 0 <= seconds(self._clock) - peer.checked_s < FRESH_S

    async def refresh(self, user: Username, *, anew: bool = False) -> Peer:
        """Asks the directory about `user`, unless somebody just did; raises an alarm where the identity has changed."""
        async with self._locks.setdefault(user, asyncio.Lock()):
            known = stored.find(self._database, user)
            if known is not None and self.is_fresh(known) and not anew:
                return known
            descriptor = await self._network.user(user)
            self._recovered()
            if descriptor is None:
                raise NotFound(f"there is no user {user} in the directory")
            expected = self._pinned.get(user) if known is None else known.root_cert_hash
            has_changed = expected is not None and expected != descriptor.root_cert_hash
            alarm = self._alarm_about(user) if has_changed else None
            peer = stored.store(self._database, user, descriptor, seconds(self._clock), alarm)
            if alarm is not None:
                self._keys_at_s.pop(user, None)
                self._announce_change(user, alarm)
            for then in self._on_confirmation:
                then(peer)
            return peer

    def _recovered(self) -> None:
        if self._has_failed:
            self._has_failed, self._no_directory_until = False, 0.0
            for then in self._on_recovery:
                then()

    def _alarm_about(self, user: Username) -> str:
        return _own_account_recovered(user) if self._is_own(user) else _changed_identity(user)

    def _is_own(self, user: Username) -> bool:
        account = stored_account.find(self._database)
        return account is not None and account.username == user

    def _announce_change(self, user: Username, alarm: str) -> None:
        self._announcer.announce(AlarmRaised(alarm, None if self._is_own(user) else user))
        if (chat := chats.find(self._database, user)) is not None:
            self._announcer.announce(ChatChanged(chat))

    async def has_left(self, user: Username, server: ServerName) -> bool:
        """Whether the directory has `user` at another server by now: for when `server` does not answer. False where it can't be asked.

        It is asked about one user at most once in a few seconds, however often that server is tried.
        """
        known = stored.find(self._database, user)
        if known is not None and known.server != server:
            return True
        if known is None or self._is_directory_gone() or seconds(self._clock) - known.checked_s < _LEFT_AFTER_S:
            return False
        try:
            async with asyncio.timeout(_LOOKUP_TIMEOUT_S):
                return (await self.refresh(user, anew=True)).server != server
        except (XirtamError, TimeoutError):
            return False

    async def receivers(self, user: Username, *, anew: bool = False) -> list[DhPublic]:
        """The newest known medium-term keys of all of a user's devices; looked up just now if `anew`, else within the last minute if
        that takes no longer than a moment.

        Those that were looked up long ago are not used: their devices might have destroyed the secrets. Raises `NotFound` and
        `Unreachable`.
        """
        await (self.refresh(user, anew=True) if anew else self.identity(user))
        age_s = self._age_of_keys_s(user)
        if anew or age_s is None or age_s >= _OLDEST_KEYS_S:
            await self._look_up_keys(user)
        elif age_s >= FRESH_S:
            await self._key_rings.ask(user)
        return stored.keys(self._database, user)

    def _age_of_keys_s(self, user: Username) -> int | None:
        """None where they have not been looked up, or at a time that is yet to come by a clock that was put back."""
        at_s = self._keys_at_s.get(user)
        age_s = None if at_s is None else seconds(self._clock) - at_s
        return None if age_s is None or age_s < 0 else age_s

    async def _look_up_keys(self, user: Username) -> None:
        asked_s = seconds(self._clock)
        server = await self._network.home_server(self._require(user).server)
        chains, signed = await asyncio.gather(server.device_certs(user), server.device_medium_pks(user))
        peer = self._require(user)  # again: it may have turned out meanwhile that the identity changed
        usable = self._usable(peer, chains or {}, signed)
        stored.note_devices(self._database, user, usable.keys(), asked_s)
        stored.store_keys(self._database, user, usable)
        self._keys_at_s[user] = asked_s

    async def receivers_at(self, user: Username, server: ServerName) -> list[DhPublic]:
        """The keys of a user's devices that a server shows which may not be the user's home (any more); nothing of it is kept."""
        home = await self._network.home_server(server)
        chains, signed = await asyncio.gather(home.device_certs(user), home.device_medium_pks(user))
        usable = self._usable(self._require(user), chains or {}, signed)
        return [key for device, (key, _) in usable.items() if not devices.is_revoked(self._database, device)]

    def _require(self, user: Username) -> Peer:
        peer = stored.find(self._database, user)
        if peer is None:
            raise NotFound(f"{user} is not known")
        return peer

    def _usable(
        self, peer: Peer, chains: Mapping[Hash, CertificateChain], signed: Mapping[Hash, SignedMediumKey]
    ) -> dict[Hash, tuple[DhPublic, int]]:
        """The keys whose device is certified by the user's root and has signed them; the others are left out."""
        found: dict[Hash, tuple[DhPublic, int]] = {}
        for device, chain in list(chains.items())[:_MOST_DEVICES]:
            key = signed.get(device)
            if key is None or chain.this.device_hash() != device or key.created >= 2**63:
                continue
            if self.has_device(peer, chain) and key.is_signed_by(chain.this.pk):
                found[device] = (key.medium_pk, key.created)
        return found

    def has_device(self, peer: Peer, chain: CertificateChain) -> bool:
        """Whether a chain leads to the peer's root now."""
        try:
            self.check_chain(chain, bcs_hash(chain), peer)
        except Unverified:
            return False
        return True

    def check_chain(self, chain: CertificateChain, chain_hash: Hash, peer: Peer, at_s: int | None = None) -> None:
        """Raises `Unverified` unless `chain` leads to the peer's root at a time (Unix seconds), now if none is given.

        A verdict is kept until something in the chain expires; it holds for every time before that.
        """
        name = (chain_hash, peer.root_cert_hash)
        at_s = seconds(self._clock) if at_s is None else at_s
        if self._verified_chains.get(name, 0) > at_s:
            return
        expiry_s = certificate.verify(chain, peer.root_cert_hash, at_s)
        if len(self._verified_chains) >= _MOST_CHAINS:
            self._verified_chains.clear()
        self._verified_chains[name] = expiry_s


def _own_account_recovered(user: Username) -> str:
    return (
        f"{user} has a new root key in the directory: your account was recovered on another device, and this one is none of its "
        "any more. What is here stays here. If that was not you, somebody has your recovery key or a device that owns your name: "
        "tell your contacts in another way."
    )


def _changed_identity(user: Username) -> str:
    return (
        f"{user} has a new identity key in the directory. They may have made their account anew, or somebody may be "
        "posing as them. Ask them in another way before you write again."
    )
