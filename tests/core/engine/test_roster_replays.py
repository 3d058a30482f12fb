"""Whatever order a group's management comes in, it comes to the same (spec: groups.md, Roster; rpc.md, Receiving)."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders
from xirtam_core.clock import SystemClock
from xirtam_core.codec.primitives import AeadKey, AuthToken, Hash
from xirtam_core.engine.group_travel import GroupTravel
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.rosters import Rosters
from xirtam_core.groups import GroupState
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.group_command import (
    AddAdmin,
    Ban,
    Command,
    InviteAccepted,
    InviteSent,
    Leave,
    RemoveAdmin,
    SetInfo,
    SetPolicy,
    Unban,
)
from xirtam_core.protocol.roster import Roster
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import chats, groups, messages
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.keys import DatabaseKey

_HOME = ServerName("~harbor")
_READER = builders.account("reader")
_names = st.sampled_from([Username(name) for name in ("@alice", "@bobby", "@carol", "@davey")])
_about = st.sampled_from([InviteSent, Ban, Unban, AddAdmin, RemoveAdmin])
_who = st.sampled_from(["members", "admins"])
_commands: st.SearchStrategy[Command] = st.one_of(
    st.sampled_from([InviteAccepted(), Leave()]),
    st.builds(lambda name: SetInfo(name=name), st.sampled_from(["Climbers", "Walkers"])),
    st.builds(SetPolicy, _who, _who),
    st.builds(lambda kind, user: kind(user), _about, _names),
)
_Said = tuple[int, Username, Command]


class _Device(msgspec.Struct):
    """A database that reads groups' management, one group for each example."""

    database: Database
    count: int = 0

    def reads(self, batches: list[list[_Said]]) -> dict[str, Any]:
        """What a device knows of a group that has read these, in batches as they came."""
        group, rosters = self._new_group(), self._rosters()
        for batch in batches:
            outcome = Outcome()
            with self.database.transaction():
                roster = rosters.of(groups.find(self.database, group.chat) or group)
                for at_ns, sender, command in batch:
                    rosters.apply(group.chat, roster, sender, command, at_ns, outcome)
                rosters.conclude(outcome)
        return self._known(group.chat, rosters)

    def _rosters(self) -> Rosters:
        clock = SystemClock()
        return Rosters(
            self.database, _READER.username, GroupTravel(self.database, _READER.username, _READER.hash, clock), clock
        )

    def _new_group(self) -> StoredGroup:
        self.count += 1
        nonce = Hash(self.count.to_bytes(Hash.size))
        descriptor = GroupDescriptor(nonce, Username("@alice"), 1, _HOME, AeadKey(bytes(32)))
        chat = descriptor.id().hex()
        group = StoredGroup(chat, descriptor, _HOME, AuthToken(bytes(range(20))), GroupState.MEMBER, 0)
        groups.store(self.database, group)
        self._rosters().begin(group)
        chats.open_group(self.database, chat, 1)
        return group

    def _known(self, chat: str, rosters: Rosters) -> dict[str, Any]:
        group = groups.find(self.database, chat)
        shown = groups.shown(self.database, chat)
        assert group is not None
        assert shown is not None
        times = {
            table: sorted(self.database.rows(f"SELECT username, from_ns, until_ns FROM {table} WHERE chat = ?", chat))
            for table in ("group_bans", "group_admins")
        }
        notices = messages.page(self.database, chat, None, None, 1000).messages
        return {
            "members": rosters.of(group).members,
            "presentation": group.presentation,
            "count": shown.members,
            "notices": [(each.sender, each.text, each.position) for each in notices],
            **times,
        }


@contextmanager
def _device(place: Path) -> Generator[_Device]:
    database = Database(place / "account.db", DatabaseKey(bytes(32)))
    link = JoinLink(("tcp://directory:1",), _READER.pk)
    account = Account(_READER.username, _HOME, link, _READER.secret, _READER.chain, token=None, is_registered=True)
    stored_account.create(database, account)
    yield _Device(database)
    database.close()


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Generator[_Device]:
    with _device(tmp_path_factory.mktemp("device")) as found:
        yield found


@st.composite
def _arrivals(draw: st.DrawFn) -> tuple[list[_Said], list[list[_Said]]]:
    """What was said, in the order of its mailbox; and the same in batches, in whatever order they come."""
    said = [(at, *each) for at, each in enumerate(draw(st.lists(st.tuples(_names, _commands), max_size=25)), 1)]
    come, batches = draw(st.permutations(said)), list[list[_Said]]()
    while come:
        count = draw(st.integers(1, len(come)))
        batches.append(list(come[:count]))
        come = come[count:]
    return said, batches


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(_arrivals())
def test_all_come_to_the_same_whatever_comes_late(
    device: _Device, arrivals: tuple[list[_Said], list[list[_Said]]]
) -> None:
    said, batches = arrivals
    roster = Roster(Username("@alice"))
    for _, sender, command in said:
        roster.apply(sender, command)
    known = device.reads(batches)
    assert known["members"] == roster.members
    assert known["presentation"] == roster.presentation
    assert known == device.reads([said])
    assert known == device.reads([*batches, *batches]), "what comes again is passed over"
