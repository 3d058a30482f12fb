"""Groups: made, joined, written in, managed and left (spec: groups.md; client.md, Groups)."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests import builders
from tests.sim.groups import Circle, circle, comes_in, holds, is_invited, is_member, members, notices, said, shown
from tests.sim.home_server import ReferenceServer
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Reaction
from xirtam_core.codec.primitives import AeadKey, AuthToken, Base64Bytes
from xirtam_core.crypto import aead, dh
from xirtam_core.errors import NotFound, Refused, Unverified
from xirtam_core.groups import GroupState, Status
from xirtam_core.protocol import group_message, rekey
from xirtam_core.protocol.blob import GROUP_MESSAGE, GROUP_REKEY, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.event import TEXT, Event, ToGroup, ToUser
from xirtam_core.protocol.group_invite import INVITE, GroupInvite
from xirtam_core.protocol.mailbox import ReceiveFrom
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.settings import Settings
from xirtam_core.storage import group_keys, group_tasks, groups, medium_keys
from xirtam_core.storage.group_tasks import TaskKind


@simulated
async def test_people_are_invited_come_in_and_read_each_other_in_one_order(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        for device in (group.alice, group.bobby, group.carol):
            device.engine.conversations.send_text(group.group, f"hello from {device.name}")
        await until(lambda: len(group.alice.messages(group.group)) >= 3, "they come")
        await holds(group.alice, group.group, *[f"hello from {name}" for name in ("@alice", "@bobby", "@carol")])
        await group.all_get(*[message.text for message in group.alice.messages(group.group) if message.kind == "text"])
        assert {name: each.status for name, each in group.members(group.carol).items()} == {
            "@alice": Status.ACCEPTED, "@bobby": Status.ACCEPTED, "@carol": Status.ACCEPTED,
        }  # fmt: skip
        shown = group.shown(group.bobby)
        assert (shown.name, shown.members, shown.is_admin, shown.invited_by) == ("Climbers", 3, False, "@alice")
        assert shown.state is GroupState.MEMBER
        assert notices(group.alice, group.group) == [
            "@alice named the group “Climbers”", "@alice invited @bobby", "@bobby joined", "@alice invited @carol", "@carol joined",
        ]  # fmt: skip


@simulated
async def test_one_is_told_which_groups_one_shares_with_somebody_until_they_are_shut_out(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        people = group.alice.engine.people
        assert people.shared_groups(group.bobby.name) == [group.group]
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await until(lambda: people.shared_groups(group.bobby.name) == [], "they are no more", 600)
        assert people.shared_groups(group.carol.name) == [group.group]


def _keys(device: SimDevice, group: str) -> list[AeadKey]:
    return group_keys.all_of(device.database, group)


@simulated
async def test_a_ban_shuts_somebody_out_of_what_is_said_and_of_the_mailboxes(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.bobby.engine.conversations.send_text(group.group, "before")
        await group.all_get("before")
        tokens = {device.name: groups.find(device.database, group.group) for device in (group.alice, group.bobby)}
        token = tokens[group.bobby.name]
        assert token is not None
        old_keys = _keys(group.bobby, group.group)
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await until(lambda: group.shown(group.bobby).state is GroupState.BANNED, "Bobby knows", 600)
        await until(lambda: len(_keys(group.alice, group.group)) > 1, "there is a new key", 600)
        assert _keys(group.alice, group.group)[0] not in old_keys
        await until(
            lambda: not group_tasks.about(group.alice.database, group.group, TaskKind.SHUT_OUT), "and no rights", 600
        )
        group.carol.engine.conversations.send_text(group.group, "after")
        await group.all_get("before", "after", among=(group.alice, group.carol))
        assert said(group.bobby, group.group) == ["before"]
        for mailbox in token.mailboxes:
            with pytest.raises(AccessDenied):
                await group.harbor.mailbox_multirecv((ReceiveFrom(token.token, mailbox, 0),), 1000)
            with pytest.raises(AccessDenied):
                await group.harbor.mailbox_send(token.token, mailbox, Blob("v1.group_message", Base64Bytes(b"")), 0)
        (newest, *_) = [
            entry
            for entry in reversed(group.harbor.mailboxes[token.messages_mailbox].entries)
            if entry.message.kind == GROUP_MESSAGE
        ]
        with pytest.raises(Unverified):
            group_message.unseal(newest.message, old_keys)
        with pytest.raises(Refused):
            group.bobby.engine.conversations.send_text(group.group, "let me in")


@simulated
async def test_what_the_banned_post_all_the_same_is_shown_to_nobody(tmp_path: Path) -> None:
    """Somebody may have added spare tokens unseen, and have been given a key by another member."""
    async with circle(tmp_path) as group:
        bobbys = groups.find(group.bobby.database, group.group)
        assert bobbys is not None
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await until(lambda: group.members(group.carol)[group.bobby.name].status is Status.BANNED, "all know", 600)
        event = Event(ToGroup(bobbys.id), group.world.clock.now_ns(), TEXT, Base64Bytes(b"I am still here"))
        keys = group.bobby.keys
        await asyncio.sleep(60)
        blob = group_message.seal(
            MESSAGE_CONTENT, event, keys.username, keys.secret, keys.chain, _keys(group.carol, group.group)[0]
        )
        alices = groups.find(group.alice.database, group.group)
        assert alices is not None
        await group.harbor.mailbox_send(alices.token, bobbys.messages_mailbox, blob, 0)
        group.alice.engine.conversations.send_text(group.group, "good riddance")
        await group.all_get("good riddance", among=(group.alice, group.carol))


@simulated
async def test_an_unbanned_member_can_be_invited_again_and_takes_part(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await until(lambda: group.shown(group.bobby).state is GroupState.BANNED, "Bobby is out", 600)
        with pytest.raises(Refused):
            await group.alice.engine.groups.invite(group.group, group.bobby.name)
        group.alice.engine.groups.unban(group.group, group.bobby.name)
        await until(
            lambda: group.members(group.alice)[group.bobby.name].status is Status.PENDING, "may come in again", 600
        )
        await group.alice.engine.groups.invite(group.group, group.bobby.name)
        await comes_in(group.bobby, group.group)
        group.carol.engine.conversations.send_text(group.group, "welcome back")
        await group.all_get("welcome back")


@simulated
async def test_who_leaves_is_gone_for_all_and_reads_nothing_more(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        before = _keys(group.alice, group.group)
        group.carol.engine.groups.leave(group.group)
        assert group.shown(group.carol).state is GroupState.LEAVING
        await until(lambda: group.shown(group.carol).state is GroupState.LEFT, "Carol is out", 600)
        await until(lambda: group.carol.name not in group.members(group.alice), "all know", 600)
        await until(lambda: _keys(group.alice, group.group)[0] not in before, "there is a new key", 600)
        await until(lambda: _keys(group.bobby, group.group)[0] not in before, "for Bobby as well", 600)
        group.bobby.engine.conversations.send_text(group.group, "only us")
        await group.all_get("only us", among=(group.alice, group.bobby))
        assert said(group.carol, group.group) == []
        group.carol.engine.groups.forget(group.group)
        assert group.group not in [chat.id for chat in group.carol.engine.conversations.chats()]


@simulated
async def test_an_account_that_left_comes_back_by_a_new_invitation(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.carol.engine.groups.leave(group.group)
        await until(lambda: group.shown(group.carol).state is GroupState.LEFT, "Carol is out", 600)
        await until(lambda: group.carol.name not in group.members(group.alice), "all know", 600)
        await group.alice.engine.groups.invite(group.group, group.carol.name)
        await comes_in(group.carol, group.group)
        await until(lambda: group.members(group.alice) == group.members(group.carol), "all know", 600)
        group.alice.engine.conversations.send_text(group.group, "welcome back")
        await group.all_get("welcome back")


@simulated
async def test_the_key_changes_about_hourly_and_messages_go_on(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        before = _keys(group.bobby, group.group)
        for number in range(8):
            await asyncio.sleep(3600)
            group.bobby.engine.conversations.send_text(group.group, f"hour {number}")
        await group.all_get(*[f"hour {number}" for number in range(8)])
        now = _keys(group.bobby, group.group)
        assert now[0] not in before
        assert now == _keys(group.carol, group.group) == _keys(group.alice, group.group)


@simulated
async def test_a_message_whose_key_has_not_come_waits_is_counted_and_opens_in_its_place(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        stored = groups.find(group.alice.database, group.group)
        assert stored is not None
        key, keys = aead.new_key(), group.alice.keys
        event = Event(ToGroup(stored.id), group.world.clock.now_ns(), TEXT, Base64Bytes(b"early"))
        blob = group_message.seal(MESSAGE_CONTENT, event, keys.username, keys.secret, keys.chain, key)
        await group.harbor.mailbox_send(stored.token, stored.messages_mailbox, blob, 0)
        await until(lambda: group.shown(group.bobby).waiting == 1, "it waits", 60)
        group.alice.engine.conversations.send_text(group.group, "late")
        await holds(group.bobby, group.group, "late")
        receivers = [dh.public_of(device.keys.medium) for device in (group.alice, group.bobby, group.carol)]
        rekeyed = rekey.seal(stored.id, key, keys.username, keys.secret, keys.chain, receivers)
        await group.harbor.mailbox_send(stored.token, stored.messages_mailbox, rekeyed, 0)
        await group.all_get("early", "late")
        assert group.shown(group.bobby).waiting == 0


@simulated
async def test_a_key_from_somebody_who_is_no_admin_is_not_taken(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        stored, keys = groups.find(group.bobby.database, group.group), group.bobby.keys
        assert stored is not None
        receivers = [dh.public_of(device.keys.medium) for device in (group.alice, group.carol)]
        before = _keys(group.carol, group.group)
        blob = rekey.seal(stored.id, aead.new_key(), keys.username, keys.secret, keys.chain, receivers)
        await group.harbor.mailbox_send(stored.token, stored.messages_mailbox, blob, 0)
        group.alice.engine.conversations.send_text(group.group, "go on")
        await holds(group.carol, group.group, "go on")
        await asyncio.sleep(1800)
        assert _keys(group.carol, group.group) == before
        assert group.carol.engine.conversations.status().rejected == 0


@simulated
async def test_rules_hold_for_members_and_not_for_admins(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        with pytest.raises(Refused):
            group.bobby.engine.groups.set_policy(group.group, who_posts="admins")
        group.alice.engine.groups.set_policy(group.group, who_invites="admins", who_posts="admins")
        await until(lambda: not group.shown(group.bobby).may_post, "the rule is known", 600)
        for refused in (group.bobby, group.carol):
            with pytest.raises(Refused):
                refused.engine.conversations.send_text(group.group, "may I?")
            with pytest.raises(Refused):
                await refused.engine.groups.invite(group.group, group.alice.name)
        group.alice.engine.groups.set_admin(group.group, group.bobby.name, True)
        await until(lambda: group.shown(group.bobby).may_post, "Bobby may", 600)
        group.bobby.engine.conversations.send_text(group.group, "I may")
        await group.all_get("I may")
        group.bobby.engine.groups.set_info(group.group, name="Walkers", description="On Sundays")
        await until(lambda: group.shown(group.carol).name == "Walkers", "it has another name", 600)
        assert "@bobby named the group “Walkers” and changed the description" in notices(group.carol, group.group)


@simulated
async def test_messages_are_pinned_by_admins_for_all_to_find(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        sent = [group.bobby.engine.conversations.send_text(group.group, text) for text in ("the old hall", "at seven")]
        await group.all_get("the old hall", "at seven")

        def pinned(device: SimDevice) -> list[str]:
            return [each.text for each in device.engine.groups.pins(group.group)]

        with pytest.raises(Refused):
            group.bobby.engine.groups.pin(group.group, sent[0].id)
        with pytest.raises(NotFound):
            group.alice.engine.groups.pin(group.group, "00" * 32)
        for message in sent:
            group.alice.engine.groups.pin(group.group, message.id)
        await until(lambda: pinned(group.carol) == ["at seven", "the old hall"], "Carol sees them", 600)
        assert notices(group.carol, group.group)[-1] == "@alice pinned a message"
        group.alice.engine.groups.pin(group.group, sent[1].id, pinned=False)
        await until(lambda: pinned(group.carol) == ["the old hall"], "one is left", 600)
        group.bobby.engine.conversations.withdraw(group.group, sent[0].id)
        await until(lambda: pinned(group.carol) == [""], "nothing is left of it", 600)


@simulated
async def test_a_new_admin_can_ban_with_all_that_goes_with_it(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.bobby.engine.conversations.send_text(group.group, "hello")
        group.carol.engine.conversations.send_text(group.group, "hello")
        await until(lambda: len(said(group.alice, group.group)) == 2, "their tokens have been seen", 600)
        group.alice.engine.groups.set_admin(group.group, group.bobby.name, True)
        await until(lambda: group.shown(group.bobby).is_admin, "Bobby is an admin", 600)
        await until(
            lambda: not group_tasks.about(group.alice.database, group.group, TaskKind.EMPOWER), "with all rights", 600
        )
        carols = groups.find(group.carol.database, group.group)
        assert carols is not None
        group.bobby.engine.groups.ban(group.group, group.carol.name)
        await until(
            lambda: not group_tasks.about(group.bobby.database, group.group, TaskKind.SHUT_OUT), "it is done", 600
        )
        with pytest.raises(AccessDenied):
            await group.harbor.mailbox_multirecv((ReceiveFrom(carols.token, carols.messages_mailbox, 0),), 1000)


@simulated
async def test_a_ban_goes_on_after_a_crash_where_it_was(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.world.machine(group.harbor).stop()
        before = _keys(group.alice, group.group)
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await asyncio.sleep(60)
        await group.alice.restart()
        group.world.machine(group.harbor).start()
        await until(
            lambda: not group_tasks.about(group.alice.database, group.group, TaskKind.SHUT_OUT), "no rights", 1200
        )
        await until(lambda: _keys(group.carol, group.group)[0] not in before, "there is a new key", 1200)
        await until(
            lambda: group.shown(group.bobby).state is GroupState.BANNED or group.shown(group.bobby).is_refused,
            "Bobby is shown that he is out",
            1200,
        )


@simulated
async def test_edits_withdrawals_and_reactions_hold_for_all(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        alice = group.alice.engine.conversations
        message, other = alice.send_text(group.group, "helo"), alice.send_text(group.group, "nonsense")
        await group.all_get("helo", "nonsense")
        alice.edit(group.group, message.id, "hello")
        alice.withdraw(group.group, other.id)
        group.bobby.engine.conversations.react(group.group, message.id, "👍")
        await group.all_get("hello", "")
        for device in (group.alice, group.bobby, group.carol):
            await until(
                lambda device=device: device.engine.conversations.message(group.group, message.id).reactions
                == (Reaction("👍", (group.bobby.name,)),),
                "and the thumb",
                600,
            )  # fmt: skip


@simulated
async def test_a_reply_is_plain_text_until_all_are_known_to_understand_more(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        message = group.alice.engine.conversations.send_text(group.group, "who comes?")
        await group.all_get("who comes?")
        answer = group.bobby.engine.conversations.send_text(group.group, "I do", reply_to=message.id)
        assert (answer.mime, answer.text) == ("text/plain", "> who comes?\nI do")
        await group.all_get("who comes?", "> who comes?\nI do")


@simulated
async def test_every_device_of_an_account_is_in_its_groups(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        tablet = group.world.another_device(group.bobby, "tablet")
        tablet.start()
        await asyncio.sleep(120)
        second = (await group.bobby.engine.groups.create("Ours")).id
        await until(lambda: is_member(tablet, second), "it is in the new one", 600)
        await group.bobby.engine.groups.invite(second, group.alice.name)
        await comes_in(group.alice, second)
        group.alice.engine.conversations.send_text(second, "hello both")
        tablet_says = tablet.engine.conversations.send_text
        await holds(tablet, second, "hello both")
        tablet_says(second, "hello from the tablet")
        for device in (group.alice, group.bobby, tablet):
            await holds(device, second, "hello both", "hello from the tablet")
        assert members(tablet, second).keys() == members(group.bobby, second).keys()
        assert [each.text for each in group.alice.messages(second) if each.kind == "notice"].count("joined") == 1


@simulated
async def test_an_invitation_that_one_device_accepts_is_accepted_once(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        tablet = group.world.another_device(group.bobby, "tablet")
        tablet.start()
        await asyncio.sleep(60)
        second = (await group.alice.engine.groups.create("Second")).id
        await group.alice.engine.groups.invite(second, group.bobby.name)
        await is_invited(tablet, second)
        await comes_in(group.bobby, second)
        await until(lambda: is_member(tablet, second), "so is the tablet", 600)
        await until(lambda: group.bobby.name in members(group.alice, second), "Alice knows", 600)
        group.alice.engine.groups.set_admin(second, group.bobby.name, True)
        await until(lambda: shown(tablet, second).is_admin, "Bobby is an admin", 600)
        tablet.engine.groups.accept(second)
        await asyncio.sleep(600)
        assert shown(group.alice, second).members == 2
        assert members(group.alice, second)[group.bobby.name].is_admin


@simulated
async def test_a_strangers_invitation_is_one_once_they_are_accepted(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        davey = group.world.device("davey", group.beach)
        davey.start().preferences.change(Settings())
        await group.bobby.engine.groups.invite(group.group, davey.name)
        await until(lambda: davey.messages(group.bobby), "he has it", 600)
        assert davey.engine.groups.groups() == []
        davey.engine.people.accept(group.bobby.name)
        await comes_in(davey, group.group)
        await until(lambda: davey.name in group.members(group.alice), "all know", 600)
        davey.engine.conversations.send_text(group.group, "hello all")
        await group.all_get("hello all")


@simulated
async def test_an_invitation_is_declined_without_a_word(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        second = (await group.alice.engine.groups.create("Second")).id
        await group.alice.engine.groups.invite(second, group.bobby.name)
        await is_invited(group.bobby, second)
        group.bobby.engine.groups.decline(second)
        assert second not in [each.id for each in group.bobby.engine.groups.groups()]
        assert members(group.alice, second)[group.bobby.name].status is Status.PENDING


@simulated
async def test_a_member_who_was_off_for_days_catches_up_with_keys_roster_and_messages(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await group.carol.crash()
        for number in range(5):
            await asyncio.sleep(8 * 3600)
            group.alice.engine.conversations.send_text(group.group, f"day {number}")
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await asyncio.sleep(3600)
        group.alice.engine.conversations.send_text(group.group, "without Bobby")
        await asyncio.sleep(3600)
        group.carol.start()
        await holds(group.carol, group.group, *[f"day {number}" for number in range(5)], "without Bobby")
        assert group.members(group.carol)[group.bobby.name].status is Status.BANNED
        assert group.carol.engine.conversations.status().rejected == 0


@simulated
async def test_a_group_lives_on_a_reference_server(tmp_path: Path) -> None:
    async with circle(tmp_path, harbor=ReferenceServer) as group:
        for device in (group.alice, group.bobby, group.carol):
            device.engine.conversations.send_text(group.group, f"hello from {device.name}")
        await until(lambda: len(said(group.alice, group.group)) == 3, "all are there", 600)
        await group.all_get(*said(group.alice, group.group))


@simulated
async def test_who_is_banned_before_becoming_an_admin_gets_no_rights_back(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.alice.engine.groups.set_admin(group.group, group.bobby.name, True)
        await until(lambda: group.shown(group.bobby).is_admin, "Bobby is an admin", 600)
        await until(
            lambda: not group_tasks.about(group.alice.database, group.group, TaskKind.EMPOWER), "with rights", 600
        )
        group.carol.engine.conversations.send_text(group.group, "hello")
        await group.all_get("hello")
        carols = groups.find(group.carol.database, group.group)
        assert carols is not None
        await group.alice.crash()
        group.bobby.engine.groups.ban(group.group, group.carol.name)
        await until(
            lambda: not group_tasks.about(group.bobby.database, group.group, TaskKind.SHUT_OUT), "she is out", 600
        )
        group_tasks_before = group.alice.start()  # which still means to make her an admin
        with contextlib.suppress(Refused, NotFound):
            group_tasks_before.groups.set_admin(group.group, group.carol.name, True)
        await asyncio.sleep(3 * 3600)
        assert group_tasks.about(group.alice.database, group.group, TaskKind.EMPOWER) == []
        with pytest.raises(AccessDenied):
            await group.harbor.mailbox_multirecv((ReceiveFrom(carols.token, carols.messages_mailbox, 0),), 1000)


@simulated
async def test_two_bans_at_once_leave_out_both(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.world.faults.latency_s = 2.0
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await asyncio.sleep(0.3)
        group.alice.engine.groups.ban(group.group, group.carol.name)
        await until(
            lambda: not group_tasks.about(group.alice.database, group.group, TaskKind.SHUT_OUT), "both are out", 1200
        )
        await asyncio.sleep(60)
        newest = _keys(group.alice, group.group)[0]
        for device in (group.bobby, group.carol):
            assert newest not in _keys(device, group.group)
            rekeys = [
                e
                for e in group.harbor.mailboxes[_stored(group).messages_mailbox].entries
                if e.message.kind == GROUP_REKEY
            ]
            with pytest.raises(Unverified):
                rekey.unseal(rekeys[-1].message, medium_keys.openers(device.database))


def _stored(group: Circle) -> groups.StoredGroup:
    found = groups.find(group.alice.database, group.group)
    assert found is not None
    return found


async def _ban_bobby_while_he_is_off(group: Circle) -> None:
    """He cannot read that he is banned: the server refuses him."""
    await group.bobby.crash()
    group.alice.engine.groups.ban(group.group, group.bobby.name)
    await until(lambda: not group_tasks.about(group.alice.database, group.group, TaskKind.SHUT_OUT), "he is out", 600)
    group.bobby.start()
    await until(lambda: group.shown(group.bobby).is_refused, "he is refused", 600)


@simulated
async def test_who_was_off_when_banned_comes_back_by_a_new_invitation(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await _ban_bobby_while_he_is_off(group)
        group.alice.engine.groups.unban(group.group, group.bobby.name)
        await until(lambda: group.members(group.alice)[group.bobby.name].status is Status.PENDING, "may come in", 600)
        await group.alice.engine.groups.invite(group.group, group.bobby.name)
        await comes_in(group.bobby, group.group)
        group.alice.engine.conversations.send_text(group.group, "welcome back")
        await holds(group.bobby, group.group, "welcome back")


@simulated
async def test_who_is_refused_can_leave_and_forget(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await _ban_bobby_while_he_is_off(group)
        group.bobby.engine.groups.leave(group.group)
        assert group.shown(group.bobby).state is GroupState.LEFT
        group.bobby.engine.groups.forget(group.group)
        assert group.bobby.engine.groups.groups() == []


@simulated
async def test_a_key_from_somebody_who_was_an_admin_then_is_taken_later(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.alice.engine.groups.set_admin(group.group, group.bobby.name, True)
        await until(
            lambda: group.shown(group.bobby).is_admin and group.shown(group.carol).members == 3, "an admin", 600
        )
        await group.carol.crash()
        group_of_bobby = _stored(group)
        key, keys = aead.new_key(), group.bobby.keys
        receivers = [dh.public_of(device.keys.medium) for device in (group.alice, group.bobby, group.carol)]
        blob = rekey.seal(group_of_bobby.id, key, keys.username, keys.secret, keys.chain, receivers)
        await group.harbor.mailbox_send(group_of_bobby.token, group_of_bobby.messages_mailbox, blob, 0)
        await until(lambda: key in _keys(group.alice, group.group), "it is in use", 60)
        group.alice.engine.conversations.send_text(group.group, "under Bobby's key")
        await group.all_get("under Bobby's key", among=(group.alice, group.bobby))
        group.alice.engine.groups.set_admin(group.group, group.bobby.name, False)
        await until(lambda: not group.shown(group.bobby).is_admin, "an admin no more", 600)
        group.carol.start()
        await holds(group.carol, group.group, "under Bobby's key")


@simulated
async def test_a_second_inviter_does_not_take_the_place_of_the_first(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        second = (await group.alice.engine.groups.create("Second")).id
        await group.alice.engine.groups.invite(second, group.carol.name)
        await is_invited(group.carol, second)
        stored = groups.find(group.alice.database, second)
        assert stored is not None
        false = GroupInvite(stored.descriptor, aead.new_key(), AuthToken(bytes(range(20))), group.world.clock.now_ns())
        event = Event(ToUser(group.carol.name), group.world.clock.now_ns(), INVITE, Base64Bytes(false.render()))
        await group.world.post(group.carol, builders.sealed_message(group.bobby.keys, event, [group.carol.keys]))
        await until(lambda: group.carol.messages(group.bobby), "it has come", 60)
        assert shown(group.carol, second).invited_by == group.alice.name
        await comes_in(group.carol, second)
