"""Who owns an account's name: seen, changed, replaced through crashes, and claimed with a recovery key (docs/recovery.md)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.canaries import Canaries, files_under, objects_of
from tests.sim.new_device import NewDevice
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.crypto import signing
from xirtam_core.devices import NameOwnership, OwnerKind, Revocation
from xirtam_core.errors import Malformed, NotFound, Refused, Unreachable
from xirtam_core.protocol.device_events import OwnerNoted
from xirtam_core.protocol.directory import AddOwner, Update, UserDescriptor, sign_update
from xirtam_core.recovery_key import RecoveryKey
from xirtam_core.storage import owner_keys


class Scene(msgspec.Struct, frozen=True):
    """Alice has a phone, which is her account's first device and owns her name, and a tablet, which does not."""

    pair: Pair
    tablet: SimDevice

    @property
    def phone(self) -> SimDevice:
        return self.pair.alice

    def owners(self) -> tuple[SigningPublic, ...]:
        """By the directory."""
        return self.pair.world.directory.state(self.phone.name).owners


@asynccontextmanager
async def two_devices(place: Path) -> AsyncGenerator[Scene, None]:
    async with two_people(place) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        yield Scene(pair, tablet)
        assert not tablet.has_failed


def public_of(device: SimDevice) -> SigningPublic:
    return signing.public_of(device.keys.secret)


async def settled(device: SimDevice) -> NameOwnership:
    """Who owns the name once nothing is left to be changed."""

    async def wait() -> NameOwnership:
        while (seen := await device.engine.ownership.progress()).is_pending:  # noqa: ASYNC110 # no event tells
            await asyncio.sleep(1)
        return seen

    return await asyncio.wait_for(wait(), 3600)


def kinds(seen: NameOwnership) -> list[OwnerKind]:
    return [each.kind for each in seen.owners]


async def with_recovery_key(at: Scene) -> RecoveryKey:
    key = RecoveryKey.new()
    await at.phone.engine.ownership.add_recovery_key(key.public_text())
    assert (await settled(at.phone)).trouble is None
    return key


