"""Groups as the reference writes them: messages, management, rekeys, invites (spec: groups.md)."""

from typing import Any

import msgspec
import pytest

from tests import builders
from tests.vectors_of import each, vectors
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AeadKey, Base64Bytes, DhSecret, Hash
from xirtam_core.codec.schema import codec_of
from xirtam_core.crypto import aead, dh
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.protocol import certificate, group_avatar, group_command, group_message, rekey
from xirtam_core.protocol.attachment import Attachment
from xirtam_core.protocol.blob import GROUP_MESSAGE, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.event import TEXT, Event, ToGroup, ToUser
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.group_invite import GroupInvite
from xirtam_core.protocol.header_encryption import hint_of
from xirtam_core.protocol.opened import Opened

_RECORDED = vectors("groups")
_GROUP = Hash.from_text(_RECORDED["group_id"])
_KEY = AeadKey(bytes.fromhex(_RECORDED["group_key"]))
_DESCRIPTOR: GroupDescriptor = codec_of(GroupDescriptor).from_json(_RECORDED["descriptor"]["json"])
_ROOT = Hash.from_text(_RECORDED["root_cert_hash"])
_ALICE = builders.account("alice")
_PICTURE = Attachment("a.png", "image/png", ((_GROUP, 1000),), _KEY)


def _open(raw: bytes, key: AeadKey) -> Opened:
    received = group_message.unseal(Blob(GROUP_MESSAGE, Base64Bytes(raw)), [AeadKey(bytes(32)), key])
    certificate.verify(received.signed.cert_chain, _ROOT, 0)
    received.check_signature()
    return group_message.open_signed(received.signed, _GROUP)


def test_the_recorded_message_opens_under_the_group_key() -> None:
    opened = _open(bytes.fromhex(_RECORDED["message"]["group_message_bcs"]), _KEY)
    assert (opened.sender, opened.kind) == (_RECORDED["sender"], MESSAGE_CONTENT)
    assert bcs.encode(opened.event).hex() == _RECORDED["message"]["event_bcs"]
    assert (opened.event.mime, bytes(opened.event.body)) == (TEXT, b"hi all")
    blob: Blob = codec_of(Blob).from_json(_RECORDED["message"]["blob_json"])
    assert (blob.kind, blob.inner.hex()) == (GROUP_MESSAGE, _RECORDED["message"]["group_message_bcs"])


@each("case", _RECORDED["management"], "body_text")
def test_each_recorded_command_opens_under_the_management_key_and_is_written_the_same(case: dict[str, Any]) -> None:
    opened = _open(bytes.fromhex(case["group_message_bcs"]), _DESCRIPTOR.management_key)
    assert bcs.encode(opened.event).hex() == case["event_bcs"]
    assert opened.event.mime == group_message.MANAGE
    assert bytes(opened.event.body).decode() == case["body_text"]
    assert group_command.render(group_command.parse(opened.event.body)).decode() == case["body_text"]


@each("secret", _RECORDED["rekey"]["receiver_secrets"])
def test_the_recorded_rekey_opens_with_either_secret(secret: str) -> None:
    blob: Blob = codec_of(Blob).from_json(_RECORDED["rekey"]["blob_json"])
    own = DhSecret(bytes.fromhex(secret))
    received = rekey.unseal(blob, [(hint_of(dh.public_of(own)), own)])
    certificate.verify(received.signed.cert_chain, _ROOT, 0)
    received.check_signature()
    assert bcs.encode(received.signed).hex() == _RECORDED["rekey"]["device_signed_bcs"]
    assert rekey.open_signed(received, _GROUP).hex() == _RECORDED["rekey"]["new_key"]
    with pytest.raises(Malformed):
        rekey.open_signed(received, Hash(bytes(32)))


def test_the_recorded_invite_is_read_and_written_byte_for_byte() -> None:
    body = _RECORDED["invite"]["body_text"].encode()
    invite = GroupInvite.parse(body)
    assert invite.descriptor.id() == _GROUP
    assert invite.group_key == _KEY
    assert invite.render() == body


def test_what_we_seal_for_a_group_opens_with_its_key_alone() -> None:
    event = Event(ToGroup(_GROUP), 5, TEXT, Base64Bytes(b"hello all"))
    key = aead.new_key()
    blob = group_message.seal(MESSAGE_CONTENT, event, _ALICE.username, _ALICE.secret, _ALICE.chain, key)
    received = group_message.unseal(blob, [aead.new_key(), key])
    received.check_signature()
    opened = group_message.open_signed(received.signed, _GROUP)
    assert (opened.event, opened.event_hash, opened.sender) == (event, event.hash(), _ALICE.username)
    with pytest.raises(Unverified):
        group_message.unseal(blob, [aead.new_key()])
    with pytest.raises(Malformed):
        group_message.open_signed(received.signed, Hash(bytes(32)))
    with pytest.raises(Malformed):
        group_message.unseal(Blob("v1.direct_message", blob.inner), [key])


