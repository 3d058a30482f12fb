"""Medium-term keys, profiles and the device bundle (spec: devices.md)."""

from typing import Any

import pytest

from tests.builders import account
from tests.vectors_of import each, vectors
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Base64Bytes, DhPublic, DhSecret, Hash, SigningSecret
from xirtam_core.codec.schema import codec_of
from xirtam_core.crypto import dh
from xirtam_core.names import Username
from xirtam_core.protocol import certificate
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.device_bundle import DeviceBundle
from xirtam_core.protocol.medium_key import SignedMediumKey, sign_medium_key
from xirtam_core.protocol.profile import UserProfile

_VECTORS = vectors("devices")
_DEVICE = SigningSecret(bytes.fromhex(_VECTORS["device_secret"]))
_CHAIN: CertificateChain = codec_of(CertificateChain).from_json(_VECTORS["chain"])


def test_the_device_and_its_chain_belong_together() -> None:
    assert _CHAIN.this.device_hash().hex() == _VECTORS["device_hash"]
    certificate.verify(_CHAIN, Hash.from_text(_VECTORS["root_cert_hash"]), 1_770_000_000)


def test_a_signed_medium_key_is_made_as_the_reference_makes_it() -> None:
    recorded = _VECTORS["signed_medium_pk"]
    made = sign_medium_key(
        _DEVICE, dh.public_of(DhSecret(bytes.fromhex(_VECTORS["medium_secret"]))), recorded["json"]["created"]
    )
    assert bcs.encode(made).hex() == recorded["bcs"]
    assert made.signed_bytes().hex() == recorded["signed"]
    assert codec_of(SignedMediumKey).to_json(made) == recorded["json"]
    assert codec_of(SignedMediumKey).from_json(recorded["json"]) == made
    assert made.is_signed_by(_CHAIN.this.pk)


def test_a_medium_key_with_anything_changed_is_not_the_devices() -> None:
    made = account("alice").signed_medium_key()
    changed = [
        SignedMediumKey(DhPublic(bytes(32)), made.created, made.signature),
        SignedMediumKey(made.medium_pk, made.created + 1, made.signature),
    ]
    assert made.is_signed_by(account("alice").pk)
    assert not made.is_signed_by(account("bobby").pk)
    assert not any(key.is_signed_by(account("alice").pk) for key in changed)


@each("case", _VECTORS["profiles"])
def test_profiles(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["bcs"])
    profile = bcs.decode(UserProfile, raw)
    assert bcs.encode(profile) == raw
    assert codec_of(UserProfile).to_json(profile) == case["json"]
    assert codec_of(UserProfile).from_json(case["json"]) == profile
    assert profile.signed_bytes().hex() == case["signed"]
    assert profile.is_signed_by(_CHAIN.this.pk)
    later = UserProfile(profile.display_name, profile.avatar, profile.created + 1, profile.signature)
    assert not later.is_signed_by(_CHAIN.this.pk)


@pytest.mark.parametrize("padding", ["", "="])
def test_a_device_bundle_is_read_from_its_text_and_made_the_same(padding: str) -> None:
    recorded = _VECTORS["bundle"]
    raw = Base64Bytes.from_text(recorded["text"] + padding * (-len(recorded["text"]) % 4))
    assert raw.hex() == recorded["bcs"]
    bundle = bcs.decode(DeviceBundle, raw)
    assert bundle == DeviceBundle(Username("@alice1"), _DEVICE, _CHAIN)
    assert Base64Bytes(bcs.encode(bundle)).text() == recorded["text"]
