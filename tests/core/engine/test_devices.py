"""The devices of an account: listed, named, renewed, revoked (spec: devices.md; extensions.md, Own devices)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.home_server import SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import AuthToken, Hash, Signature
from xirtam_core.devices import Device
from xirtam_core.errors import Malformed, NotFound, Refused, Unreachable
from xirtam_core.names import Username
from xirtam_core.protocol.blob import CONTROL, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.control import DEVICE
from xirtam_core.protocol.device_events import CertificateRenewed, DeviceNamed, DeviceRevoked
from xirtam_core.protocol.own_device import OwnDeviceEvent
from xirtam_core.protocol.pairing import chain_to_json
from xirtam_core.rpc.home_server import Challenge, ServerBusy

_DAY_S = 86_400


class Scene(msgspec.Struct, frozen=True):
    """Alice has a phone, which is her account's first device, and a tablet; Bobby knows her."""

    pair: Pair
    tablet: SimDevice

    @property
    def phone(self) -> SimDevice:
        return self.pair.alice


@asynccontextmanager
async def two_devices(place: Path) -> AsyncGenerator[Scene, None]:
    async with two_people(place) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        yield Scene(pair, tablet)


async def _listed(asked: SimDevice) -> dict[str, Device]:
    return {each.id: each for each in await asked.engine.devices.devices()}


def _order(giver: builders.Device, event: OwnDeviceEvent, receivers: list[builders.Device]) -> Blob:
    """An own-device event as it lies in the mailbox, given by `giver`."""
    told = builders.text_event(giver.username, "")
    told = msgspec.structs.replace(told, mime=DEVICE, body=builders.Base64Bytes(event.render()))
    return builders.sealed_message(giver, told, receivers, CONTROL)


