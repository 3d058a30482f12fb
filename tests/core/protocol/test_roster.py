"""Who is in a group (spec: groups.md, Roster): the recorded replays, and what holds whatever is said."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.vectors_of import each, vectors
from xirtam_core.codec.primitives import Hash
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.group_command import (
    MOST_PINS,
    AddAdmin,
    Ban,
    Command,
    InviteAccepted,
    InviteSent,
    Leave,
    MoveServer,
    RemoveAdmin,
    SetInfo,
    SetPin,
    SetPolicy,
    Unban,
)
from xirtam_core.protocol.roster import Roster

_ALICE, _BOBBY, _CAROL = (Username(name) for name in ("@alice", "@bobby", "@carol"))
_names = st.sampled_from([_ALICE, _BOBBY, _CAROL, Username("@davey")])
_about = st.sampled_from([InviteSent, Ban, Unban, AddAdmin, RemoveAdmin])
_commands: st.SearchStrategy[Command] = st.one_of(
    st.sampled_from(
        [InviteAccepted(), Leave(), SetInfo(name="x"), SetPolicy(who_invites="admins"), SetPolicy(who_posts="admins")]
    ),
    st.builds(lambda kind, user: kind(user), _about, _names),
)
_said = st.lists(st.tuples(_names, _commands), max_size=40)


def _replay(said: list[tuple[Username, Command]]) -> Roster:
    roster = Roster(_ALICE)
    for sender, command in said:
        roster.apply(sender, command)
    return roster


@each("case", vectors("roster")["cases"], "what")
def test_a_recorded_replay_comes_to_the_recorded_roster(case: dict[str, Any]) -> None:
    roster = Roster(Username(case["init_admin"]))
    for said in case["commands"]:
        roster.apply(Username(said["sender"]), group_command.parse(msgspec.json.encode(said["command"])))
    shown = {name: {"status": member.status, "is_admin": member.is_admin} for name, member in roster.members.items()}
    assert shown == case["roster"]


@given(_said)
def test_only_what_is_news_says_that_it_is(said: list[tuple[Username, Command]]) -> None:
    roster = Roster(_ALICE)
    for sender, command in said:
        before, shown = dict(roster.members), roster.presentation
        is_news = roster.apply(sender, command)
        assert is_news == (before != roster.members or shown != roster.presentation)


@given(_said, _said)
def test_a_roster_that_was_stored_goes_on_as_if_it_had_not_been(
    before: list[tuple[Username, Command]], after: list[tuple[Username, Command]]
) -> None:
    stored = _replay(before)
    again = Roster.of(dict(stored.members), stored.presentation)
    for sender, command in after:
        again.apply(sender, command)
    whole = _replay(before + after)
    assert (again.members, again.presentation) == (whole.members, whole.presentation)


@given(_said)
def test_nobody_but_admins_changes_what_is_only_theirs(said: list[tuple[Username, Command]]) -> None:
    roster = Roster(_ALICE)
    for sender, command in said:
        was_admin, before = roster.is_admin(sender), (dict(roster.members), roster.presentation)
        roster.apply(sender, command)
        if not was_admin and not isinstance(command, InviteAccepted | Leave | InviteSent):
            assert (roster.members, roster.presentation) == before


@given(_said)
def test_the_banned_stay_out_until_an_admin_lets_them_in(said: list[tuple[Username, Command]]) -> None:
    roster = _replay([*said, (_ALICE, AddAdmin(_ALICE))])
    roster.members.update(Roster(_ALICE).members)
    roster.apply(_ALICE, Ban(_BOBBY))
    for command in (InviteAccepted(), Leave(), InviteSent(_CAROL)):
        roster.apply(_BOBBY, command)
    assert not roster.is_active(_BOBBY)
    roster.apply(_ALICE, Unban(_BOBBY))
    assert roster.is_active(_BOBBY)


def test_policies_hold_for_those_who_are_no_admins() -> None:
    roster = _replay(
        [(_ALICE, InviteSent(_BOBBY)), (_BOBBY, InviteAccepted()), (_ALICE, SetPolicy(who_invites="admins"))]
    )
    roster.apply(_BOBBY, InviteSent(_CAROL))
    assert roster.member(_CAROL) is None
    roster.apply(_ALICE, InviteSent(_CAROL))
    assert roster.is_active(_CAROL)


def test_what_is_said_of_the_group_adds_up() -> None:
    roster = _replay(
        [
            (_ALICE, SetInfo(name="Climbers")),
            (_ALICE, SetInfo(description="On Thursdays")),
            (_ALICE, MoveServer(ServerName("~beach"))),
            (_BOBBY, SetInfo(name="Mine")),
        ]
    )
    shown = roster.presentation
    assert (shown.name, shown.description, shown.server) == ("Climbers", "On Thursdays", "~beach")


@given(_said)
def test_a_roster_that_arrives_elsewhere_is_the_one_that_left(said: list[tuple[Username, Command]]) -> None:
    before = _replay(said)
    arrived = Roster.arrived(before.arrival(ServerName("~harbor"), 17, is_gone=False))
    assert arrived.members == before.members
    assert arrived.presentation == msgspec.structs.replace(before.presentation, server=None, stay=1)


def test_what_moved_a_group_once_moves_it_no_more() -> None:
    beach = MoveServer(ServerName("~beach"))
    at_the_beach = Roster.arrived(_replay([(_ALICE, beach)]).arrival(ServerName("~harbor"), 17, is_gone=False))
    assert not at_the_beach.apply(_ALICE, MoveServer(ServerName("~island")))
    assert at_the_beach.apply(_ALICE, MoveServer(ServerName("~island"), stay=1))


@given(_said)
def test_nothing_that_is_said_after_a_move_has_an_effect(said: list[tuple[Username, Command]]) -> None:
    moved = _replay([(_ALICE, MoveServer(ServerName("~beach")))])
    before = dict(moved.members)
    assert not any(moved.apply(sender, command) for sender, command in said)
    assert moved.members == before


def _message(number: int) -> Hash:
    return Hash(number.to_bytes(32, "big"))


@given(st.lists(st.tuples(st.sampled_from([_ALICE, _BOBBY]), st.integers(0, 30), st.booleans()), max_size=80))
def test_pins_are_what_admins_pinned_last_first_each_once_and_bounded(said: list[tuple[Username, int, bool]]) -> None:
    roster = _replay([(_ALICE, InviteSent(_BOBBY)), (_BOBBY, InviteAccepted())])
    expected: list[str] = []
    for sender, number, is_pinned in said:
        target = _message(number)
        is_news = sender == _ALICE and (target.hex() not in expected) is is_pinned
        if is_news and is_pinned and len(expected) < MOST_PINS:
            expected.insert(0, target.hex())
        elif is_news and not is_pinned:
            expected.remove(target.hex())
        roster.apply(sender, SetPin(target, is_pinned))
        assert list(roster.presentation.pins) == expected