def test_a_message_to_a_person_is_none_of_a_group() -> None:
    event = Event(ToUser(_ALICE.username), 5, TEXT, Base64Bytes(b"hello"))
    key = aead.new_key()
    blob = group_message.seal(MESSAGE_CONTENT, event, _ALICE.username, _ALICE.secret, _ALICE.chain, key)
    with pytest.raises(Malformed):
        group_message.open_signed(group_message.unseal(blob, [key]).signed, _GROUP)


def test_a_rekey_of_ours_opens_at_its_receivers_alone() -> None:
    receiver, other, key = dh.new_secret(), dh.new_secret(), aead.new_key()
    blob = rekey.seal(_GROUP, key, _ALICE.username, _ALICE.secret, _ALICE.chain, [dh.public_of(receiver)])
    received = rekey.unseal(blob, [(hint_of(dh.public_of(receiver)), receiver)])
    received.check_signature()
    assert rekey.open_signed(received, _GROUP) == key
    with pytest.raises(Unverified):
        rekey.unseal(blob, [(hint_of(dh.public_of(other)), other)])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"17",
        b'"join"',
        b"{}",
        b'{"ban":"@bobby","unban":"@carol"}',
        b'{"ban":"bobby"}',
        b'{"ban":null}',
        b'{"set_info":{"name":17}}',
        b'{"set_info":{"avatar":{"filename":"a.png"}}}',
        b'{"set_info":{"avatar":{"x":' + b"9" * 30 + b"}}}",
        b'{"set_info":{"name":"' + b"x" * 65 + b'"}}',
        b'{"set_policy":{"who_posts":"nobody"}}',
        b'{"move_server":"~harbor"}',
        b'{"move_server":{"server":"@harbor"}}',
        b'{"moved_here":{"origin":"~beach","stay":0,"after":1,"members":[]}}',
        b'{"moved_here":{"origin":"~beach","stay":1,"after":-1,"members":[]}}',
        b'{"moved_here":{"origin":"~beach","stay":1,"after":1,"members":[["@alice","king",true]]}}',
        b'{"moved_here":{"origin":"~beach","stay":1,"after":1,"members":[["alice","accepted",true]]}}',
        b'{"moved_here":{"origin":"~beach","stay":1,"after":1,"members":[],"who_posts":"nobody"}}',
        b'{"moved_here":{"origin":"~beach","stay":1,"after":1,"members":' + b"[" * 100 + b"]" * 100 + b"}}",
        b'{"invite_accepted":{}}',
        b'{"kick":"@bobby"}',
        b'{"set_pin":{"target":"00","pinned":true}}',
        b'{"set_pin":{"target":"' + b"0" * 64 + b'"}}',
        b'{"set_pin":{"target":"' + b"0" * 64 + b'","pinned":1}}',
        b'{"set_pin":"' + b"0" * 64 + b'"}',
        b'{"set_info":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"set_info":{"avatar":{"x":"' + b"y" * 70_000 + b'"}}}',
        b"\xff",
    ],
)
def test_a_body_that_is_no_command_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        group_command.parse(body)


@pytest.mark.parametrize(
    "command",
    [
        group_command.SetInfo(name="Climbers", description="On Thursdays"),
        group_command.SetInfo(avatar=group_avatar.said(_PICTURE, None)),
        group_command.SetInfo(avatar=group_avatar.said(_PICTURE, builders.ServerName("~beach"))),
        group_command.SetInfo(avatar=group_avatar.NONE),
        group_command.SetPolicy(who_invites="admins"),
        group_command.SetPolicy(who_invites="members", who_posts="admins"),
        group_command.MoveServer(builders.ServerName("~beach")),
        group_command.MoveServer(builders.ServerName("~beach"), stay=3),
        group_command.MovedHere(
            origin=builders.ServerName("~beach"),
            stay=2,
            after=17,
            members=((builders.Username("@alice"), "accepted", True), (builders.Username("@bobby"), "banned", False)),
            name="Climbers",
            who_posts="admins",
            is_gone=True,
        ),
        group_command.SetPin(_GROUP, pinned=True),
        group_command.SetPin(_GROUP, pinned=False),
    ],
)
def test_our_own_commands_come_back_as_they_were(command: group_command.Command) -> None:
    assert group_command.parse(group_command.render(command)) == command


@pytest.mark.parametrize(
    "change", [{"group_key": "short"}, {"descriptor": None}, {"created_at": -1}, {"created_at": 2**64}]
)
def test_an_invite_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        GroupInvite.parse(msgspec.json.encode(_RECORDED["invite"]["json"] | change))
