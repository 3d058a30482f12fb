"""A new device joins an account: by pairing code, or with a bundle (spec: devices.md; extensions.md, Pairing)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.faults import ROUGH
from tests.sim.groups import comes_in, holds, members
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.new_device import NewDevice
from tests.sim.people import Pair, acquaint, two_people
from tests.sim.virtual_time import simulated, until
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.engine.joining_account import read_bundle
from xirtam_core.errors import AccountExists, Malformed, NotFound, Refused, Unverified
from xirtam_core.names import GroupName, Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.device_bundle import DeviceBundle
from xirtam_core.protocol.pairing import PairingCode, PairingReply, chain_to_json, seal_reply
from xirtam_core.storage.account_directory import AccountDirectory

ALICE = Username("@alice")


class Scene(msgspec.Struct, frozen=True):
    """Alice and Bobby run, and Alice has a tablet that is no device of hers yet."""

    pair: Pair
    tablet: NewDevice


@asynccontextmanager
async def scene(
    place: Path, monkeypatch: pytest.MonkeyPatch, harbor: type[SimHomeServer] = SimHomeServer
) -> AsyncGenerator[Scene, None]:
    async with two_people(place, harbor=harbor) as pair:
        tablet = NewDevice(pair.world, place / "tablet", ALICE, monkeypatch)
        try:
            yield Scene(pair, tablet)
        finally:
            await tablet.cut_off()


async def _is_one_of_hers(scene: Scene) -> None:
    """Fails unless both devices get what Bobby writes, and Bobby and the phone what the tablet writes."""
    pair, tablet = scene.pair, scene.tablet
    await asyncio.sleep(61)  # senders keep the keys that they have looked up for a minute
    await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "to both"))
    await until(lambda: "to both" in tablet.texts(pair.bobby.name), "the tablet gets it", 120)
    await until(lambda: "to both" in pair.alice.texts(pair.bobby), "the phone gets it", 120)
    chat = await tablet.engine.conversations.start_chat(pair.bobby.name)
    tablet.engine.conversations.send_text(chat.id, "from the tablet")
    await until(lambda: "from the tablet" in pair.bobby.texts(pair.alice), "Bobby gets it", 120)
    await until(lambda: "from the tablet" in pair.alice.texts(pair.bobby), "the phone has it", 120)


@pytest.mark.parametrize("with_history", [True, False])
def test_what_comes_between_a_pairing_and_the_new_devices_first_key_reaches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_history: bool
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            alice, bobby, tablet = at.pair.alice, at.pair.bobby, at.tablet
            await acquaint(at.pair)
            old = alice.messages(bobby)[0]
            await asyncio.sleep(100)
            tablet.show_code()
            code = await tablet.code()
            tablet.end.is_cut = True
            await alice.engine.devices.pair(code, with_history=with_history)
            await bobby.write(alice, "in the gap")
            await alice.gets(bobby, "in the gap")
            alice.engine.conversations.edit(bobby.name, old.id, "hello, edited")
            alice.engine.people.set_petname(bobby.name, "Bob")
            group = (await alice.engine.groups.create("Climbers")).id
            await alice.restart()
            await asyncio.sleep(3 * 24 * 3600)
            tablet.end.is_cut = False
            await tablet.joined(3600)
            expected = [
                "hello, edited",
                "in the gap",
            ]  # what has changed is given, also where older messages were not wanted
            await until(lambda: tablet.texts(bobby.name) == expected, "it has what came meanwhile", 900)
            (chat,) = [each for each in tablet.engine.conversations.chats() if each.peer == bobby.name]
            assert chat.petname == "Bob"
            await until(lambda: [each.id for each in tablet.engine.groups.groups()] == [group], "and the group", 900)
            await _is_one_of_hers(at)

    scenario()


def test_a_paired_device_has_the_accounts_owner_keys_and_invite_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            alice, tablet = at.pair.alice, at.tablet
            group = (await alice.engine.groups.create("Climbers")).id
            alice.engine.names.publish(group, GroupName("+climbers"))
            await until(lambda: alice.engine.groups.details(group).group.directory_name, "it has a name", 600)
            alice.engine.door.link(group, uses=3)
            tablet.show_code()
            await alice.engine.devices.pair(await tablet.code())
            await tablet.joined()
            await until(lambda: tablet.engine.groups.groups(), "it is in the group", 900)
            await until(lambda: [each.uses for each in tablet.engine.door.links(group)] == [3], "it has the link", 900)
            await until(lambda: tablet.engine.names.publication(group).is_owner, "it owns the name", 900)

    scenario()


def test_a_paired_device_is_in_the_accounts_groups_with_what_was_said_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            alice, bobby = at.pair.alice, at.pair.bobby
            group = (await alice.engine.groups.create("Climbers")).id
            await alice.engine.groups.invite(group, bobby.name)
            await comes_in(bobby, group)
            bobby.engine.conversations.send_text(group, "before there was a tablet")
            alice.engine.conversations.send_text(group, "so it was")
            await holds(alice, group, "before there was a tablet", "so it was")
            await asyncio.sleep(100)
            at.tablet.show_code()
            await alice.engine.devices.pair(await at.tablet.code())
            await at.tablet.joined()

            def said() -> list[str]:
                conversations = at.tablet.engine.conversations
                if all(chat.id != group for chat in conversations.chats()):
                    return []
                return [each.text for each in conversations.history(group).messages if each.kind == "text"]

            await until(lambda: said() == ["before there was a tablet", "so it was"], "the tablet has it", 600)
            await asyncio.sleep(70)
            at.tablet.engine.conversations.send_text(group, "from the tablet")
            await holds(bobby, group, "before there was a tablet", "so it was", "from the tablet")
            assert len(members(bobby, group)) == 2

    scenario()


@pytest.mark.parametrize("kind", [SimHomeServer, ReferenceServer])
def test_a_device_is_paired_by_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[SimHomeServer]
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch, kind) as at:
            await at.pair.bobby.has_sent(await at.pair.bobby.write(at.pair.alice, "before there was a tablet"))
            await at.pair.alice.gets(at.pair.bobby, "before there was a tablet")
            await asyncio.sleep(100)
            at.tablet.show_code()
            code = await at.tablet.code()
            devices = at.pair.alice.engine.devices
            asked = devices.read_pairing(code)
            assert (asked.account, asked.fingerprint) == (ALICE, at.tablet.offers[0].fingerprint)
            device = await devices.pair(code, label="tablet")
            assert (device.id, device.label, device.is_this, device.issued_by) == (
                asked.device, "tablet", False, at.pair.alice.keys.hash.hex(),
            )  # fmt: skip
            await at.tablet.joined()
            assert [chat.peer for chat in at.tablet.engine.conversations.chats()] == [at.pair.bobby.name]
            await _is_one_of_hers(at)
            # What the phone told its devices when it paired this one came before the tablet had a key. Nothing older was read.
            assert at.tablet.engine.conversations.status().rejected <= 1

    scenario()


def test_no_secret_key_leaves_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            at.tablet.show_code()
            code = PairingCode.parse(await at.tablet.code())
            await at.pair.alice.engine.devices.pair(code.text())
            engine = await at.tablet.joined()
            assert signing.public_of(engine.account.device_secret) == code.device_pk
            (entry,) = at.pair.harbor.mailboxes[code.mailbox()].entries
            assert bytes(engine.account.device_secret) not in entry.message.inner
            await until(lambda: len(at.pair.harbor.devices) == 2, "the server knows both", 60)

    scenario()


def test_the_tablet_is_told_names_and_who_was_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            lost = at.pair.world.another_device(at.pair.alice, "lost one")
            devices = at.pair.alice.engine.devices
            await devices.rename(at.pair.alice.keys.hash.hex(), "phone")
            await devices.revoke(lost.keys.hash.hex())
            at.tablet.show_code()
            await devices.pair(await at.tablet.code(), label="tablet")
            listed = {each.id: each for each in await (await at.tablet.joined()).devices.devices()}
            assert listed[at.pair.alice.keys.hash.hex()].label == "phone"
            assert listed[lost.keys.hash.hex()].is_revoked
            assert [each.label for each in listed.values() if each.is_this] == ["tablet"]

    scenario()


@pytest.mark.parametrize("with_history", [True, False])
def test_older_messages_come_along_if_they_shall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_history: bool
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            await at.pair.bobby.has_sent(await at.pair.bobby.write(at.pair.alice, "before"))
            await at.pair.alice.gets(at.pair.bobby, "before")
            at.tablet.show_code()
            await at.pair.alice.engine.devices.pair(await at.tablet.code(), with_history=with_history)
            await at.tablet.joined()
            await asyncio.sleep(60)
            assert at.tablet.texts(at.pair.bobby.name) == (["before"] if with_history else [])
            await _is_one_of_hers(at)

    scenario()


def test_a_device_that_is_cut_off_while_it_waits_goes_on_with_the_same_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            at.tablet.show_code()
            code = await at.tablet.code()
            await asyncio.sleep(100)
            await at.tablet.cut_off()
            await at.pair.alice.engine.devices.pair(code)
            await asyncio.sleep(1000)
            at.tablet.show_code()
            await at.tablet.joined()
            assert at.tablet.offers[0] == at.tablet.offers[-1]
            await _is_one_of_hers(at)

    scenario()


@pytest.mark.parametrize("seed", range(8))
def test_a_device_gets_in_through_a_rough_network_however_often_it_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            chance = at.pair.world.chance
            chance.seed(seed)
            at.tablet.show_code()
            code = await at.tablet.code()
            await at.pair.alice.engine.devices.pair(code)
            for field in ("lost_request", "lost_reply", "busy", "latency_s"):
                setattr(at.pair.world.faults, field, getattr(ROUGH, field))
            for _ in range(6):
                await asyncio.sleep(chance.uniform(0, 4))
                if not at.tablet.is_in:
                    await at.tablet.cut_off()
                    at.tablet.show_code()
            for field in ("lost_request", "lost_reply", "busy", "latency_s"):
                setattr(at.pair.world.faults, field, 0.0)
            await until(lambda: at.tablet.is_in or at.tablet.has_failed, "it is in, or gave up", 300)
            if not at.tablet.is_in:
                await at.tablet.cut_off()
                at.tablet.show_code()
            await at.tablet.joined()
            await _is_one_of_hers(at)

    scenario()


def test_pairing_again_with_the_same_code_makes_no_other_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            at.tablet.show_code()
            code = await at.tablet.code()
            at.tablet.end.is_cut = True
            devices = at.pair.alice.engine.devices
            first = await devices.pair(code, label="tablet")
            assert await devices.pair(code) == first
            at.pair.harbor.forget_tokens()
            entries = at.pair.harbor.mailboxes[PairingCode.parse(code).mailbox()].entries
            entries.clear()
            with pytest.raises(Refused, match="make a new code"):
                await devices.pair(code)  # the mailbox is another token's
            at.tablet.end.is_cut = False

    scenario()


def test_replies_by_strangers_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            at.tablet.show_code()
            code = PairingCode.parse(await at.tablet.code())
            alice, harbor = at.pair.alice, at.pair.harbor
            token = alice.engine.account.token
            assert token is not None
            await harbor.register_group(token, code.group())
            stranger = builders.account("mallory")
            posing = builders.Device(ALICE, stranger.secret, stranger.chain, stranger.medium)
            hers = alice.keys.chain.issue(alice.keys.secret, code.device_pk, 2**63, can_issue=True)
            others = alice.keys.issue("another").chain
            for signer, chain in ((stranger, hers), (posing, hers), (posing, stranger.chain), (alice.keys, others)):
                reply = PairingReply(chain_to_json(chain))
                blob = seal_reply(code, reply, signer.username, signer.secret, signer.chain)
                await harbor.mailbox_send(token, code.mailbox(), blob, 0)
            earlier = msgspec.structs.replace(code, dh_public=stranger.medium_pk)
            replayed = seal_reply(
                earlier, PairingReply(chain_to_json(hers)), ALICE, alice.keys.secret, alice.keys.chain
            )
            await harbor.mailbox_send(token, code.mailbox(), replayed, 0)
            huge = Blob("xirtam.v1.pairing", Base64Bytes(bytes(700_000)))
            await harbor.mailbox_send(token, code.mailbox(), huge, 0)
            await asyncio.sleep(120)
            assert not at.tablet.is_in
            await alice.engine.devices.pair(code.text())
            await at.tablet.joined()
            await _is_one_of_hers(at)

    scenario()


def test_only_the_code_opens_the_mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            at.tablet.show_code()
            code = PairingCode.parse(await at.tablet.code())
            await at.pair.alice.engine.devices.pair(code.text())
            access = at.pair.harbor.mailboxes[code.mailbox()].access
            assert access is not None
            assert len(access) == 2
            assert token_hash(code.token) in access

    scenario()


def test_a_code_of_another_account_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            at.tablet.show_code()
            code = await at.tablet.code()
            with pytest.raises(Refused, match="@alice, not of @bobby"):
                await at.pair.bobby.engine.devices.pair(code)
            with pytest.raises(Malformed, match="in the future"):
                await at.pair.alice.engine.devices.pair(code, expires_s=builders.NOW_S - 1)
            with pytest.raises(Malformed, match="at most"):
                await at.pair.alice.engine.devices.pair(code, label="x" * 101)

    scenario()


def test_somebody_whom_the_network_does_not_have_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            nobody = NewDevice(at.pair.world, tmp_path / "nobody", Username("@nobody"), monkeypatch)
            nobody.show_code()
            with pytest.raises(NotFound, match="no @nobody in this network"):
                await nobody.joined()
            assert not AccountDirectory(nobody.data_dir, nobody.name).exists

    scenario()


def test_a_bundle_makes_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            text = at.pair.alice.engine.devices.bundle(expires_s=builders.NOW_S + 10**6)
            at.tablet.take_bundle(f" {text}\n")
            engine = await at.tablet.joined()
            (this, phone) = await engine.devices.devices()
            assert (this.is_this, this.expires_s, this.issued_by) == (True, builders.NOW_S + 10**6, phone.id)
            await _is_one_of_hers(at)
            with pytest.raises(AccountExists):
                at.tablet.take_bundle(text)

    scenario()


@pytest.mark.parametrize("after_s", [0.0, 0.04, 0.06, 0.11, 0.16, 0.2])
def test_a_bundle_that_was_cut_off_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after_s: float
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            at.pair.world.faults.latency_s = 0.02
            text = at.pair.alice.engine.devices.bundle()
            at.tablet.take_bundle(text)
            await asyncio.sleep(after_s)
            if at.tablet.is_in:
                return
            await at.tablet.cut_off()
            at.tablet.take_bundle(text)
            await at.tablet.joined()
            await _is_one_of_hers(at)

    scenario()


def test_a_bundle_that_is_no_good_says_why_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        async with scene(tmp_path, monkeypatch) as at:
            text = at.pair.alice.engine.devices.bundle(expires_s=builders.NOW_S + 1000)
            for damaged in (text[:-2], text[1:], "", "nonsense", "A" * 100_000):
                with pytest.raises(Malformed, match="copy it again"):
                    at.tablet.take_bundle(damaged)
            bundle = read_bundle(text)
            other = DeviceBundle(bundle.username, builders.signing_secret("other"), bundle.chain)
            with pytest.raises(Malformed, match="do not belong together"):
                at.tablet.take_bundle(Base64Bytes(bcs.encode(other)).text())
            assert bundle.device_secret.hex() not in repr(bundle)
            await asyncio.sleep(1001)
            at.tablet.take_bundle(text)
            with pytest.raises(Unverified, match="expired"):
                await at.tablet.joined()
            assert not AccountDirectory(at.tablet.data_dir, ALICE).exists
            foreign = builders.account("mallory").issue("tablet")
            at.tablet.take_bundle(Base64Bytes(bcs.encode(DeviceBundle(ALICE, foreign.secret, foreign.chain))).text())
            with pytest.raises(Unverified, match="none of @alice's in this network"):
                await at.tablet.joined()

    scenario()
