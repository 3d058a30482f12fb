"""Groups with names in the directory: published, watched, asked about and joined (docs/protocol/named-groups.md)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.groups import Circle, circle, is_invited, is_member, members, notices, shown
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import AuthToken, Base64Bytes, Hash, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.engine import door
from xirtam_core.errors import Malformed, NotFound, Refused, SecurityAlarm
from xirtam_core.events import AlarmRaised
from xirtam_core.group_link import GroupLink
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import GroupName, Username
from xirtam_core.protocol.blob import CONTROL
from xirtam_core.protocol.control import DEVICE
from xirtam_core.protocol.directory import AddOwner, DelOwner, sign_update
from xirtam_core.protocol.event import Event, ToUser
from xirtam_core.protocol.group_entry import GROUP_ASK, AskSettled, GroupAsk, link_hash
from xirtam_core.protocol.group_name import GroupListing, find_listing
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.settings import Settings, Strangers
from xirtam_core.storage import name_keys, settings

NAME = GroupName("+climbers")


async def published(group: Circle, device: SimDevice | None = None) -> None:
    """Waits until the group has its name for everybody."""
    publisher = device or group.alice
    publisher.engine.names.publish(group.group, NAME)
    devices = (group.alice, group.bobby, group.carol)
    await until(lambda: all(group.shown(each).directory_name == NAME for each in devices), "all know the name", 600)


@asynccontextmanager
async def named(place: Path) -> AsyncGenerator[tuple[Circle, SimDevice]]:
    """The three, whose group has a name, and David, who is not in it."""
    async with circle(place) as group:
        await published(group)
        david = group.world.device("david", group.beach)
        david.start()
        yield group, david
        assert not david.has_failed


def secret_of(device: SimDevice, group: str) -> SigningSecret:
    """The owner key of a device's account."""
    return name_keys.of(device.database, group, NAME)[0]


async def asks(group: Circle, device: SimDevice, *, of: SimDevice | None = None) -> None:
    """Waits until an admin sees who asks."""
    admin = of or group.alice
    await until(
        lambda: [each.user for each in admin.engine.door.requests(group.group)] == [device.name], "it is seen", 600
    )


async def gets_in(device: SimDevice, group: str, limit_s: float = 600) -> None:
    """Waits until somebody is in, without a hand being moved."""
    await until(
        lambda: is_member(device, group) and members(device, group)[device.name].status is Status.ACCEPTED,
        f"{device.name} is in",
        limit_s,
    )


