"""Events, device signatures, header encryption and direct messages, layer by layer (spec: messages.md)."""

from typing import Any

import pytest

from tests.builders import NOW_S, Device, account, dh_secret, sealed_message, seeded, text_event
from tests.vectors_of import each, vectors
from xirtam_core.codec import bcs, jsonwire
from xirtam_core.codec.primitives import Base64Bytes, DhPublic, DhSecret, Hash, KeyHint, SigningSecret
from xirtam_core.codec.schema import codec_of
from xirtam_core.crypto import aead, dh
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.crypto.stream import apply_stream
from xirtam_core.errors import Malformed, Unverified, XirtamError
from xirtam_core.names import Username
from xirtam_core.protocol import certificate, device_signing, direct_message, header_encryption
from xirtam_core.protocol.blob import DIRECT_MESSAGE, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.device_signing import DeviceSigned
from xirtam_core.protocol.event import TEXT, Event, ToGroup, ToUser
from xirtam_core.protocol.header_encryption import Header, HeaderEncrypted, hint_of
from xirtam_core.protocol.mailbox import direct_mailbox

_VECTORS = vectors("messages")
_SIGNED = _VECTORS["device_signed"]
_SEALED = _VECTORS["header_encrypted"]
_DM = _VECTORS["direct_message"]


def with_hint(secret: DhSecret) -> tuple[KeyHint, DhSecret]:
    return hint_of(dh.public_of(secret)), secret


@each("case", _VECTORS["events"], "mime")
def test_events(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["bcs"])
    ((kind, value),) = case["recipient"].items()
    recipient = ToUser(Username(value)) if kind == "User" else ToGroup(Hash.from_text(value))
    event = Event(recipient, case["sent_at"], case["mime"], Base64Bytes(bytes.fromhex(case["body"])))
    assert bcs.encode(event) == raw
    assert bcs.decode(Event, raw) == event
    assert event.hash().hex() == case["hash"]
    assert jsonwire.decode(Event, jsonwire.encode(event)) == event


@each("case", _SIGNED, "what")
def test_device_signatures(case: dict[str, Any]) -> None:
    raw, root = bytes.fromhex(case["bcs"]), Hash.from_text(case["root_cert_hash"])
    received = device_signing.receive(raw)
    signed = received.signed
    assert bcs.encode(signed) == raw
    assert received.chain_hash == bcs_hash(signed.cert_chain)
    if not case["valid"]:
        with pytest.raises(Unverified):
            certificate.verify(signed.cert_chain, root, NOW_S)
            received.check_signature()
        return
    certificate.verify(signed.cert_chain, root, NOW_S)
    received.check_signature()
    assert received.signed_bytes.hex() == case["signed"]
    device, chain = SigningSecret(bytes.fromhex(_VECTORS["device_secret"])), read_chain()
    assert device_signing.sign(Username(case["sender"]), device, chain, bytes.fromhex(case["body"])) == signed


def read_chain() -> CertificateChain:
    return codec_of(CertificateChain).from_json(_VECTORS["chain"])


@each("case", _SEALED, "what")
def test_header_encryption(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["bcs"])
    sealed = bcs.decode(HeaderEncrypted, raw)
    assert bcs.encode(sealed) == raw
    secrets = [DhSecret(bytes.fromhex(secret)) for secret in case["receiver_secrets"]]
    for secret in secrets:
        if case["plaintext"] is None:
            with pytest.raises(Unverified):
                header_encryption.decrypt(sealed, [with_hint(secret)])
        else:
            assert header_encryption.decrypt(sealed, [with_hint(secret)]).hex() == case["plaintext"]
    if "stranger_secret" in case:
        stranger = DhSecret(bytes.fromhex(case["stranger_secret"]))
        with pytest.raises(Unverified):
            header_encryption.decrypt(sealed, [with_hint(stranger)])
        assert (
            header_encryption.decrypt(sealed, [with_hint(stranger), with_hint(secrets[-1])]).hex() == case["plaintext"]
        )
    if "hints" in case:
        assert [hint_of(dh.public_of(secret)).hex() for secret in secrets] == case["hints"]
        assert {header.receiver_mpk_short.hex() for header in sealed.headers} == set(case["hints"])


