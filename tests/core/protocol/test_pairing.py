"""Pairing codes and the replies to them (spec: extensions.md, Pairing)."""

import msgspec
import pytest

from tests.builders import NOW_S, Device, account, dh_secret, seeded, signing_secret
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AuthToken, Base64Bytes
from xirtam_core.crypto import dh, signing
from xirtam_core.crypto.hashing import keyed_hash
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.mailbox import group_messages_mailbox
from xirtam_core.protocol.pairing import (
    PairedContact,
    PairingCode,
    PairingReply,
    chain_to_json,
    open_reply,
    seal_reply,
)

ALICE = account("alice")
SECRET = dh_secret("new device")
CODE = PairingCode(
    ALICE.username,
    signing.public_of(signing_secret("new device")),
    dh.public_of(SECRET),
    AuthToken(seeded("token", AuthToken.size)),
)


def reply_for(code: PairingCode, issuer: Device, expiry: int = NOW_S + 1000) -> PairingReply:
    chain = issuer.chain.issue(issuer.secret, code.device_pk, expiry, can_issue=True)
    return PairingReply(chain_to_json(chain), (PairedContact(Username("@bobby"), petname="Bob"),))


def sealed(reply: PairingReply, signer: Device = ALICE, code: PairingCode = CODE) -> Blob:
    return seal_reply(code, reply, signer.username, signer.secret, signer.chain)


def opened(blob: Blob, now_s: int = NOW_S) -> PairingReply:
    return open_reply(blob, CODE, SECRET, ALICE.hash, now_s)


def test_a_code_is_read_as_it_was_shown() -> None:
    text = CODE.text()
    assert text.startswith("xirtam:pair:")
    assert PairingCode.parse(f"  {text}\n") == CODE
    assert Base64Bytes.from_text(text.removeprefix("xirtam:pair:")) == bcs.encode_fields(
        CODE.username, CODE.device_pk, CODE.dh_public, CODE.token
    )


def test_the_mailbox_follows_from_the_token_as_the_spec_says() -> None:
    assert CODE.group() == keyed_hash("xirtam-pairing", bytes([20]) + CODE.token)
    assert CODE.mailbox() == group_messages_mailbox(CODE.group())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "xirtam:join?directory=x",
        "xirtam:pair:",
        CODE.text()[:-3],
        CODE.text() + "AAAA",
        "xirtam:pair:" + "A" * 5000,
    ],
)
def test_a_damaged_code_is_told_from_a_good_one(text: str) -> None:
    with pytest.raises(Malformed, match="pairing code"):
        PairingCode.parse(text)


def test_the_fingerprint_covers_all_of_the_code() -> None:
    others = [
        msgspec.structs.replace(CODE, username=Username("@bobby")),
        msgspec.structs.replace(CODE, device_pk=ALICE.pk),
        msgspec.structs.replace(CODE, dh_public=ALICE.medium_pk),
        msgspec.structs.replace(CODE, token=AuthToken(bytes([1] * 20))),
    ]
    assert len({code.fingerprint() for code in (CODE, *others)}) == 5
    assert len(CODE.fingerprint().split()) == 8


def test_a_code_tells_no_secret_in_its_repr() -> None:
    assert CODE.token.hex() not in repr(CODE)


def test_a_reply_by_a_device_of_the_account_is_taken() -> None:
    reply = reply_for(CODE, ALICE)
    assert opened(sealed(reply)) == reply
    tablet = ALICE.issue("tablet")
    assert opened(sealed(reply_for(CODE, tablet), tablet)).certificate_chain().this.pk == CODE.device_pk


def test_a_reply_signed_by_a_stranger_is_not_taken() -> None:
    stranger = account("mallory")
    posing = Device(ALICE.username, stranger.secret, stranger.chain, stranger.medium)
    for signer in (stranger, posing, Device(ALICE.username, stranger.secret, ALICE.chain, stranger.medium)):
        with pytest.raises(Unverified):
            opened(sealed(reply_for(CODE, ALICE), signer))


def test_a_reply_with_a_chain_for_another_key_is_not_taken() -> None:
    other = msgspec.structs.replace(CODE, device_pk=account("carol").pk)
    with pytest.raises(Unverified, match="another device"):
        opened(sealed(reply_for(other, ALICE)))


def test_a_reply_with_a_chain_that_leads_to_another_root_is_not_taken() -> None:
    with pytest.raises(Unverified):
        opened(sealed(reply_for(CODE, account("mallory"))))


def test_a_reply_whose_certificate_has_expired_is_not_taken() -> None:
    blob = sealed(reply_for(CODE, ALICE, NOW_S + 10))
    assert opened(blob).certificate_chain().this.expiry == NOW_S + 10
    with pytest.raises(Unverified):
        opened(blob, NOW_S + 10)


def test_a_reply_to_an_earlier_code_is_not_taken() -> None:
    earlier = msgspec.structs.replace(CODE, dh_public=dh.public_of(dh_secret("earlier")))
    with pytest.raises(Unverified, match="none of this device's keys"):
        opened(sealed(reply_for(earlier, ALICE), code=earlier))


def test_what_is_no_reply_is_malformed() -> None:
    good = sealed(reply_for(CODE, ALICE))
    contacts = tuple(PairedContact(Username(f"@user{number:09}"), petname="x" * 30) for number in range(8000))
    oversized = sealed(PairingReply(reply_for(CODE, ALICE).chain, contacts))
    broken = sealed(PairingReply({"this": "nothing"}))
    for blob in (
        Blob("v1.group_message", good.inner),
        Blob(good.kind, Base64Bytes(good.inner[:-1])),
        oversized,
        broken,
    ):
        with pytest.raises((Malformed, Unverified)):
            opened(blob)