@simulated
async def test_a_new_accounts_name_is_owned_by_its_first_device(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        phone, tablet = await at.phone.engine.ownership.ownership(), await at.tablet.engine.ownership.ownership()
        assert (phone.is_owner, tablet.is_owner, phone.is_pending, phone.trouble) == (True, False, False, None)
        assert (kinds(phone), kinds(tablet)) == ([OwnerKind.THIS_DEVICE], [OwnerKind.DEVICE])
        assert phone.owners[0].device == tablet.owners[0].device == at.phone.keys.hash.hex()
        assert phone.owners[0].key == public_of(at.phone).text()


@simulated
async def test_a_key_that_nobody_knows_is_shown_as_unknown(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        directory, stranger = at.pair.world.directory, builders.signing_secret("a stranger")
        state = directory.state(at.phone.name)
        directory.put(
            at.phone.name,
            (sign_update(at.phone.keys.secret, state.last_hash, AddOwner(signing.public_of(stranger))),),
        )
        seen = await at.phone.engine.ownership.ownership()
        assert kinds(seen) == [OwnerKind.THIS_DEVICE, OwnerKind.UNKNOWN]
        await at.phone.engine.ownership.remove(seen.owners[1].key)
        assert kinds(await settled(at.phone)) == [OwnerKind.THIS_DEVICE]


@simulated
async def test_another_device_becomes_an_owner_and_can_then_remove_the_first(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        await at.phone.engine.ownership.add_device(at.tablet.keys.hash.hex())
        assert kinds(await settled(at.phone)) == [OwnerKind.THIS_DEVICE, OwnerKind.DEVICE]
        await at.tablet.engine.ownership.ownership()
        await at.tablet.engine.ownership.remove(public_of(at.phone).text())
        assert kinds(await settled(at.tablet)) == [OwnerKind.THIS_DEVICE]
        assert at.owners() == (public_of(at.tablet),)
        with pytest.raises(Refused, match="does not own"):
            await at.phone.engine.ownership.rotate()


@simulated
async def test_a_device_that_does_not_own_the_name_says_so_and_which_does(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        await at.phone.engine.devices.rename(at.phone.keys.hash.hex(), "phone")
        await asyncio.sleep(60)
        own, key = at.tablet.engine.ownership, RecoveryKey.new().public_text()
        for attempt in (
            own.rotate(),
            own.add_recovery_key(key),
            own.add_device(at.tablet.keys.hash.hex()),
            own.remove(public_of(at.phone).text()),
        ):
            with pytest.raises(Refused, match=r"does not own @alice.*\(phone\)"):
                await attempt
        assert at.owners() == (public_of(at.phone),)


@simulated
async def test_the_last_owner_stays_and_no_device_takes_its_own_key_away(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        own = at.phone.engine.ownership
        for _ in range(2):
            with pytest.raises(Refused, match="own key"):
                await own.remove(public_of(at.phone).text())
            await with_recovery_key(at)
        with pytest.raises(NotFound):
            await own.remove(public_of(at.tablet).text())
        for odd in ("", "zz", "A" * 43):
            with pytest.raises(NotFound):
                await own.remove(odd)
            with pytest.raises(Malformed):
                await own.add_recovery_key(odd + "!")
        with pytest.raises(Malformed):
            await own.add_recovery_key(public_of(at.phone).text())


@simulated
async def test_a_recovery_key_is_known_as_one_on_all_devices_with_its_day(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        key = await with_recovery_key(at)
        await asyncio.sleep(120)
        for device in (at.phone, at.tablet):
            await device.restart()
            (found,) = [
                each for each in (await device.engine.ownership.ownership()).owners if each.kind is OwnerKind.RECOVERY
            ]
            assert found.key == key.public_text()
            assert found.since_s is not None
            assert 0 <= found.since_s - builders.NOW_S < 600
        await at.phone.engine.ownership.remove(key.public_text())
        assert kinds(await settled(at.phone)) == [OwnerKind.THIS_DEVICE]


@simulated
async def test_a_device_changes_its_owner_key_and_goes_on_owning_the_name(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        key = await with_recovery_key(at)
        for _ in range(2):
            before = at.owners()
            await at.phone.engine.ownership.rotate()
            seen = await settled(at.phone)
            assert (seen.is_owner, seen.trouble) == (True, None)
            assert kinds(seen) == [OwnerKind.RECOVERY, OwnerKind.THIS_DEVICE]
            assert seen.owners[0].key == key.public_text()
            assert seen.owners[1].key not in [each.text() for each in before]
        assert public_of(at.phone) not in at.owners()
        assert len(owner_keys.secrets(at.phone.database)) == 1, "what owns nothing any more is forgotten"
        await at.phone.engine.ownership.add_device(at.tablet.keys.hash.hex())
        assert len((await settled(at.phone)).owners) == 3


@simulated
async def test_an_owner_key_shows_nowhere(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        await at.phone.engine.ownership.rotate()
        await settled(at.phone)
        canaries = Canaries()
        canaries.learn(at.phone.database)
        shown = "\n".join(repr(each) for each in objects_of(at.phone.engine))
        assert owner_keys.secrets(at.phone.database)
        assert canaries.in_text(shown) == []
        assert canaries.in_files(files_under(tmp_path)) == []


async def _rotate_and_crash(place: Path, after_s: float) -> None:
    async with two_devices(place) as at:
        await at.phone.engine.ownership.rotate()
        await asyncio.sleep(after_s)
        await at.phone.restart()
        seen = await settled(at.phone)
        assert (seen.is_owner, len(seen.owners), kinds(seen)) == (True, 1, [OwnerKind.THIS_DEVICE])
        assert at.owners() != (public_of(at.phone),)


@pytest.mark.parametrize("after_s", [0.0, 0.5, 1.2, 2.5, 3.4, 4.2, 5.5, 7.0])
def test_a_changing_of_keys_goes_on_after_a_crash(tmp_path: Path, after_s: float) -> None:
    simulated(_rotate_and_crash)(tmp_path, after_s)


@simulated
async def test_between_the_two_steps_of_a_change_both_keys_own_the_name(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        seen: list[int] = []
        await at.phone.engine.ownership.rotate()
        while (await at.phone.engine.ownership.progress()).is_pending:
            seen.append(len(at.owners()))
            await asyncio.sleep(0.1)
        assert set(seen) == {1, 2}


@simulated
async def test_a_change_waits_for_a_directory_that_is_away(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        await at.phone.engine.ownership.rotate()
        at.pair.world.directory.is_down = True
        await asyncio.sleep(600)
        seen = await at.phone.engine.ownership.progress()
        assert (seen.is_pending, seen.trouble is not None) == (True, True)
        with pytest.raises(Unreachable):
            await at.phone.engine.ownership.ownership()
        at.pair.world.directory.is_down = False
        seen = await settled(at.phone)
        assert (seen.is_owner, seen.trouble) == (True, None)


@simulated
async def test_what_is_being_done_is_told(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        await at.phone.engine.ownership.rotate()
        steps: list[str] = []
        while (seen := await at.phone.engine.ownership.progress()).is_pending:
            if seen.step is not None and seen.step not in steps:
                steps.append(seen.step)
            await asyncio.sleep(0.05)
        assert steps == [
            "asking the directory about the name",
            "proving work for the new owner", "waiting for the directory to log the new owner",
            "proving work for the removal of an owner", "waiting for the directory to log the removal of an owner",
        ]  # fmt: skip


@simulated
async def test_a_change_by_a_device_that_is_an_owner_no_more_is_given_up_whole(tmp_path: Path) -> None:
    """Else the old key would be removed where the new one was never added."""
    async with two_devices(tmp_path) as at:
        key = await with_recovery_key(at)
        await at.phone.engine.ownership.add_device(at.tablet.keys.hash.hex())
        await settled(at.phone)
        await at.tablet.engine.ownership.remove(public_of(at.phone).text())
        await settled(at.tablet)
        at.phone.end.is_cut = True
        fresh = signing.public_of(builders.signing_secret("a new key"))
        owner_keys.add_work(at.phone.database, owner_keys.WorkKind.ADD, bytes(fresh))
        owner_keys.add_work(at.phone.database, owner_keys.WorkKind.REMOVE, bytes(public_of(at.tablet)))
        at.phone.end.is_cut = False
        at.phone.engine.ownership.hurry()
        seen = await settled(at.phone)
        assert seen.trouble is not None
        assert [each.text() for each in at.owners()] == [key.public_text(), public_of(at.tablet).text()]


@simulated
async def test_a_recovery_key_makes_a_device_an_owner_without_being_given_to_it(tmp_path: Path) -> None:
    """What to do when the first device was stolen, and another one is left."""
    async with two_devices(tmp_path) as at:
        key = await with_recovery_key(at)
        await at.phone.crash()
        own = at.tablet.engine.ownership
        await own.claim(claim := await own.claim_request(), key.sign(claim))
        seen = await settled(at.tablet)
        assert kinds(seen) == [OwnerKind.DEVICE, OwnerKind.RECOVERY, OwnerKind.THIS_DEVICE]
        await own.remove(public_of(at.phone).text())
        seen = await settled(at.tablet)
        assert kinds(seen) == [OwnerKind.RECOVERY, OwnerKind.THIS_DEVICE]
        assert (await own.claim(claim, key.sign(claim))).owners == seen.owners, "again, it does nothing"


@simulated
async def test_a_claim_goes_on_after_a_crash_and_counts_for_one_state_of_the_name_alone(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        key = await with_recovery_key(at)
        own = at.tablet.engine.ownership
        claim = await own.claim_request()
        with pytest.raises(Refused, match="does not own"):
            await own.claim(claim, RecoveryKey.new().sign(claim))
        with pytest.raises(Malformed):
            await own.claim(claim, "no signature")
        with pytest.raises(Malformed):
            await at.phone.engine.ownership.claim(claim, key.sign(claim))
        directory, phone = at.pair.world.directory, at.phone
        blob = UserDescriptor(at.pair.harbor.name, phone.keys.hash).blob()
        last = directory.state(phone.name).last_hash
        directory.put(phone.name, (sign_update(phone.keys.secret, last, Update(blob)),))
        with pytest.raises(Refused, match="has changed"):
            await own.claim(claim, key.sign(claim))
        await own.claim(claim := await own.claim_request(), key.sign(claim))
        await asyncio.sleep(0.5)
        await at.tablet.restart()
        assert (await settled(at.tablet)).is_owner
        assert public_of(at.tablet) in at.owners()


async def _revoked(at: Scene, device: SimDevice, by: SimDevice) -> Revocation:
    """What revoking it came to; that was said beforehand, too."""
    own = by.engine.devices
    beforehand = await own.explain_revocation(device.keys.hash.hex())
    assert not any(each.is_revoked for each in await own.devices() if each.id == device.keys.hash.hex())
    revocation = await own.revoke(device.keys.hash.hex())
    assert revocation == beforehand
    return revocation


@simulated
async def test_revoking_a_device_takes_the_name_from_it_too(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        await at.phone.engine.ownership.add_device(at.tablet.keys.hash.hex())
        await settled(at.phone)
        revocation = await _revoked(at, at.tablet, at.phone)
        assert (len(revocation.done), revocation.next_steps) == (3, ())
        await settled(at.phone)
        assert at.owners() == (public_of(at.phone),)
        with pytest.raises(Refused, match="revoked"):
            await at.phone.engine.ownership.add_device(at.tablet.keys.hash.hex())


@simulated
async def test_revoking_a_device_takes_from_it_also_the_key_that_it_has_made_itself(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        await at.phone.engine.ownership.add_device(at.tablet.keys.hash.hex())
        await settled(at.phone)
        await at.tablet.engine.ownership.rotate()
        await settled(at.tablet)
        (fresh,) = set(at.owners()) - {public_of(at.phone)}
        assert fresh != public_of(at.tablet)
        own = at.phone.engine.ownership

        def is_heard_of() -> bool:
            return fresh in owner_keys.known(at.phone.database)

        await until(is_heard_of, "the phone knows whose it is", 120)
        revocation = await _revoked(at, at.tablet, at.phone)
        assert (len(revocation.done), revocation.next_steps) == (3, ())
        await settled(at.phone)
        assert at.owners() == (public_of(at.phone),)
        assert [each.kind for each in (await own.ownership()).owners] == [OwnerKind.THIS_DEVICE]


@simulated
async def test_who_revokes_is_told_where_the_device_still_owns_the_name(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        laptop = at.pair.world.another_device(at.phone, "laptop")
        laptop.start()
        assert (await _revoked(at, laptop, at.tablet)).next_steps == ()
        desk = at.pair.world.another_device(at.phone, "desk")
        desk.start()
        await at.phone.engine.ownership.add_device(desk.keys.hash.hex())
        await settled(at.phone)
        assert "still owns" in (await _revoked(at, desk, at.tablet)).next_steps[0]
        assert public_of(desk) in at.owners()
        car = at.pair.world.another_device(at.phone, "car")
        car.start()
        at.pair.world.directory.is_down = True
        assert "could not be asked" in (await at.tablet.engine.devices.revoke(car.keys.hash.hex())).next_steps[0]
        at.pair.world.directory.is_down = False
        with pytest.raises(Refused, match="root"):
            await at.tablet.engine.devices.explain_revocation(at.phone.keys.hash.hex())


async def _pair_and_look(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with two_devices(place) as at:
        await with_recovery_key(at)
        laptop = NewDevice(at.pair.world, place / "laptop", at.phone.name, monkeypatch)
        laptop.show_code()
        await at.phone.engine.devices.pair(await laptop.code(), with_history=False)
        engine = await laptop.joined()
        await asyncio.sleep(600)
        assert kinds(await engine.ownership.ownership()) == [OwnerKind.DEVICE, OwnerKind.RECOVERY]
        await laptop.cut_off()


def test_a_device_that_joins_later_knows_the_recovery_key_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated(_pair_and_look)(tmp_path, monkeypatch)


@simulated
async def test_what_a_device_has_said_of_keys_is_answered_for_by_it_and_ends_with_it(tmp_path: Path) -> None:
    async with two_devices(tmp_path) as at:
        tablet_id = at.tablet.keys.hash.hex()
        await at.phone.engine.devices.rename(tablet_id, "tablet")
        await at.phone.engine.ownership.add_device(tablet_id)
        await settled(at.phone)
        # Whoever holds the tablet adds keys of their own, and says that they are the phone's, and one on paper.
        theirs = [builders.signing_secret(f"of a thief {number}") for number in range(2)]
        directory = at.pair.world.directory
        for secret, device in zip(theirs, (at.phone.keys.hash, None), strict=True):
            update = AddOwner(signing.public_of(secret))
            last = directory.state(at.phone.name).last_hash
            directory.put(at.phone.name, (sign_update(at.tablet.keys.secret, last, update),))
            with at.tablet.database.transaction():
                noted = OwnerNoted(signing.public_of(secret).text(), 1_700_000_000, device)
                at.tablet.engine._base.own_devices.tell(noted)  # pyright: ignore[reportPrivateUsage]
        await asyncio.sleep(120)
        seen = {each.key: each for each in (await at.phone.engine.ownership.ownership()).owners}
        as_the_phones, on_paper = (seen[signing.public_of(secret).text()] for secret in theirs)
        assert as_the_phones.kind is OwnerKind.UNKNOWN
        assert (on_paper.kind, on_paper.said_by) == (OwnerKind.RECOVERY, "tablet")

        revoked = await at.phone.engine.devices.revoke(tablet_id)
        assert any("2 keys own" in step for step in revoked.next_steps)
        kinds = {each.key: each.kind for each in (await settled(at.phone)).owners}
        assert [kinds[signing.public_of(secret).text()] for secret in theirs] == [OwnerKind.UNKNOWN] * 2