@simulated
async def test_both_devices_are_listed_this_one_first(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        this, other = await at.tablet.engine.devices.devices()
        assert (this.id, this.is_this, this.is_root, this.issued_by) == (
            at.tablet.keys.hash.hex(), True, False, at.phone.keys.hash.hex(),
        )  # fmt: skip
        assert (other.id, other.is_this, other.is_root, other.issued_by) == (
            at.phone.keys.hash.hex(), False, True, None,
        )  # fmt: skip
        assert this.fingerprint.replace(" ", "") == this.id[:32]
        assert (this.expires_s, this.can_issue, this.is_revoked) == (None, True, False)
        assert this.key_created_s is not None


@simulated
async def test_a_device_that_the_root_does_not_certify_is_left_out(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        stranger = builders.account("mallory")
        at.pair.harbor.adopt(at.phone.name, stranger.chain, stranger.signed_medium_key())
        keys = at.phone.keys.issue("other")
        at.pair.harbor.adopt(at.phone.name, keys.chain, stranger.signed_medium_key())
        listed = await _listed(at.phone)
        assert set(listed) == {each.hash.hex() for each in (at.phone.keys, at.tablet.keys, keys)}
        assert listed[keys.hash.hex()].key_created_s is None, "its key is not signed by it"


@simulated
async def test_the_list_cannot_be_had_without_the_server(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        at.phone.end.is_cut = True
        with pytest.raises(Unreachable):
            await at.phone.engine.devices.devices()


@simulated
async def test_a_name_is_the_same_on_all_devices(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        named = await at.phone.engine.devices.rename(at.tablet.keys.hash.hex(), " kitchen ")
        assert named.label == "kitchen"
        await asyncio.sleep(60)
        assert (await _listed(at.tablet))[named.id].label == "kitchen"
        assert (await at.tablet.engine.devices.rename(named.id, None)).label is None
        await asyncio.sleep(60)
        assert (await _listed(at.phone))[named.id].label is None
        for unknown in ("", "tablet", "00" * 32):
            with pytest.raises(NotFound):
                await at.phone.engine.devices.rename(unknown, "x")
        with pytest.raises(Malformed):
            await at.phone.engine.devices.rename(named.id, "x" * 101)


@simulated
async def test_a_key_is_rotated_at_once(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        await asyncio.sleep(10)
        before = at.phone.published_key(at.pair.harbor)
        await at.phone.engine.devices.rotate()
        after = at.phone.published_key(at.pair.harbor)
        assert after != before
        at.pair.harbor.forget_tokens()
        await at.phone.engine.devices.rotate()
        assert at.phone.published_key(at.pair.harbor) not in (before, after)
        await at.pair.bobby.write(at.phone, "sealed to the first one")
        await at.phone.gets(at.pair.bobby, "sealed to the first one")


@simulated
async def test_a_renewed_device_takes_its_new_certificate_and_shows_it(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        device, expires_s = at.tablet.keys.hash.hex(), builders.NOW_S + 100 * _DAY_S
        renewed = await at.phone.engine.devices.renew(device, expires_s=expires_s)
        assert renewed.expires_s == expires_s
        await until(lambda: at.tablet.engine.account.chain.this.expiry == expires_s, "the tablet takes it", 60)
        await asyncio.sleep(10)
        assert (await _listed(at.phone))[device].expires_s == expires_s
        await at.tablet.restart()
        assert at.tablet.engine.account.chain.this.expiry == expires_s
        await at.tablet.has_sent(await at.tablet.write(at.pair.bobby, "with a new certificate"))
        await at.pair.bobby.gets(at.phone, "with a new certificate")


@simulated
async def test_a_device_whose_certificate_has_expired_says_so_and_is_back_once_it_is_renewed(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        device = at.tablet.keys.hash.hex()
        assert at.tablet.engine.conversations.status().certificate is None
        await at.phone.engine.devices.renew(device, expires_s=builders.NOW_S + 3600)
        await until(lambda: at.tablet.engine.account.chain.this.expiry < 2**63, "the tablet takes it", 60)
        soon = at.tablet.engine.conversations.status().certificate
        assert soon is not None
        assert "expires on 2026-09-21" in soon
        await asyncio.sleep(3700)
        over = at.tablet.engine.conversations.status().certificate
        assert over is not None
        assert "xirtam renew" in over
        await at.pair.bobby.has_sent(await at.pair.bobby.write(at.phone, "to the phone alone"))
        await at.phone.gets(at.pair.bobby, "to the phone alone")
        assert at.tablet.texts(at.pair.bobby) == []
        await at.phone.engine.devices.renew(device, expires_s=None)
        await until(lambda: at.tablet.engine.conversations.status().certificate is None, "it is back", 60)
        await asyncio.sleep(61)
        await at.pair.bobby.has_sent(await at.pair.bobby.write(at.phone, "to both again"))
        await at.tablet.gets(at.pair.bobby, "to both again")


@simulated
async def test_a_certificate_that_is_not_the_devices_or_does_not_count_is_not_taken(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        tablet, phone, stranger = at.tablet.keys, at.phone.keys, builders.account("mallory")
        another = phone.issue("another").chain
        foreign = stranger.chain.issue(stranger.secret, tablet.pk, 2**62, can_issue=True)
        expired = phone.chain.issue(phone.secret, tablet.pk, builders.NOW_S - 1, can_issue=True)
        for chain in (another, foreign, expired):
            order = _order(phone, CertificateRenewed(tablet.hash, chain_to_json(chain)), [tablet])
            await at.pair.world.post(at.tablet, order)
        nonsense = CertificateRenewed(tablet.hash, {"this": 1})
        await at.pair.world.post(at.tablet, _order(phone, nonsense, [tablet]))
        await asyncio.sleep(60)
        assert at.tablet.engine.account.chain == tablet.chain
        assert at.tablet.engine.conversations.status().rejected == 0


@simulated
async def test_an_old_renewal_that_a_server_repeats_changes_nothing(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        device = at.tablet.keys.hash.hex()
        for days in (10, 20):
            await at.phone.engine.devices.renew(device, expires_s=builders.NOW_S + days * _DAY_S)
        expiry = builders.NOW_S + 20 * _DAY_S
        await until(lambda: at.tablet.engine.account.chain.this.expiry == expiry, "the tablet takes both", 60)
        for entry in at.pair.harbor.mailbox(at.phone.name).entries[:]:
            await at.pair.world.post(at.tablet, entry.message)
        await asyncio.sleep(60)
        assert at.tablet.engine.account.chain.this.expiry == expiry


@simulated
async def test_what_cannot_be_renewed_or_revoked_is_refused_with_the_reason(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        phone, tablet = at.phone.keys.hash.hex(), at.tablet.keys.hash.hex()
        on_tablet = at.tablet.engine.devices
        with pytest.raises(Refused, match="cannot renew itself"):
            await on_tablet.renew(tablet, expires_s=None)
        with pytest.raises(Refused, match="its root"):
            await on_tablet.renew(phone, expires_s=None)
        with pytest.raises(Refused, match="cannot revoke itself"):
            await on_tablet.revoke(tablet)
        with pytest.raises(Refused, match="cannot be revoked"):
            await on_tablet.revoke(phone)
        with pytest.raises(Malformed, match="in the future"):
            await at.phone.engine.devices.renew(tablet, expires_s=builders.NOW_S - 1)


@simulated
async def test_a_revoked_device_gets_no_more_from_the_accounts_own_devices(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        laptop = at.pair.world.another_device(at.phone, "laptop")
        laptop.start()
        await at.phone.has_sent(await at.phone.write(at.pair.bobby, "for all of mine"))
        await until(lambda: at.tablet.texts(at.pair.bobby) == ["for all of mine"], "the tablet has it", 120)
        done = await at.phone.engine.devices.revoke(at.tablet.keys.hash.hex())
        assert done.device == at.tablet.keys.hash.hex()
        assert "for ever" in done.not_done[0]
        await until(lambda: _is_revoked_on(laptop, at.tablet), "the laptop knows", 120)
        await at.phone.has_sent(await at.phone.write(at.pair.bobby, "from the phone"))
        await laptop.has_sent(await laptop.write(at.pair.bobby, "from the laptop"))
        await until(lambda: len(laptop.texts(at.pair.bobby)) == 3, "the laptop has all", 120)
        await asyncio.sleep(60)
        assert at.tablet.texts(at.pair.bobby) == ["for all of mine"]
        assert (await _listed(laptop))[done.device].is_revoked
        with pytest.raises(Refused, match="has been revoked"):
            await at.phone.engine.devices.renew(done.device, expires_s=None)


def _is_revoked_on(device: SimDevice, other: SimDevice) -> bool:
    row = device.database.row("SELECT 1 FROM devices WHERE is_revoked AND device_hash = ?", bytes(other.keys.hash))
    return row is not None


@simulated
async def test_what_a_revoked_device_says_to_the_others_is_passed_over(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        laptop = at.phone.keys.issue("laptop")
        await at.phone.engine.devices.revoke(at.tablet.keys.hash.hex())
        for event in (DeviceRevoked(laptop.hash), DeviceNamed(laptop.hash, "mine now")):
            await at.pair.world.post(at.phone, _order(at.tablet.keys, event, [at.phone.keys]))
        await asyncio.sleep(60)
        assert at.phone.database.row("SELECT 1 FROM devices WHERE device_hash = ?", bytes(laptop.hash)) is None


@simulated
async def test_an_event_that_cannot_be_stored_keeps_nothing_behind_it_from_being_read(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        beyond = DeviceNamed(at.tablet.keys.hash, "tablet", 2**63)
        await at.pair.world.post(at.phone, _order(at.tablet.keys, beyond, [at.phone.keys]))
        await at.pair.bobby.write(at.phone, "behind it")
        await at.phone.gets(at.pair.bobby, "behind it", limit_s=60)


class SlowSignIn(SimHomeServer):
    """Takes its time to answer a device that has signed in, or lets nobody sign in."""

    answer_s = 0.0
    is_busy = False

    async def device_auth_start(self, username: Username) -> Challenge:
        if self.is_busy:
            raise ServerBusy
        return await super().device_auth_start(username)

    async def device_auth_finish(
        self, username: Username, chain: CertificateChain, challenge: Hash, signature: Signature
    ) -> AuthToken:
        token = await super().device_auth_finish(username, chain, challenge, signature)
        await asyncio.sleep(self.answer_s)
        return token


@simulated
async def test_a_new_certificate_is_shown_also_where_the_device_just_signs_in_with_the_old_one(tmp_path: Path) -> None:
    async with two_people(tmp_path, harbor=SlowSignIn) as pair:
        assert isinstance(pair.harbor, SlowSignIn)
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        await asyncio.sleep(10)
        pair.harbor.answer_s = 20.0
        session = tablet.engine._session  # type: ignore[reportPrivateUsage]
        signing_in = asyncio.create_task(session.authenticate(session.account.token))
        await pair.alice.engine.devices.renew(tablet.keys.hash.hex(), expires_s=builders.NOW_S + 10 * _DAY_S)
        await signing_in
        await asyncio.sleep(100)
        assert tablet.engine.account.chain.this.expiry == builders.NOW_S + 10 * _DAY_S
        assert pair.harbor.devices[tablet.keys.hash].chain == tablet.engine.account.chain


@simulated
async def test_a_device_with_a_new_certificate_goes_on_reading_while_it_cannot_sign_in(tmp_path: Path) -> None:
    async with two_people(tmp_path, harbor=SlowSignIn) as pair:
        assert isinstance(pair.harbor, SlowSignIn)
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        await asyncio.sleep(10)
        pair.harbor.is_busy = True
        expires_s = builders.NOW_S + 10 * _DAY_S
        await pair.alice.engine.devices.renew(tablet.keys.hash.hex(), expires_s=expires_s)
        await until(lambda: tablet.engine.account.chain.this.expiry == expires_s, "the tablet takes it", 60)
        for restarts in (False, True):
            if restarts:
                await tablet.restart()
            await pair.bobby.has_sent(await pair.bobby.write(pair.alice, f"restarted: {restarts}"))
            await until(lambda: f"restarted: {restarts}" in tablet.texts(pair.bobby), "it is read", 60)  # noqa: B023
        pair.harbor.is_busy = False
        harbor = pair.harbor
        await until(lambda: harbor.devices[tablet.keys.hash].chain.this.expiry == expires_s, "it is shown", 600)


@simulated
async def test_nobody_elses_word_on_devices_counts_and_the_root_cannot_be_revoked(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        bobbys = _order(at.pair.bobby.keys, DeviceRevoked(at.tablet.keys.hash), [at.phone.keys])
        await at.pair.world.post(at.phone, bobbys)
        root = _order(at.tablet.keys, DeviceRevoked(at.phone.keys.hash), [at.phone.keys, at.tablet.keys])
        await at.pair.world.post(at.phone, root)
        await asyncio.sleep(60)
        assert not any(each.is_revoked for each in (await _listed(at.phone)).values())
        assert not any(each.is_revoked for each in (await _listed(at.tablet)).values())


@simulated
async def test_revoking_says_until_when_others_go_on(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        laptop = at.phone.keys.issue("laptop", expiry=builders.NOW_S + 3 * _DAY_S, can_issue=False)
        at.pair.harbor.adopt(at.phone.name, laptop.chain, laptop.signed_medium_key())
        revoked = await at.phone.engine.devices.revoke(laptop.hash.hex())
        assert revoked.expires_s == builders.NOW_S + 3 * _DAY_S
        assert "until its certificate expires, on 2026-09-24" in revoked.not_done[0]
        assert not any("certify further" in sentence for sentence in revoked.not_done)


@simulated
async def test_a_device_that_may_not_certify_others_says_so(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        keys = pair.alice.keys.issue("watch", can_issue=False)
        watch = SimDevice(
            pair.world,
            keys,
            pair.harbor.name,
            pair.harbor.adopt(keys.username, keys.chain, keys.signed_medium_key()),
            "watch",
        )
        watch.start()
        with pytest.raises(Refused, match="may not certify others"):
            watch.engine.devices.bundle()
        await watch.crash()
