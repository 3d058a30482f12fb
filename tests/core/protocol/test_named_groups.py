"""Names of groups: listings, histories, askings and links, honest and forged (docs/protocol/named-groups.md)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import builders
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, Base64Bytes, Hash, SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import keyed_hash
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.group_link import GroupLink
from xirtam_core.names import GroupName, Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.blob import GROUP_NAME, USER_DESCRIPTOR, Blob
from xirtam_core.protocol.directory import AddOwner, DelOwner, DirectoryUpdate, Update, UpdateType, sign_update
from xirtam_core.protocol.group_command import AddAdmin, Ban, InviteAccepted, OwnerKey, SetDirectoryName
from xirtam_core.protocol.group_entry import (
    GOOD_NS,
    LONGEST_NOTE,
    AskSettled,
    GroupAnswer,
    GroupAsk,
    LinkMade,
    NameOwner,
    find_link,
    is_timely,
    link_hash,
)
from xirtam_core.protocol.group_name import (
    LONGEST_TITLE,
    MOST_ADMINS,
    GroupListing,
    find_doubt,
    find_fault,
    find_listing,
)
from xirtam_core.protocol.roster import MOST_OWNER_KEYS_OF_ONE, Roster
from xirtam_core.protocol.update_history import NameState, replay

NAME, OTHER = GroupName("+climbers"), GroupName("+climbing")
GROUP, TRAP = Hash(bytes(range(32))), Hash(bytes(32))
ALICE, MALLORY = builders.signing_secret("alice"), builders.signing_secret("mallory")
LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", min_size=5, max_size=15)
users = LETTERS.map(lambda bare: Username("@" + bare))
names = LETTERS.map(lambda bare: GroupName("+" + bare))
hashes = st.binary(min_size=32, max_size=32).map(Hash)
titles = st.text(max_size=LONGEST_TITLE).filter(str.isprintable)
listings = st.builds(GroupListing, names, hashes, titles, st.lists(users, max_size=MOST_ADMINS, unique=True).map(tuple))


def pk(secret: SigningSecret) -> SigningPublic:
    return signing.public_of(secret)


def listing(group: Hash = GROUP, name: GroupName = NAME) -> GroupListing:
    return GroupListing(name, group, "Climbers", (Username("@alice"),))


def history(*steps: tuple[SigningSecret, UpdateType]) -> tuple[DirectoryUpdate, ...]:
    """Updates, each signed by the key that stands before it."""
    found: list[DirectoryUpdate] = []
    for owner, change in steps:
        found.append(sign_update(owner, replay(found).last_hash, change))
    return tuple(found)


def published(*more: tuple[SigningSecret, UpdateType]) -> tuple[DirectoryUpdate, ...]:
    return history((ALICE, AddOwner(pk(ALICE))), (ALICE, Update(listing().blob())), *more)


# Listings


@given(listings)
def test_a_listing_survives_the_directory(found: GroupListing) -> None:
    assert GroupListing.from_blob(found.blob(), found.name) == found
    assert find_listing(NameState(value=found.blob()), found.name) == found


@given(listings, st.integers(0, 2**32), st.integers(0, 255))
def test_a_damaged_listing_is_none_or_another_one_that_is_sound(found: GroupListing, at: int, byte: int) -> None:
    raw = bytearray(found.blob().inner)
    raw[at % len(raw)] = byte
    try:
        read = GroupListing.from_blob(Blob(GROUP_NAME, Base64Bytes(raw)), found.name)
    except Malformed:
        return
    assert read.blob().inner == raw
    read.check()


@given(st.binary(max_size=300))
def test_what_is_no_listing_is_refused_as_such(raw: bytes) -> None:
    assert find_listing(NameState(value=Blob(GROUP_NAME, Base64Bytes(raw))), NAME) is None


@pytest.mark.parametrize(
    "wrong",
    [
        GroupListing(NAME, GROUP, "x" * (LONGEST_TITLE + 1), ()),
        GroupListing(NAME, GROUP, "two\nlines", ()),
        GroupListing(NAME, GROUP, "\x1b[2J", ()),
        GroupListing(NAME, GROUP, "", tuple(Username(f"@admin{number}") for number in range(MOST_ADMINS + 1))),
        GroupListing(NAME, GROUP, "", (Username("@alice"), Username("@alice"))),
    ],
)
def test_a_listing_beyond_the_bounds_is_refused(wrong: GroupListing) -> None:
    with pytest.raises(Malformed):
        GroupListing.from_blob(wrong.blob(), NAME)


def test_a_listing_is_good_under_its_own_name_and_kind_alone() -> None:
    with pytest.raises(Malformed):
        GroupListing.from_blob(listing().blob(), OTHER)
    with pytest.raises(Malformed):
        GroupListing.from_blob(Blob(USER_DESCRIPTOR, listing().blob().inner), NAME)
    assert bcs.encode(listing()) == b"\x09+climbers" + b"\x20" + bytes(GROUP) + b"\x08Climbers" + b"\x01\x06@alice"


# Names that are, and are not, in order


def test_a_name_of_ones_own_group_and_owners_is_in_order() -> None:
    assert find_fault(replay(published()), NAME, GROUP, [pk(ALICE)]) is None
    assert find_doubt(published(), NAME) is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([(ALICE, Update(listing(TRAP).blob()))], "another group"),
        ([(ALICE, AddOwner(pk(MALLORY)))], "announced"),
        ([(ALICE, DelOwner(pk(ALICE)))], "anybody may take it"),
        ([(ALICE, Update(Blob("v1.user_descriptor", Base64Bytes(b"x"))))], "lists no group"),
    ],
)
def test_members_are_told_what_is_wrong_with_a_name(more: list[tuple[SigningSecret, UpdateType]], words: str) -> None:
    assert words in (find_fault(replay(published(*more)), NAME, GROUP, [pk(ALICE)]) or "")


def test_nobody_but_an_owner_points_a_name_elsewhere() -> None:
    with pytest.raises(Unverified):
        replay(published((MALLORY, Update(listing(TRAP).blob()))))


def test_the_past_of_a_name_makes_hesitate() -> None:
    gone_and_back = published(
        (ALICE, Update(listing(TRAP).blob())),
        (ALICE, Update(listing().blob())),
    )
    assert "another group" in (find_doubt(gone_and_back, NAME) or "")
    taken = published((ALICE, DelOwner(pk(ALICE))), (MALLORY, AddOwner(pk(MALLORY))))
    assert "given up" in (find_doubt(taken, NAME) or "")
    assert find_doubt(published((ALICE, AddOwner(pk(MALLORY))), (MALLORY, DelOwner(pk(ALICE)))), NAME) is None


# What the group is told


@given(names, st.integers(0, 9))
def test_what_a_group_is_told_survives(name: GroupName, number: int) -> None:
    key = pk(builders.signing_secret(f"key {number}")).text()
    for command in (SetDirectoryName(name), SetDirectoryName(""), OwnerKey(key)):
        assert group_command.parse(group_command.render(command)) == command


@pytest.mark.parametrize(
    "body",
    [
        {"set_directory_name": {"directory_name": "climbers"}},
        {"set_directory_name": {"directory_name": "+no"}},
        {"set_directory_name": {}},
        {"set_directory_name": None},
        {"owner_key": {"key": ""}},
        {"owner_key": {"key": "A" * 42}},
        {"owner_key": "A" * 43},
    ],
)
def test_what_says_nothing_sensible_has_no_effect(body: Any) -> None:
    with pytest.raises(Malformed):
        group_command.parse(json.dumps(body).encode())


def test_only_admins_name_a_group_and_announce_keys() -> None:
    alice, bobby = Username("@alice"), Username("@bobby")
    roster, key = Roster(alice), pk(MALLORY).text()
    roster.apply(bobby, InviteAccepted())
    assert not roster.apply(bobby, SetDirectoryName(NAME))
    assert not roster.apply(bobby, OwnerKey(key))
    assert roster.apply(alice, SetDirectoryName(NAME))
    roster.apply(alice, AddAdmin(bobby))
    assert roster.apply(bobby, OwnerKey(key))
    assert not roster.apply(alice, OwnerKey(key)), "whoever announced a key first has it"
    roster.apply(alice, Ban(bobby))
    assert not roster.apply(bobby, OwnerKey(pk(ALICE).text()))
    assert roster.presentation.directory_name == NAME
    assert roster.presentation.owner_keys == ((key, bobby),), "whose a banned admin's key is stays known"


def test_the_latest_few_keys_of_each_count() -> None:
    alice = Username("@alice")
    roster = Roster(alice)
    keys = [pk(builders.signing_secret(f"key {number}")).text() for number in range(MOST_OWNER_KEYS_OF_ONE + 2)]
    for key in keys:
        assert roster.apply(alice, OwnerKey(key))
    assert [key for key, _ in roster.presentation.owner_keys] == keys[2:]


def test_keys_of_many_admins_stay_within_bounds() -> None:
    roster = Roster(Username("@alice"))
    for number in range(80):
        user = Username(f"@admin{number}")
        roster.apply(user, InviteAccepted())
        roster.apply(Username("@alice"), AddAdmin(user))
        roster.apply(user, OwnerKey(pk(builders.signing_secret(f"key {number}")).text()))
    assert len(roster.presentation.owner_keys) == 64


# Asking


@given(hashes, st.none() | names, st.text(max_size=LONGEST_NOTE), st.none() | st.binary(min_size=20, max_size=20))
def test_an_asking_survives(group: Hash, name: GroupName | None, note: str, secret: bytes | None) -> None:
    token = None if secret is None else AuthToken(secret)
    ask = GroupAsk(group, name, note, None if token is None else token.text())
    read = GroupAsk.parse(ask.render())
    assert read == ask
    assert read.link() == (None if token is None else keyed_hash("xirtam-group-link", bytes(token)))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"group": "00"},
        {"group": GROUP.hex(), "note": "x" * (LONGEST_NOTE + 1)},
        {"group": GROUP.hex(), "name": "@alice"},
        {"group": GROUP.hex(), "secret": "ff"},
        {"group": GROUP.hex(), "secret": 5},
    ],
)
def test_an_asking_that_makes_no_sense_is_refused(body: Any) -> None:
    with pytest.raises(Malformed):
        GroupAsk.parse(json.dumps(body).encode())


@given(st.binary(max_size=200))
def test_whatever_comes_as_a_body_is_read_or_refused(raw: bytes) -> None:
    for kind in (GroupAsk, GroupAnswer, NameOwner, LinkMade, AskSettled):
        try:
            kind.parse(raw)
        except Malformed:
            continue


def test_secrets_do_not_show() -> None:
    secret = "ab" * 20
    shown = repr(GroupAsk(GROUP, secret=secret)) + repr(NameOwner(GROUP, NAME, secret))
    shown += repr(GroupLink(GROUP, Username("@alice"), AuthToken.from_text(secret)))
    assert secret not in shown


@given(st.lists(st.binary(min_size=20, max_size=20), unique=True, max_size=5), st.integers(0, 4))
def test_a_link_is_found_by_its_secret_alone(secrets: list[bytes], number: int) -> None:
    known = [link_hash(AuthToken(secret)) for secret in secrets]
    assert find_link(known, link_hash(AuthToken(bytes(20)))) is None or bytes(20) in secrets
    if number < len(known):
        assert find_link(known, link_hash(AuthToken(secrets[number]))) == known[number]


def test_an_asking_counts_for_a_month() -> None:
    now_ns, day_ns = 2 * GOOD_NS, 86_400 * 10**9
    assert [is_timely(at, now_ns) for at in (0, now_ns - GOOD_NS - 1, now_ns - GOOD_NS, now_ns, now_ns + day_ns + 1)] == [
        False, False, True, True, False,
    ]  # fmt: skip


# Links


@given(hashes, users, st.binary(min_size=20, max_size=20).map(AuthToken), st.none() | names)
def test_a_link_survives_being_sent(group: Hash, admin: Username, secret: AuthToken, name: GroupName | None) -> None:
    link = GroupLink(group, admin, secret, name)
    assert GroupLink.parse(f"  {link}\n") == link
    assert GroupLink.parse(f"{link}&later=1") == link


@pytest.mark.parametrize(
    "text",
    [
        "",
        "xirtam:group?",
        "xirtam:join?directory=tcp://a:1&key=x",
        f"xirtam:group?group={GROUP.hex()}&admin=@alice",
        f"xirtam:group?group={GROUP.hex()}&admin=alice&secret={'ab' * 20}",
        f"xirtam:group?group={GROUP.hex()[:-2]}&admin=@alice&secret={'ab' * 20}",
        f"xirtam:group?group={GROUP.hex()}&admin=@alice&secret={'ab' * 19}",
        f"xirtam:group?group={GROUP.hex()}&admin=@alice&secret={'ab' * 20}&name=+climbers",
        f"xirtam:group?group={GROUP.hex()}&admin=@alice&secret={'ab' * 20}&x={'y' * 1024}",
    ],
)
def test_a_damaged_link_is_refused_with_words_for_a_person(text: str) -> None:
    with pytest.raises(Malformed, match="link"):
        GroupLink.parse(text)