def test_a_direct_message_is_understood_layer_by_layer() -> None:
    blob = Blob(_DM["blob_json"]["kind"], Base64Bytes.from_text(_DM["blob_json"]["inner"]))
    assert blob.inner.hex() == _DM["header_encrypted_bcs"]
    assert direct_mailbox(Username(_DM["recipient"])).hex() == _DM["mailbox"]
    for secret in _DM["receiver_secrets"]:
        received = direct_message.unseal(blob, [with_hint(DhSecret(bytes.fromhex(secret)))])
        signed = received.signed
        assert bcs.encode(signed).hex() == _DM["device_signed_bcs"]
        received.check_signature()
        assert signed.body.hex() == _DM["content_blob_bcs"]
        opened = direct_message.open_signed(signed, Username(_DM["recipient"]))
        assert (opened.sender, opened.peer, opened.kind) == ("@alice1", "@alice1", MESSAGE_CONTENT)
        assert bcs.encode(opened.event).hex() == _DM["event_bcs"]
        assert opened.event.body.decode() == "see you at 8 ☕"


def test_a_direct_message_comes_out_of_the_same_keys_as_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its randomness is the ephemeral key and the body's key: with ours known, every byte follows."""
    ephemeral, key = dh_secret("ephemeral"), aead.new_key()
    monkeypatch.setattr(dh, "new_secret", lambda: ephemeral)
    monkeypatch.setattr(aead, "new_key", lambda: key)
    event = bcs.decode(Event, bytes.fromhex(_DM["event_bcs"]))
    device = SigningSecret(bytes.fromhex(_VECTORS["device_secret"]))
    receivers = [dh.public_of(DhSecret(bytes.fromhex(secret))) for secret in _DM["receiver_secrets"]]
    blob = direct_message.seal(MESSAGE_CONTENT, event, Username(_VECTORS["sender"]), device, read_chain(), receivers)

    headers = b"".join(
        bytes(hint_of(receiver)) + b"\x20" + apply_stream(dh.shared_key(ephemeral, receiver), bytes(24), key)
        for receiver in receivers
    )
    front = b"\x20" + dh.public_of(ephemeral) + bytes([len(receivers)]) + headers
    body = aead.seal(key, bytes(24), bytes.fromhex(_DM["device_signed_bcs"]), front)
    expected = front + bcs.encode(Base64Bytes(body))
    assert blob == Blob(DIRECT_MESSAGE, Base64Bytes(expected))


ALICE, BOBBY, CAROL = account("alice"), account("bobby"), account("carol")


def opened_by(reader: Device, blob: Blob) -> direct_message.Opened:
    received = direct_message.unseal(blob, reader.medium_secrets)
    received.check_signature()
    return direct_message.open_signed(received.signed, reader.username)


def test_each_device_of_a_user_reads_what_was_sealed_to_all() -> None:
    laptop = BOBBY.issue("laptop")
    event = text_event(BOBBY.username, "hello")
    blob = sealed_message(ALICE, event, [BOBBY, laptop])
    for device in (BOBBY, laptop):
        opened = opened_by(device, blob)
        assert (opened.sender, opened.peer, opened.event) == (ALICE.username, ALICE.username, event)
    with pytest.raises(Unverified):
        opened_by(CAROL, blob)


def test_the_copy_to_oneself_belongs_to_the_conversation_with_the_peer() -> None:
    event = text_event(BOBBY.username, "hello")
    opened = opened_by(ALICE, sealed_message(ALICE, event, [ALICE]))
    assert (opened.sender, opened.peer) == (ALICE.username, BOBBY.username)


def test_a_note_to_oneself_is_a_conversation_with_oneself() -> None:
    opened = opened_by(ALICE, sealed_message(ALICE, text_event(ALICE.username, "milk"), [ALICE]))
    assert (opened.sender, opened.peer) == (ALICE.username, ALICE.username)


def test_what_is_addressed_to_somebody_else_or_to_a_group_is_refused() -> None:
    for_carol = sealed_message(ALICE, text_event(CAROL.username, "psst"), [BOBBY])
    for_group = sealed_message(ALICE, Event(ToGroup(Hash(seeded("group"))), 1, TEXT, Base64Bytes(b"")), [BOBBY])
    for blob in (for_carol, for_group):
        with pytest.raises(Malformed):
            opened_by(BOBBY, blob)


@pytest.mark.parametrize("kind", ["v1.plaintext_direct_message", "v1.group_message", "", "V1.direct_message"])
def test_a_blob_of_another_kind_is_no_direct_message(kind: str) -> None:
    blob = sealed_message(ALICE, text_event(BOBBY.username, "hello"), [BOBBY])
    with pytest.raises(Malformed):
        direct_message.unseal(Blob(kind, blob.inner), BOBBY.medium_secrets)


