"""Who owns the account's name: what `xirtam_core.faces.ownership` declares, as the engine does it."""

from contextlib import suppress

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash, Signature, SigningPublic
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.devices import Claim, NameOwnership, OwnerKey, OwnerKind
from xirtam_core.directory.ownership import NoOwner
from xirtam_core.engine.device_list import DeviceList
from xirtam_core.engine.network import Network
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.owner_changes import OwnerChanges, check_fits, find_owner_secret, held_secrets
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.revocation import Power
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused, XirtamError
from xirtam_core.protocol.device_events import OwnerNoted
from xirtam_core.protocol.directory import AddOwner, DirectoryUpdate
from xirtam_core.protocol.fingerprint import fingerprint
from xirtam_core.storage import devices
from xirtam_core.storage import owner_keys as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.owner_keys import KnownOwner, WorkKind


class Ownership:
    """The keys that own the account's name."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        peers: Peers,
        own_devices: OwnDevices,
        clock: Clock,
    ) -> None:
        self._database = database
        self._session = session
        self._own_devices = own_devices
        self._clock = clock
        self._list = DeviceList(database, session, peers, clock)
        self._changes = OwnerChanges(database, session, network)
        self._devices_by_key: dict[SigningPublic, Hash] = {}
        own_devices.register_signed(OwnerNoted, self._take)

    async def run(self) -> None:
        """Makes the changes, for ever."""
        await self._changes.run()

    def hurry(self) -> None:
        """The network is back."""
        self._changes.hurry()

    # What there is

    async def ownership(self) -> NameOwnership:
        """See the face."""
        await self._changes.look()
        with suppress(
            XirtamError
        ):  # whose the keys of other devices are is told without the home server as far as it is known
            self._devices_by_key |= {
                each.chain.this.pk: each.device for each in (await self._list.certified()).values()
            }
        return self._as_seen()

    async def progress(self) -> NameOwnership:
        """See the face."""
        return await self.ownership() if self._changes.owners is None else self._as_seen()

    def _as_seen(self) -> NameOwnership:
        owners, me = self._changes.owners or (), self._session.account
        stage = self._changes.stage
        return NameOwnership(
            name=me.username,
            owners=tuple(self._describe(key) for key in owners),
            is_owner=find_owner_secret(self._database, me, owners) is not None,
            is_pending=stored.first_work(self._database) is not None,
            step=None if stage is None else stage.words,
            share=None if stage is None else stage.share,
            seconds_left=None if stage is None else stage.seconds_left,
            trouble=self._changes.trouble,
        )

    def _describe(self, key: SigningPublic) -> OwnerKey:
        noted = stored.known(self._database).get(key)
        if noted is not None and noted.told_by is not None and noted.device == self._session.account.device_hash:
            noted = None  # which keys are this device's, no other has to tell it
        device = self._device_of(key, noted)
        known = None if device is None else devices.known(self._database).get(device)
        if device is not None:
            kind = OwnerKind.THIS_DEVICE if device == self._session.account.device_hash else OwnerKind.DEVICE
        else:
            kind = OwnerKind.UNKNOWN if noted is None else OwnerKind.RECOVERY
        return OwnerKey(
            key=key.text(),
            fingerprint=fingerprint(bcs_hash(key)),
            kind=kind,
            device=None if device is None else device.hex(),
            label=None if known is None else known.label,
            since_s=None if noted is None else noted.since_s,
            said_by=self._teller(key, noted),
        )

    def _teller(self, key: SigningPublic, noted: KnownOwner | None) -> str | None:
        """Who says whose the key is, where nothing proves it."""
        if noted is None or noted.told_by is None or self._device_of(key, None) is not None:
            return None
        known = devices.known(self._database).get(noted.told_by)
        return known.label if known is not None and known.label else f"device {fingerprint(noted.told_by)[:9]}"

    def _device_of(self, key: SigningPublic, noted: KnownOwner | None) -> Hash | None:
        """The device whose key it is: by its certificate, which proves it, or by the word of this account's devices."""
        chain = self._session.account.chain
        for certificate in (chain.this, *chain.ancestors):
            if certificate.pk == key:
                return certificate.device_hash()
        return self._devices_by_key.get(key) or (None if noted is None else noted.device)

    # Changes

    async def add_device(self, device: str) -> NameOwnership:
        """See the face."""
        await self._require_power()
        found = await self._list.require(device)
        if devices.is_revoked(self._database, found.device):
            raise Refused("this device has been revoked: it cannot be an owner")
        key = found.chain.this.pk
        self._devices_by_key[key] = found.device
        return self._add(KnownOwner(key, found.device, seconds(self._clock)))

    async def add_recovery_key(self, key: str) -> NameOwnership:
        """See the face."""
        public = SigningPublic.from_text(key)
        await self._require_power()
        if self._device_of(public, None) is not None:
            raise Malformed("this is the key of a device, and no recovery key")
        return self._add(KnownOwner(public, None, seconds(self._clock)))

    def _add(self, owner: KnownOwner) -> NameOwnership:
        with self._database.transaction():
            self._note(owner)
            stored.add_work(self._database, WorkKind.ADD, bytes(owner.key))
        return self._begun()

    async def remove(self, key: str) -> NameOwnership:
        """See the face."""
        try:
            public = SigningPublic.from_text(key)
        except Malformed:
            raise NotFound("no such key owns the name") from None
        await self._require_power()
        if public not in (self._changes.owners or ()):
            raise NotFound("no such key owns the name (any more)")
        if public in self._own_publics():
            raise Refused(
                "this is this device's own key, without which it could change nothing more: another owner can remove it, or "
                "rotate puts a new one in its place"
            )
        stored.add_work(self._database, WorkKind.REMOVE, bytes(public))
        return self._begun()

    async def rotate(self) -> NameOwnership:
        """See the face."""
        await self._require_power()
        if stored.first_work(self._database) is not None:
            raise Refused("a change is still being made: wait for it")
        fresh, former = signing.new_secret(), self._own_publics()
        key, me = signing.public_of(fresh), self._session.account
        with self._database.transaction():
            self._note(KnownOwner(key, me.device_hash, seconds(self._clock)))
            if not stored.keep_secret(self._database, key, fresh):
                raise Refused(f"{stored.MOST} owner keys are known already")
            stored.add_work(self._database, WorkKind.ADD, bytes(key))
            for old in former:
                stored.add_work(self._database, WorkKind.REMOVE, bytes(old))
        return self._begun()

    async def claim_request(self) -> Claim:
        """See the face."""
        item, me = await self._changes.look(), self._session.account
        return Claim(name=me.username, previous=item.state.last_hash.text(), key=me.chain.this.pk.text())

    async def claim(self, claim: Claim, signature: str) -> NameOwnership:
        """See the face."""
        me, item = self._session.account, await self._changes.look()
        key = SigningPublic.from_text(claim.key)
        if claim.name != me.username or key != me.chain.this.pk:
            raise Malformed("this claim is not for this device")
        if key in item.state.owners:
            return self._as_seen()
        update = DirectoryUpdate(Hash.from_text(claim.previous), AddOwner(key), Signature.from_text(signature))
        check_fits(item, update)
        signer = next(
            each for each in item.state.owners if signing.verifies(each, update.signed_bytes(), update.signature)
        )
        with self._database.transaction():
            if self._describe(signer).kind is OwnerKind.UNKNOWN:
                self._note(KnownOwner(signer, None, None))
            self._note(KnownOwner(key, me.device_hash, seconds(self._clock)))
            stored.add_work(self._database, WorkKind.SIGNED, bcs.encode(update))
        return self._begun()

    def said_by(self, device: Hash) -> frozenset[SigningPublic]:
        """The keys that a device has said are its own: to be asked before it is revoked, after which its word counts no more."""
        known = stored.known(self._database).values()
        return frozenset(each.key for each in known if each.device == each.told_by == device)

    async def power_of(self, device: Hash, said: frozenset[SigningPublic]) -> Power:
        """What a device may do with the name, and whether this one can take that away; it has `said` that these keys are its own."""
        try:
            seen = await self.ownership()
        except XirtamError:
            return Power.NOT_KNOWN
        if not self._keys_of(device, said):
            return Power.NONE
        return Power.TO_BE_REMOVED if seen.is_owner else Power.OWNER

    def _keys_of(self, device: Hash, said: frozenset[SigningPublic]) -> list[SigningPublic]:
        described = [(key, self._describe(key)) for key in self._changes.owners or ()]
        return [
            key
            for key, owner in described
            if owner.device == device.hex() or (owner.kind is OwnerKind.UNKNOWN and key in said)
        ]

    def unknown_count(self) -> int:
        """How many keys own the name of which nobody who counts has said whose they are, and go on doing so, as was last seen."""
        going = {work.value for work in stored.work(self._database) if work.kind is WorkKind.REMOVE}
        owners = [each for each in self._changes.owners or () if bytes(each) not in going]
        return sum(self._describe(each).kind is OwnerKind.UNKNOWN for each in owners)

    async def disown(self, device: Hash, said: frozenset[SigningPublic]) -> Power:
        """Takes all keys of another device away, if this one can; gives what that comes to."""
        power = await self.power_of(device, said)
        if power is Power.TO_BE_REMOVED:
            with self._database.transaction():
                for key in self._keys_of(device, said):
                    stored.add_work(self._database, WorkKind.REMOVE, bytes(key))
            self._begun()
        return power

    def _own_publics(self) -> list[SigningPublic]:
        return [signing.public_of(each) for each in held_secrets(self._database, self._session.account)]

    def _begun(self) -> NameOwnership:
        self._changes.trouble = None
        self._changes.hurry()
        return self._as_seen()

    async def _require_power(self) -> None:
        """Raises `NoOwner`, with who is one, unless this device owns the name."""
        seen = await self.ownership()
        if seen.is_owner:
            return
        others = [each.label or f"device {each.fingerprint[:9]}" for each in seen.owners if each.device is not None]
        do_it = f"do it on one that does ({', '.join(others)})" if others else "no device that is known does"
        raise NoOwner(
            f"this device does not own {seen.name} in the directory: {do_it}, or make it an owner with a recovery key"
        )

    # Other devices

    def _note(self, owner: KnownOwner) -> None:
        stored.note(self._database, owner)
        self._own_devices.tell(OwnerNoted(owner.key.text(), owner.since_s, owner.device))

    def say_again(self) -> None:
        """Tells the account's other devices whose the keys are; call it in a transaction."""
        for owner in stored.known(self._database).values():
            self._own_devices.tell(OwnerNoted(owner.key.text(), owner.since_s, owner.device))

    def _take(self, event: OwnerNoted, by: Hash, sent_at: int, outcome: Outcome) -> None:
        """The word of another device, which it is answered for: it may be in the hands of somebody who adds keys."""
        if by != self._session.account.device_hash:
            stored.note(self._database, KnownOwner(SigningPublic.from_text(event.key), event.device, event.since, by))
