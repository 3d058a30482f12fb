"""The cryptography against what the reference makes of the same inputs (spec: encoding.md, Hashing and Ciphers)."""

from typing import Any

import pytest

from tests.builders import dh_secret, seeded, signing_secret
from tests.vectors_of import each, vectors
from xirtam_core.codec.primitives import (
    ANONYMOUS,
    AeadKey,
    AuthToken,
    DhPublic,
    DhSecret,
    Signature,
    SigningPublic,
    SigningSecret,
    StreamKey,
)
from xirtam_core.crypto import aead, dh, signing
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, bcs_hash, hash_bytes, keyed_hash, token_hash
from xirtam_core.crypto.stream import apply_stream
from xirtam_core.errors import Malformed, Unverified

_VECTORS = vectors("primitives")


def raw(case: dict[str, Any], key: str) -> bytes:
    return bytes.fromhex(case[key])


@each("case", _VECTORS["hashes"])
def test_hashes(case: dict[str, Any]) -> None:
    assert hash_bytes(raw(case, "input")).hex() == case["H"]


@each("case", _VECTORS["keyed_hashes"], "domain")
def test_keyed_hashes(case: dict[str, Any]) -> None:
    assert keyed_hash(case["domain"], raw(case, "input")).hex() == case["HK"]
    assert keyed_hash(case["domain"].encode(), raw(case, "input")).hex() == case["HK"]


def test_the_hash_of_a_token_is_that_of_its_bcs_and_the_anonymous_one_is_known() -> None:
    assert ANONYMOUS_HASH.hex() == "b263b49b8fa5acdd1d4dfba04545b1d3dca81e04f5892de6d754cbba4ae9668c"
    for token in (ANONYMOUS, AuthToken(seeded("token", 20))):
        assert token_hash(token) == bcs_hash(token)


@each("case", _VECTORS["signatures"], "message")
def test_signatures(case: dict[str, Any]) -> None:
    public, message = SigningPublic(raw(case, "public")), raw(case, "message")
    signature = Signature(raw(case, "signature"))
    assert signing.verifies(public, message, signature) is case["valid"]
    if "secret" in case:
        secret = SigningSecret(raw(case, "secret"))
        assert signing.public_of(secret) == public
        assert signing.sign(secret, message) == signature


@pytest.mark.parametrize(
    "public", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32], ids=["zero", "small order", "not canonical"]
)
def test_an_odd_key_that_the_wire_lets_pass_verifies_nothing_of_ours(public: bytes) -> None:
    signature = signing.sign(signing_secret("alice"), b"said")
    assert not signing.verifies(SigningPublic(public), b"said", signature)
    assert not signing.verifies(SigningPublic(public), b"said", Signature(bytes(64)))


@each("case", _VECTORS["dh"])
def test_diffie_hellman(case: dict[str, Any]) -> None:
    secret, peer = DhSecret(raw(case, "secret")), DhPublic(raw(case, "peer_public"))
    if case["shared"] is None:
        with pytest.raises(Malformed):
            dh.shared_key(secret, peer)
        return
    assert dh.shared_key(secret, peer).hex() == case["shared"]
    assert dh.public_of(secret).hex() == case["public"]
    assert dh.shared_key(DhSecret(raw(case, "peer_secret")), DhPublic(raw(case, "public"))).hex() == case["shared"]


# The points of small order that RFC 7748's warning is about, some of them in more than one encoding.
_SMALL_ORDER = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    b"\xec" + b"\xff" * 30 + b"\x7f",
    b"\xed" + b"\xff" * 30 + b"\x7f",
    b"\xee" + b"\xff" * 30 + b"\x7f",
]


@pytest.mark.parametrize("peer", _SMALL_ORDER, ids=lambda peer: peer.hex()[:8])
def test_no_key_is_agreed_with_a_point_of_small_order(peer: bytes) -> None:
    with pytest.raises(Malformed):
        dh.shared_key(dh_secret("alice"), DhPublic(peer))


@each("case", _VECTORS["aead"])
def test_aead(case: dict[str, Any]) -> None:
    key, nonce, associated = AeadKey(raw(case, "key")), raw(case, "nonce"), raw(case, "aad")
    plaintext, ciphertext = raw(case, "plaintext"), raw(case, "ciphertext")
    assert aead.seal(key, nonce, plaintext, associated) == ciphertext
    assert aead.unseal(key, nonce, ciphertext, associated) == plaintext
    for damaged in (ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]), ciphertext[:-1], ciphertext + b"\x00", b""):
        with pytest.raises(Unverified):
            aead.unseal(key, nonce, damaged, associated)
    with pytest.raises(Unverified):
        aead.unseal(key, nonce, ciphertext, associated + b"\x00")
    with pytest.raises(Unverified):
        aead.unseal(AeadKey(seeded("another")), nonce, ciphertext, associated)


@each("case", _VECTORS["stream"])
def test_stream(case: dict[str, Any]) -> None:
    key, nonce = StreamKey(raw(case, "key")), raw(case, "nonce")
    assert apply_stream(key, nonce, raw(case, "plaintext")).hex() == case["ciphertext"]
    assert apply_stream(key, nonce, raw(case, "ciphertext")).hex() == case["plaintext"]


def test_new_keys_differ_each_time() -> None:
    for make in (aead.new_key, dh.new_secret, signing.new_secret):
        assert len({bytes(make()) for _ in range(8)}) == 8