def test_a_signature_under_another_name_does_not_hold() -> None:
    blob = sealed_message(ALICE, text_event(BOBBY.username, "hi"), [BOBBY])
    signed = direct_message.unseal(blob, BOBBY.medium_secrets).signed
    as_carol = DeviceSigned(CAROL.username, signed.cert_chain, signed.body, signed.signature)
    with pytest.raises(Unverified):
        device_signing.receive(bcs.encode(as_carol)).check_signature()


def test_no_byte_of_a_direct_message_can_be_changed_unnoticed() -> None:
    blob = sealed_message(ALICE, text_event(BOBBY.username, "hi"), [BOBBY])
    for at in range(len(blob.inner)):
        changed = bytearray(blob.inner)
        changed[at] ^= 1
        with pytest.raises(XirtamError):
            opened_by(BOBBY, Blob(blob.kind, Base64Bytes(bytes(changed))))


def test_a_message_is_sealed_to_the_usable_keys_and_to_nobody_it_cannot_be() -> None:
    event = text_event(BOBBY.username, "hi")
    odd = DhPublic(bytes(32))
    receivers = [odd, BOBBY.medium_pk]
    blob = direct_message.seal(MESSAGE_CONTENT, event, ALICE.username, ALICE.secret, ALICE.chain, receivers)
    assert opened_by(BOBBY, blob).event == event
    for nobody in ([], [odd]):
        with pytest.raises(Malformed):
            direct_message.seal(MESSAGE_CONTENT, event, ALICE.username, ALICE.secret, ALICE.chain, nobody)


def test_headers_with_my_hint_that_are_not_for_me_do_not_hide_mine() -> None:
    sealed = header_encryption.encrypt([BOBBY.medium_pk], b"text")
    assert hint_of(BOBBY.medium_pk) == sealed.headers[0].receiver_mpk_short
    hint = sealed.headers[0].receiver_mpk_short
    key, secret = aead.new_key(), dh.new_secret()
    epk = dh.public_of(secret)
    mine = Header(hint, Base64Bytes(apply_stream(dh.shared_key(secret, BOBBY.medium_pk), aead.ZERO_NONCE, key)))
    others = (
        Header(hint, Base64Bytes(seeded("other"))),
        Header(hint, Base64Bytes(b"short")),
        Header(hint, Base64Bytes(b"")),
    )
    made = HeaderEncrypted(epk, (*others, mine), Base64Bytes(b""))
    body = aead.seal(key, aead.ZERO_NONCE, b"text", made.associated())
    whole = HeaderEncrypted(epk, made.headers, Base64Bytes(body))
    assert header_encryption.decrypt(whole, BOBBY.medium_secrets) == b"text"


def test_a_flood_of_headers_with_my_hint_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0

    def counted(*_: object) -> bytes:
        nonlocal tried
        tried += 1
        raise Unverified("no")

    monkeypatch.setattr(aead, "unseal", counted)
    flood = (Header(hint_of(BOBBY.medium_pk), Base64Bytes(bytes(32))),) * 5000
    sealed = HeaderEncrypted(ALICE.medium_pk, flood, Base64Bytes(bytes(64)))
    with pytest.raises(Unverified):
        header_encryption.decrypt(sealed, BOBBY.medium_secrets)
    assert tried <= 64


def test_a_message_of_more_headers_than_anybody_has_devices_is_refused_unread() -> None:
    empty = Header(hint_of(BOBBY.medium_pk), Base64Bytes(b""))
    most, more = (HeaderEncrypted(ALICE.medium_pk, (empty,) * count, Base64Bytes(b"")) for count in (20_000, 20_001))
    assert bcs.decode(HeaderEncrypted, bcs.encode(most)) == most
    with pytest.raises(Malformed):
        bcs.decode(HeaderEncrypted, bcs.encode(more))
    for cut in (b"", bytes(33), b"\x20" + bytes(32) + b"\xff"):
        with pytest.raises(Malformed):
            bcs.decode(HeaderEncrypted, cut)


def test_a_sender_key_of_small_order_opens_nothing() -> None:
    sealed = HeaderEncrypted(
        DhPublic(bytes(32)), (Header(hint_of(BOBBY.medium_pk), Base64Bytes(bytes(32))),), Base64Bytes(bytes(64))
    )
    with pytest.raises(Unverified):
        header_encryption.decrypt(sealed, BOBBY.medium_secrets)