@simulated
async def test_a_group_is_found_by_its_name_and_joined_once_an_admin_approves(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        assert "@alice put the group into the directory as +climbers" in notices(group.bobby, group.group)
        found = await david.engine.asking.look_up(NAME)
        assert (found.group, found.title, found.admins, found.doubt) == (group.group, "Climbers", ("@alice",), None)
        await david.engine.asking.join(NAME, "we met in Arco")
        await asks(group, david)
        (request,) = group.alice.engine.door.requests()
        assert (request.note, request.has_link, group.shown(group.alice).asking) == ("we met in Arco", False, 1)
        await group.alice.engine.door.approve(group.group, david.name)
        await gets_in(david, group.group)
        assert david.engine.asking.asked() == []
        assert group.alice.engine.door.requests() == []
        group.bobby.engine.conversations.send_text(group.group, "welcome")
        await until(lambda: "welcome" in david.texts(group.group), "David reads", 600)


@simulated
async def test_asking_shows_nowhere_but_among_the_requests(tmp_path: Path) -> None:
    """It makes no chat, no contact and no message request of whoever asks, whatever is to become of strangers."""
    async with named(tmp_path) as (group, david):
        settings.store(group.alice.database, Settings(strangers=Strangers.REFUSE))
        await david.engine.asking.join(NAME)
        await asks(group, david)
        alice = group.alice.engine
        assert david.name not in [chat.id for chat in alice.conversations.chats()]
        assert david.name not in [each.name for each in alice.people.people()]


@simulated
async def test_who_is_refused_is_told_and_can_ask_somebody_else(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        group.alice.engine.groups.set_admin(group.group, group.bobby.name, True)
        await until(lambda: group.shown(group.bobby).is_admin, "Bobby is an admin", 600)
        group.alice.engine.names.publish(group.group, NAME, (group.bobby.name,))
        listing = lambda: find_listing(group.world.directory.state(NAME), NAME)  # noqa: E731
        await until(lambda: (found := listing()) is not None and len(found.admins) == 2, "both are listed", 600)
        assert (await david.engine.asking.join(NAME)).admin == group.alice.name
        await asks(group, david)
        group.alice.engine.door.refuse(group.group, david.name)
        await until(lambda: david.engine.asking.asked()[0].is_refused, "David knows", 600)
        assert group.alice.engine.door.requests() == []
        assert (await david.engine.asking.join(NAME)).admin == group.bobby.name
        await asks(group, david, of=group.bobby)
        await group.bobby.engine.door.approve(group.group, david.name)
        await gets_in(david, group.group)


@simulated
async def test_a_link_lets_in_without_a_person_as_many_as_it_is_for(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        david, erika = (group.world.device(name, group.beach) for name in ("david", "erika"))
        for device in (david, erika):
            device.start()
        link = group.alice.engine.door.link(group.group)
        assert "+" not in link.split("?")[1].replace("%2B", "")
        await david.engine.asking.join(link)
        await gets_in(david, group.group)
        assert group.alice.engine.door.links(group.group) == []
        await erika.engine.asking.join(link)
        await asks(group, erika)
        assert group.alice.engine.door.requests()[0].has_link
        await asyncio.sleep(3600)
        assert not is_member(erika, group.group)
        await group.alice.engine.door.approve(group.group, erika.name)
        await gets_in(erika, group.group)


@simulated
async def test_a_link_that_has_expired_only_asks(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        david = group.world.device("david", group.beach)
        david.start()
        link = group.alice.engine.door.link(group.group, uses=5, days=1)
        await asyncio.sleep(86_401)
        assert group.alice.engine.door.links(group.group) == []
        await david.engine.asking.join(link)
        await asks(group, david)
        await asyncio.sleep(3600)
        assert not is_member(david, group.group)


@simulated
async def test_a_link_that_was_ended_only_asks(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        david = group.world.device("david", group.beach)
        david.start()
        links = [group.alice.engine.door.link(group.group) for _ in range(2)]
        first = group.alice.engine.door.links(group.group)[0]
        assert group.alice.engine.door.unlink(group.group, first.id[:12]) == 1
        assert [each.id == first.id for each in group.alice.engine.door.links(group.group)] == [False]
        assert group.alice.engine.door.unlink(group.group) == 1
        with pytest.raises(NotFound):
            group.alice.engine.door.unlink(group.group)
        await david.engine.asking.join(links[1])
        await asks(group, david)
        await asyncio.sleep(3600)
        assert not is_member(david, group.group)


@simulated
async def test_a_wrong_secret_is_an_ordinary_request(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        david = group.world.device("david", group.beach)
        david.start()
        real = GroupLink.parse(group.alice.engine.door.link(group.group))
        guessed = AuthToken(builders.seeded("guessed", AuthToken.size))
        await david.engine.asking.join(str(GroupLink(real.group, real.admin, guessed)))
        await asks(group, david)
        assert len(group.alice.engine.door.links(group.group)) == 1


@simulated
async def test_another_device_lets_in_when_the_one_that_made_the_link_is_off(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        phone = group.world.another_device(group.alice, "phone")
        david, erika = (group.world.device(name, group.beach) for name in ("david", "erika"))
        for device in (phone, david, erika):
            device.start()
        await asyncio.sleep(90)  # until the phone's key is known
        chat = (await group.alice.engine.groups.create("Of two devices")).id
        await until(lambda: is_member(phone, chat), "the phone is in the group", 600)
        link = group.alice.engine.door.link(chat, uses=2)
        await until(lambda: phone.engine.door.links(chat), "the phone knows the link", 600)
        await david.engine.asking.join(link)
        await gets_in(david, chat)
        await asyncio.sleep(600)
        assert [device.engine.door.links(chat)[0].uses for device in (group.alice, phone)] == [1, 1]
        assert notices(phone, chat).count("@alice invited @david") == 1
        assert len([each for each in david.messages(group.alice) if each.kind == "invite"]) == 1
        await group.alice.crash()
        await erika.engine.asking.join(link)
        await gets_in(erika, chat)
        group.alice.start()
        await until(lambda: group.alice.engine.door.links(chat) == [], "it is used up for both", 600)
        await asyncio.sleep(600)
        assert len([each for each in erika.messages(group.alice) if each.kind == "invite"]) == 1


@simulated
async def test_devices_that_see_askings_in_different_orders_let_in_no_more_than_a_link_is_for(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        phone, erika = group.world.another_device(group.alice, "phone"), group.world.device("erika", group.beach)
        for device in (phone, erika):
            device.start()
        await asyncio.sleep(90)
        chat = (await group.alice.engine.groups.create("Of two devices")).id
        await until(lambda: is_member(phone, chat), "the phone is in the group", 600)
        link = group.alice.engine.door.link(chat)
        await until(lambda: phone.engine.door.links(chat), "the phone knows the link", 600)
        await group.alice.crash()
        await erika.engine.asking.join(link)
        await until(lambda: phone.engine.door.links(chat) == [], "the phone has seen Erika", 600)
        used, now_ns = link_hash(GroupLink.parse(link).secret), group.world.clock.now_ns()
        settled = AskSettled(Hash.from_text(chat), Username("@david"), now_ns, used).render()
        event = Event(ToUser(group.alice.name), now_ns, DEVICE, Base64Bytes(settled))
        await group.world.post(group.alice, builders.sealed_message(group.alice.keys, event, [phone.keys], CONTROL))
        await until(lambda: [each.user for each in phone.engine.door.requests(chat)] == [erika.name], "she waits", 600)
        await asyncio.sleep(600)
        assert not is_member(erika, chat)


# Owners


@simulated
async def test_publishing_goes_on_after_a_crash(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.alice.engine.names.publish(group.group, NAME)
        await until(lambda: group.world.directory.state(NAME).owners, "the name is claimed", 600)
        await group.alice.restart()
        await until(lambda: group.shown(group.bobby).directory_name == NAME, "it has its name", 600)
        listing = find_listing(group.world.directory.state(NAME), NAME)
        assert listing == GroupListing(NAME, Hash.from_text(group.group), "Climbers", (group.alice.name,))
        assert group.world.directory.state(NAME).owners == (signing.public_of(secret_of(group.alice, group.group)),)


@simulated
async def test_a_name_that_somebody_has_is_not_taken(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        other = (await david.engine.groups.create("Other climbers")).id
        david.engine.names.publish(other, NAME)
        await until(lambda: not david.engine.names.publication(other).is_pending, "it is over", 600)
        publication = david.engine.names.publication(other)
        assert "belongs to somebody else" in (publication.trouble or "")
        assert publication.name == ""
        assert (await david.engine.asking.look_up(NAME)).group == group.group


@simulated
async def test_a_name_outlives_its_founder(tmp_path: Path) -> None:
    """Another admin is made an owner, without being there, and then has the name without the founder, who is banned."""
    async with named(tmp_path) as (group, _):
        alice, bobby = group.alice, group.bobby
        with pytest.raises(Refused):
            alice.engine.names.set_owner(group.group, bobby.name, True)
        alice.engine.groups.set_admin(group.group, bobby.name, True)
        await until(lambda: name_keys.of(bobby.database, group.group, NAME), "Bobby has offered a key", 3600)
        await asyncio.sleep(60)
        await bobby.crash()
        alice.engine.names.set_owner(group.group, bobby.name, True)
        await until(lambda: len(group.world.directory.state(NAME).owners) == 2, "there are two owners", 600)
        bobby.start()
        await until(lambda: bobby.engine.names.publication(group.group).is_owner, "Bobby knows", 3600)
        assert bobby.engine.names.publication(group.group).owners == (alice.name, bobby.name)
        bobby.engine.groups.ban(group.group, alice.name)
        mine = (signing.public_of(secret_of(bobby, group.group)),)
        await until(lambda: group.world.directory.state(NAME).owners == mine, "the founder owns it no more", 3600)
        bobby.engine.names.publish(group.group, NAME)
        listing = lambda: find_listing(group.world.directory.state(NAME), NAME)  # noqa: E731
        await until(lambda: (found := listing()) is not None and found.admins == (bobby.name,), "Bobby is asked", 600)
        await asyncio.sleep(8 * 3600)
        assert group.shown(group.carol).name_alarm is None


@simulated
async def test_the_last_owner_stays(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, _):
        group.alice.engine.names.set_owner(group.group, group.alice.name, False)
        await until(lambda: group.alice.engine.names.publication(group.group).trouble, "it is refused", 600)
        assert len(group.world.directory.state(NAME).owners) == 1


@simulated
async def test_a_key_is_renewed(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, _):
        before = signing.public_of(secret_of(group.alice, group.group))
        group.alice.engine.names.renew_owner(group.group)
        after = (signing.public_of(secret_of(group.alice, group.group)),)
        await until(lambda: group.world.directory.state(NAME).owners == after, "the new key alone owns it", 600)
        assert before not in after
        await asyncio.sleep(8 * 3600)
        assert group.shown(group.bobby).name_alarm is None


@simulated
async def test_the_devices_of_an_account_share_its_owner_keys(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        phone = group.world.another_device(group.alice, "phone")
        phone.start()
        await asyncio.sleep(90)
        chat = (await group.alice.engine.groups.create("Of two devices")).id
        await until(lambda: is_member(phone, chat), "the phone is in the group", 600)
        group.alice.engine.names.publish(chat, NAME)
        await until(lambda: shown(phone, chat).directory_name == NAME, "it has a name", 600)
        await group.alice.crash()
        phone.engine.names.unpublish(chat)
        await until(lambda: shown(phone, chat).directory_name == "", "it is called so no more", 600)
        listing = find_listing(group.world.directory.state(NAME), NAME)
        assert listing == GroupListing(NAME, Hash.from_text(chat), "", ())


@simulated
async def test_an_unpublished_name_asks_nobody_and_stays_taken(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        group.alice.engine.names.unpublish(group.group)
        await until(lambda: group.shown(group.bobby).directory_name == "", "the name is gone", 600)
        with pytest.raises(Refused):
            await david.engine.asking.join(NAME)
        await asyncio.sleep(8 * 3600)
        assert group.shown(group.bobby).name_alarm is None


# Takeovers, forgeries, floods and repetitions


def repoint(group: Circle, to: Hash, admin: Username) -> None:
    """The name leads elsewhere, by the word of its owner."""
    listing = GroupListing(NAME, to, "Climbers", (admin,))
    group.world.directory.set_value(NAME, secret_of(group.alice, group.group), listing.blob())


def alarms(device: SimDevice, group: str) -> list[str]:
    return [event.text for event in device.events if isinstance(event, AlarmRaised) and event.chat == group]


@simulated
async def test_a_name_that_leads_elsewhere_alarms_members_and_makes_newcomers_hesitate(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        await david.engine.asking.join(NAME)
        trap = (await david.engine.groups.create("Trap")).id
        repoint(group, Hash.from_text(trap), group.bobby.name)
        for device in (group.alice, group.bobby, group.carol):
            await until(lambda d=device: group.shown(d).name_alarm, "there is an alarm", 8 * 3600)
            assert len(alarms(device, group.group)) == 1
            assert "another group" in (group.shown(device).name_alarm or "")
        with pytest.raises(SecurityAlarm):
            await david.engine.asking.join(NAME)
        with pytest.raises(Refused):
            await group.carol.engine.asking.join(NAME)
        repoint(group, Hash.from_text(group.group), group.alice.name)
        await until(lambda: group.shown(group.bobby).name_alarm is None, "it is in order again", 8 * 3600)


@simulated
async def test_an_owner_whom_nobody_has_announced_raises_an_alarm(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, _):
        stranger = signing.public_of(builders.signing_secret("a stranger"))
        before = group.world.directory.state(NAME).last_hash
        group.world.directory.put(NAME, (sign_update(secret_of(group.alice, group.group), before, AddOwner(stranger)),))
        await until(lambda: group.shown(group.bobby).name_alarm, "there is an alarm", 8 * 3600)
        assert "announced" in alarms(group.bobby, group.group)[0]


@simulated
async def test_a_name_that_was_given_up_and_taken_makes_newcomers_hesitate(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        secret, log = secret_of(group.alice, group.group), group.world.directory
        log.put(NAME, (sign_update(secret, log.state(NAME).last_hash, DelOwner(signing.public_of(secret))),))
        thief = builders.signing_secret("a thief")
        log.put(NAME, (sign_update(thief, log.state(NAME).last_hash, AddOwner(signing.public_of(thief))),))
        with pytest.raises(Refused):
            await david.engine.asking.join(NAME)
        assert (await david.engine.asking.join(NAME, in_spite_of_doubt=True)).admin == group.alice.name


@simulated
async def test_an_invitation_into_another_group_than_was_asked_for_is_not_accepted_by_itself(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        await david.engine.asking.join(NAME)
        await asks(group, david)
        forged = (await group.alice.engine.groups.create("Climbers")).id
        await group.alice.engine.groups.invite(forged, david.name)
        await is_invited(david, forged)
        await asyncio.sleep(600)
        assert shown(david, forged).state is GroupState.INVITED
        assert [each.group for each in david.engine.asking.asked()] == [group.group]


@simulated
async def test_an_invitation_by_somebody_who_was_not_asked_is_not_accepted_by_itself(tmp_path: Path) -> None:
    """Somebody may know the descriptor and invite with a key and a token that are good for nothing."""
    async with named(tmp_path) as (group, david):
        await david.engine.asking.join(NAME)
        await asks(group, david)
        await group.carol.engine.groups.invite(group.group, david.name)
        await david.engine.conversations.start_chat(group.carol.name, unseen=True)
        await is_invited(david, group.group)
        await asyncio.sleep(600)
        assert shown(david, group.group).state is GroupState.INVITED
        await group.alice.engine.door.approve(group.group, david.name)
        await gets_in(david, group.group)
        assert shown(david, group.group).invited_by == group.alice.name


@simulated
async def test_an_asking_that_is_shown_again_has_no_effect(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        link = group.alice.engine.door.link(group.group, uses=3)
        await david.engine.asking.join(link)
        await gets_in(david, group.group)
        david.engine.groups.leave(group.group)
        await until(lambda: david.name not in group.members(group.alice), "David has left", 600)
        box = group.harbor.mailboxes[direct_mailbox(group.alice.name)]
        for entry in list(box.entries):
            await group.world.post(group.alice, entry.message)
        await asyncio.sleep(3600)
        assert group.alice.engine.door.requests() == []
        assert group.alice.engine.door.links(group.group)[0].uses == 2
        assert david.name not in group.members(group.alice)


async def _asks_from_anybody(
    group: Circle, name: str, chat: str, sent_at: int | None = None, body: bytes | None = None
) -> None:
    """Somebody asks Alice, with a client of their own making."""
    keys = builders.account(name)
    group.world.directory.put(keys.username, builders.user_history(keys, group.beach.name))
    said = body or GroupAsk(Hash.from_text(chat), note=f"I am {name}").render()
    at_ns = group.world.clock.now_ns() if sent_at is None else sent_at
    event = Event(ToUser(group.alice.name), at_ns, GROUP_ASK, Base64Bytes(said))
    await group.world.post(group.alice, builders.sealed_message(keys, event, [group.alice.keys], CONTROL))


@simulated
async def test_a_flood_of_requests_stays_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with circle(tmp_path) as group:
        monkeypatch.setattr(door, "MOST_OF_GROUP", 5)
        for number in range(12):
            await _asks_from_anybody(group, f"flood{number}", group.group)
        await until(lambda: len(group.alice.engine.door.requests(group.group)) == 5, "some are seen", 600)
        await asyncio.sleep(600)
        assert len(group.alice.engine.door.requests(group.group)) == 5
        david = group.world.device("david", group.beach)
        david.start()
        await david.engine.asking.join(group.alice.engine.door.link(group.group))
        await gets_in(david, group.group)


@simulated
async def test_one_asker_asks_for_few_groups_only(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        david = group.world.device("david", group.beach)
        david.start()
        chats = [(await group.alice.engine.groups.create(f"Group {number}")).id for number in range(5)]
        for chat in chats:
            link = GroupLink.parse(group.alice.engine.door.link(chat))
            wrong = GroupLink(link.group, link.admin, AuthToken(builders.seeded(chat, AuthToken.size)))
            await david.engine.asking.join(str(wrong))
        await until(lambda: len(group.alice.engine.door.requests()) == door.MOST_OF_ONE, "some are seen", 600)
        await until(david.is_at_rest, "all is sent", 600)
        await asyncio.sleep(600)
        assert len(group.alice.engine.door.requests()) == door.MOST_OF_ONE


@simulated
async def test_what_makes_no_sense_or_comes_from_nowhere_is_let_go(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        now_ns, day_ns = group.world.clock.now_ns(), 86_400 * 10**9
        foreign = (await group.bobby.engine.groups.create("Not Alice's")).id
        await _asks_from_anybody(group, "olden", group.group, now_ns - 31 * day_ns)
        await _asks_from_anybody(group, "future", group.group, now_ns + 2 * day_ns)
        await _asks_from_anybody(group, "foreign", foreign)
        too_long = msgspec.json.encode({"group": group.group, "note": "x" * 300})
        for number, body in enumerate((b" ", b"{}", b"[]", b'{"group": 5}', too_long)):
            await _asks_from_anybody(group, f"nobody{number}", group.group, body=body)
        group.alice.engine.groups.ban(group.group, group.carol.name)
        await until(lambda: group.shown(group.carol).state is GroupState.BANNED, "Carol is out", 600)
        link = group.alice.engine.door.link(group.group)
        await group.carol.engine.asking.join(link)
        await _asks_from_anybody(group, "honest", group.group)
        await until(group.alice.engine.door.requests, "what makes sense is seen", 600)
        await asyncio.sleep(600)
        assert [each.user for each in group.alice.engine.door.requests()] == ["@honest"]
        assert group.members(group.alice)[group.carol.name].status is Status.BANNED
        assert len(group.alice.engine.door.links(group.group)) == 1


@simulated
async def test_the_blocked_ask_in_vain(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        await david.write(group.alice, "hello")
        await group.alice.gets(david, "hello")
        group.alice.engine.people.block(david.name)
        await david.engine.asking.join(NAME)
        await until(david.is_at_rest, "it is sent", 600)
        await asyncio.sleep(600)
        assert group.alice.engine.door.requests() == []


@simulated
async def test_members_do_not_manage_the_door_or_the_name(tmp_path: Path) -> None:
    async with named(tmp_path) as (group, david):
        await david.engine.asking.join(NAME)
        await asks(group, david)
        bobby = group.bobby.engine
        for act in (
            lambda: bobby.names.publish(group.group, NAME),
            lambda: bobby.names.unpublish(group.group),
            lambda: bobby.door.link(group.group),
            lambda: bobby.door.refuse(group.group, david.name),
        ):
            with pytest.raises(Refused):
                act()
        for uses, days in ((0, 1), (1001, 1), (1, 0), (1, 366)):
            with pytest.raises(Malformed):
                group.alice.engine.door.link(group.group, uses, days)
        with pytest.raises(NotFound):
            await group.alice.engine.door.approve(group.group, group.carol.name)
