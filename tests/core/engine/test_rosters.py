"""Rosters of groups, as management entries reach them in whatever way they come (spec: groups.md, Roster; rpc.md, Receiving)."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import builders
from tests.sim.groups import Circle, circle, comes_in, holds, members, notices, said
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Reaction, SendState
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.groups import Status
from xirtam_core.names import Username
from xirtam_core.protocol import group_command, group_message
from xirtam_core.protocol.blob import CONTROL, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.control import DELETE, EDIT, REACTION, Edit, ReactionBody, Withdrawal
from xirtam_core.protocol.event import TEXT, Event, ToGroup
from xirtam_core.protocol.group_command import Command, RemoveAdmin, SetInfo
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_core.protocol.roster import ACCEPTED
from xirtam_core.rpc.home_server import ServerBusy
from xirtam_core.storage import group_keys, group_members, groups
from xirtam_core.storage.database import Row
from xirtam_core.storage.groups import StoredGroup


def _stored(group: Circle) -> StoredGroup:
    found = groups.find(group.alice.database, group.group)
    assert found is not None
    return found


def _managing(group: Circle, sender: builders.Device, command: Command) -> Blob:
    """What `sender` says of the group, as anybody could post it who has been in it."""
    known = _stored(group)
    body = Base64Bytes(group_command.render(command))
    event = Event(ToGroup(known.id), group.world.clock.now_ns(), MANAGE, body)
    return group_message.seal(
        MESSAGE_CONTENT, event, sender.username, sender.secret, sender.chain, known.descriptor.management_key
    )


async def _turns_up_late(group: Circle, blob: Blob, received_at: int) -> None:
    """A server that is not ours shows an entry behind others that have been read."""
    known = _stored(group)
    entry = MailboxEntry(blob, received_at, token_hash(known.token))
    group.harbor.mailboxes[known.management_mailbox].add(entry)


@simulated
async def test_an_entry_that_turns_up_late_counts_where_it_stands(tmp_path: Path) -> None:
    """Bobby was an admin no more when he named the group and banned Davey, but the server shows that last."""
    async with circle(tmp_path, harbor=ReferenceServer) as group:
        group.alice.engine.groups.set_admin(group.group, group.bobby.name, True)
        await until(lambda: group.shown(group.bobby).is_admin, "Bobby is an admin", 600)
        davey = group.world.device("davey", group.beach)
        davey.start()
        await group.alice.engine.groups.invite(group.group, davey.name)
        await comes_in(davey, group.group)
        await asyncio.sleep(60)
        demoted_ns = group.world.clock.now_ns()
        demotion = _managing(group, group.alice.keys, RemoveAdmin(group.bobby.name))
        await asyncio.sleep(1)
        group.bobby.engine.groups.set_info(group.group, name="Bobby's")
        group.bobby.engine.groups.ban(group.group, davey.name)
        await until(lambda: group.members(group.carol)[davey.name].status is Status.BANNED, "it is read", 8)
        assert group.shown(group.carol).name == "Bobby's"
        await _turns_up_late(group, demotion, demoted_ns)
        newcomer = group.world.device("ellen", group.beach)
        newcomer.start()
        await group.alice.engine.groups.invite(group.group, newcomer.name)
        await comes_in(newcomer, group.group)
        for device in (group.alice, group.bobby, group.carol):
            await until(
                lambda device=device: group.members(device) == members(newcomer, group.group), "all know the same", 60
            )
            assert (group.shown(device).name, group.shown(device).members) == ("Climbers", 5)
            assert not any("Bobby's" in words or "banned" in words for words in notices(device, group.group))
            assert "@alice made @bobby an admin no more" in notices(device, group.group)


@simulated
async def test_what_waited_for_an_entry_goes_on_as_soon_as_that_is_given_up(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        known = _stored(group)
        nobody = _managing(group, builders.account("zelda"), SetInfo(name="Nobody's"))
        await group.harbor.mailbox_send(known.token, known.management_mailbox, nobody, 0)
        await asyncio.sleep(14)  # her entry will be looked at again only 20 s after the other has been given up
        group.alice.engine.groups.set_info(group.group, name="Walkers")
        await until(lambda: group.carol.engine.conversations.status().rejected == 1, "it is given up", 600)
        await until(lambda: group.shown(group.carol).name == "Walkers", "what was behind it goes on", 3)


class _CountingRows:
    """Counts the rows that are read from a device's database."""

    def __init__(self, device: SimDevice, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        read = device.database.rows

        def rows(sql: str, *values: object) -> list[Row]:
            found = read(sql, *values)
            self.count += len(found)
            return found

        monkeypatch.setattr(device.database, "rows", rows)


@simulated
async def test_a_message_costs_no_more_in_a_large_group(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        for device in (group.alice, group.carol):
            more = [(Username(f"@member{number}"), ACCEPTED) for number in range(2000)]
            group_members.store(device.database, group.group, more)
        with pytest.MonkeyPatch.context() as patch:
            counts = [_CountingRows(device, patch) for device in (group.alice, group.carol)]
            group.alice.engine.conversations.send_text(group.group, "hello, all of you")
            await group.all_get("hello, all of you", among=(group.alice, group.carol))
        assert all(0 < each.count < 1000 for each in counts)


def _sealed(group: Circle, sender: SimDevice, kind: str, mime: str, body: bytes) -> Blob:
    """What a member posts whose client does not care for rules."""
    event = Event(ToGroup(_stored(group).id), group.world.clock.now_ns(), mime, Base64Bytes(body))
    key, keys = group_keys.all_of(sender.database, group.group)[0], sender.keys
    return group_message.seal(kind, event, keys.username, keys.secret, keys.chain, key)


@contextmanager
def _hidden(group: Circle, mailbox: Hash, after_ns: int) -> Generator[None]:
    """Shows nothing of what has come to a mailbox after a time, until the end; whoever has read it keeps it."""
    box = group.harbor.mailboxes[mailbox]
    shown, hidden = [[each for each in box.entries if (each.received_at > after_ns) is late] for late in (False, True)]
    box.entries = shown
    yield
    for entry in hidden:
        box.add(entry)


async def _says(group: Circle, sender: SimDevice, text: str) -> None:
    """Posts a message as a client does that does not know the rules."""
    known, blob = _stored(group), _sealed(group, sender, MESSAGE_CONTENT, TEXT, text.encode())
    await asyncio.sleep(30)
    await group.harbor.mailbox_send(known.token, known.messages_mailbox, blob, 0)
    await asyncio.sleep(30)


@simulated
async def test_who_may_write_is_judged_by_the_time_of_the_message_whatever_is_read_first(tmp_path: Path) -> None:
    """Carol reads the rules after the messages, Davey before; Alice and Bobby read both as they come."""
    async with circle(tmp_path) as group:
        davey = group.world.device("davey", group.beach)
        davey.start()
        await group.alice.engine.groups.invite(group.group, davey.name)
        await comes_in(davey, group.group)
        await asyncio.sleep(60)
        await group.carol.crash()
        await davey.crash()
        since_ns, known = group.world.clock.now_ns(), _stored(group)
        await asyncio.sleep(1)
        await _says(group, group.bobby, "before")
        group.alice.engine.groups.set_policy(group.group, who_posts="admins")
        await _says(group, group.bobby, "against the rule")
        group.alice.engine.groups.set_policy(group.group, who_posts="members")
        await _says(group, group.bobby, "after")
        with _hidden(group, known.management_mailbox, since_ns):
            group.carol.start()
            await holds(group.carol, group.group, "before", "against the rule", "after")
        with _hidden(group, known.messages_mailbox, since_ns):
            davey.start()
            await until(lambda: notices(davey, group.group)[-1].endswith("everybody write"), "the rules are known", 600)
        for device in (group.alice, group.bobby, group.carol, davey):
            await holds(device, group.group, "before", "after")


@simulated
async def test_what_a_rule_seemed_to_forbid_comes_once_it_is_known_to_be_over(tmp_path: Path) -> None:
    """Carol knows of the rule, and reads what was written after its end before she hears of that."""
    async with circle(tmp_path) as group:
        group.alice.engine.groups.set_policy(group.group, who_posts="admins")
        await until(lambda: not group.shown(group.carol).may_post, "Carol knows", 600)
        await group.carol.crash()
        since_ns, known = group.world.clock.now_ns(), _stored(group)
        await asyncio.sleep(1)
        group.alice.engine.groups.set_policy(group.group, who_posts="members")
        await _says(group, group.bobby, "at last")
        group.alice.engine.groups.set_policy(group.group, who_posts="admins")
        await asyncio.sleep(60)
        with _hidden(group, known.management_mailbox, since_ns):
            group.carol.start()
            await asyncio.sleep(60)
            assert said(group.carol, group.group) == []
        await group.all_get("at last")


@simulated
async def test_one_s_own_message_that_came_against_a_rule_says_so(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        bobby = group.bobby.engine.conversations
        group.bobby.end.is_cut = True
        message = bobby.send_text(group.group, "may I?")
        group.alice.engine.groups.set_policy(group.group, who_posts="admins")
        await until(lambda: not group.shown(group.carol).may_post, "it is known", 600)
        group.bobby.end.is_cut = False
        await until(lambda: bobby.message(group.group, message.id).state is SendState.FAILED, "it does not count", 600)
        await asyncio.sleep(60)
        assert said(group.carol, group.group) == said(group.alice, group.group) == []


@simulated
async def test_what_somebody_writes_who_was_let_in_again_is_heard_by_who_reads_that_later(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await until(lambda: group.members(group.carol)[group.bobby.name].status is Status.BANNED, "Carol knows", 600)
        await asyncio.sleep(60)
        await group.carol.crash()
        since_ns, known = group.world.clock.now_ns(), _stored(group)
        await asyncio.sleep(1)
        group.alice.engine.groups.unban(group.group, group.bobby.name)
        await until(lambda: group.members(group.alice)[group.bobby.name].status is Status.PENDING, "he may", 600)
        await group.alice.engine.groups.invite(group.group, group.bobby.name)
        await comes_in(group.bobby, group.group)
        group.bobby.engine.conversations.send_text(group.group, "I am back")
        await group.all_get("I am back", among=(group.alice, group.bobby))
        with _hidden(group, known.management_mailbox, since_ns):
            group.carol.start()
            await asyncio.sleep(60)
            assert said(group.carol, group.group) == []
        await group.all_get("I am back")


def _shown(device: SimDevice, group: Circle) -> list[tuple[str, tuple[Reaction, ...]]]:
    return [(each.text, each.reactions) for each in device.messages(group.group) if each.kind != "notice"]


@simulated
async def test_what_the_banned_said_about_messages_since_is_undone_where_the_ban_is_read_later(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        bobby, known = group.bobby.engine.conversations, _stored(group)
        alices = group.alice.engine.conversations.send_text(group.group, "hello")
        edited, plain, gone = (bobby.send_text(group.group, text) for text in ("mine", "plain", "gone"))
        await until(lambda: len(said(group.bobby, group.group)) == 4, "all are there", 60)
        bobby.edit(group.group, edited.id, "mine, edited")
        bobby.react(group.group, alices.id, "👍")
        await asyncio.sleep(60)
        before = _shown(group.alice, group)
        assert ("hello", (Reaction("👍", (group.bobby.name,)),)) in before
        await group.carol.crash()
        group.bobby.end.is_cut = True
        since_ns = group.world.clock.now_ns()
        await asyncio.sleep(1)
        group.alice.engine.groups.ban(group.group, group.bobby.name)
        await until(lambda: group.members(group.alice)[group.bobby.name].status is Status.BANNED, "he is banned", 60)
        for mime, body in (
            (EDIT, Edit(Hash.from_text(edited.id), "after the ban")),
            (EDIT, Edit(Hash.from_text(plain.id), "after the ban as well")),
            (DELETE, Withdrawal(Hash.from_text(gone.id))),
            (REACTION, ReactionBody(Hash.from_text(alices.id), "👍", remove=True)),
            (REACTION, ReactionBody(Hash.from_text(alices.id), "😡")),
        ):
            blob = _sealed(group, group.bobby, CONTROL, mime, body.render())
            await asyncio.sleep(1)
            await group.harbor.mailbox_send(known.token, known.messages_mailbox, blob, 0)
        with _hidden(group, known.management_mailbox, since_ns):
            group.carol.start()
            await until(
                lambda: ("hello", (Reaction("😡", (group.bobby.name,)),)) in _shown(group.carol, group), "read", 60
            )
            assert [text for text, _ in _shown(group.carol, group)][1:] != [text for text, _ in before][1:]
        for device in (group.alice, group.carol):
            await until(lambda device=device: _shown(device, group) == before, f"{device.name} has what was", 60)


class _SometimesBusy(SimHomeServer):
    """A server that cannot say at times what devices its users have."""

    is_busy = False

    async def device_certs(self, username: Username) -> Mapping[Hash, CertificateChain] | None:
        if self.is_busy:
            raise ServerBusy
        return await super().device_certs(username)


@simulated
async def test_a_key_that_is_made_while_nobody_can_be_asked_about_comes_to_all_later(tmp_path: Path) -> None:
    """All known keys are too old by then, that of the device which makes it included."""
    async with circle(tmp_path, harbor=_SometimesBusy, beach=_SometimesBusy) as group:
        _SometimesBusy.is_busy = True
        await asyncio.sleep(5 * 3600)
        before = group_keys.all_of(group.alice.database, group.group)
        group.alice.engine.groups.ban(group.group, group.carol.name)
        await until(lambda: group_keys.all_of(group.alice.database, group.group)[0] not in before, "in use", 600)
        _SometimesBusy.is_busy = False
        await until(
            lambda: group_keys.all_of(group.bobby.database, group.group)[0]
            == group_keys.all_of(group.alice.database, group.group)[0], "Bobby has it", 2 * 3600
        )  # fmt: skip
        group.bobby.engine.conversations.send_text(group.group, "only us")
        await group.all_get("only us", among=(group.alice, group.bobby))
