"""Groups as the reference describes them (spec: groups.md), and as devices tell each other of them."""

import pytest

from tests.vectors_of import vectors
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AeadKey, AuthToken
from xirtam_core.codec.schema import codec_of
from xirtam_core.errors import Malformed
from xirtam_core.protocol.account_events import GroupJoined, Membership
from xirtam_core.protocol.control import LONGEST_BODY
from xirtam_core.protocol.group import GroupDescriptor

_RECORDED = vectors("groups")["descriptor"]
_DESCRIPTOR: GroupDescriptor = codec_of(GroupDescriptor).from_json(_RECORDED["json"])
_MEMBERSHIP = Membership(_DESCRIPTOR, AeadKey(bytes(32)), AuthToken(bytes(20)))


def test_the_recorded_group_has_the_id_that_the_reference_gives_it() -> None:
    assert bcs.encode(_DESCRIPTOR).hex() == _RECORDED["bcs"]
    assert _DESCRIPTOR.id().hex() == _RECORDED["bcs_hash"]
    assert codec_of(GroupDescriptor).to_json(_DESCRIPTOR) == _RECORDED["json"]


def test_what_devices_tell_each_other_of_a_group_comes_back_as_it_was() -> None:
    assert GroupJoined.parse(GroupJoined.of(_MEMBERSHIP).render()).membership() == _MEMBERSHIP


def test_a_group_that_makes_no_sense_is_refused() -> None:
    told = GroupJoined.of(_MEMBERSHIP)
    damaged = (GroupJoined({}, told.key, told.token), GroupJoined(told.descriptor, "short", told.token))
    for each in (*damaged, GroupJoined(told.descriptor | {"server": 3}, told.key, told.token)):
        with pytest.raises(Malformed):
            each.membership()


def test_a_word_on_a_group_that_is_too_long_is_refused() -> None:
    told = GroupJoined.of(_MEMBERSHIP)
    long = GroupJoined(told.descriptor | {"more": "x" * LONGEST_BODY}, told.key, told.token)
    with pytest.raises(Malformed):
        GroupJoined.parse(long.render())
