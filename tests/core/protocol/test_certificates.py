"""Which chains tie a device to its user's root key (spec: devices.md, Certificates)."""

from typing import Any

import pytest

from tests.builders import NOW_S, account, signing_secret
from tests.vectors_of import each, vectors
from xirtam_core.codec import bcs, jsonwire
from xirtam_core.codec.integers import NEVER
from xirtam_core.codec.primitives import Hash, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.protocol import certificate
from xirtam_core.protocol.certificate import CertificateChain, DeviceCertificate

_VECTORS = vectors("certificates")


@each("case", _VECTORS["chains"], "what")
def test_a_chain_holds_just_where_the_reference_says_so(case: dict[str, Any]) -> None:
    raw, root = bytes.fromhex(case["bcs"]), Hash.from_text(case["root_cert_hash"])
    chain = bcs.decode(CertificateChain, raw)
    assert bcs.encode(chain) == raw
    assert jsonwire.decode(CertificateChain, jsonwire.encode(chain)) == chain
    if case["valid"]:
        assert certificate.verify(chain, root, NOW_S) > NOW_S
    else:
        with pytest.raises(Unverified):
            certificate.verify(chain, root, NOW_S)


def test_a_root_certificate_is_made_as_the_reference_makes_it() -> None:
    recorded = _VECTORS["root_certificate"]
    made = certificate.self_signed(SigningSecret(bytes.fromhex(_VECTORS["device_secrets"][0]))).this
    assert bcs.encode(made).hex() == recorded["bcs"]
    assert bcs_hash(made).hex() == recorded["bcs_hash"]
    assert made.signed_bytes().hex() == _VECTORS["root_signed_bytes"]
    assert jsonwire.decode(DeviceCertificate, jsonwire.encode(made)) == made


def test_a_device_is_named_by_the_hash_of_its_key() -> None:
    secrets = [SigningSecret(bytes.fromhex(secret)) for secret in _VECTORS["device_secrets"]]
    hashes = [certificate.self_signed(secret).this.device_hash().hex() for secret in secrets]
    assert hashes == _VECTORS["device_hashes"]


def test_a_certificate_has_expired_from_the_second_that_it_names() -> None:
    alice = account("alice")
    laptop = alice.issue("laptop", expiry=NOW_S)
    certificate.verify(laptop.chain, alice.hash, NOW_S - 1)
    for now_s in (NOW_S, NOW_S + 1):
        with pytest.raises(Unverified, match="expired"):
            certificate.verify(laptop.chain, alice.hash, now_s)


def test_what_an_expired_device_issued_no_longer_holds() -> None:
    alice = account("alice")
    phone = alice.issue("laptop", expiry=NOW_S).issue("phone")
    certificate.verify(phone.chain, alice.hash, NOW_S - 1)
    with pytest.raises(Unverified):
        certificate.verify(phone.chain, alice.hash, NOW_S)


def test_the_verdict_stands_until_the_next_certificate_expires() -> None:
    alice = account("alice")
    laptop = alice.issue("laptop", expiry=NOW_S + 50)
    phone = laptop.issue("phone", expiry=NOW_S + 90)
    assert certificate.verify(alice.chain, alice.hash, NOW_S) == NEVER
    assert certificate.verify(phone.chain, alice.hash, NOW_S) == NOW_S + 50
    gone = certificate.certify(alice.secret, signing.public_of(signing_secret("old")), NOW_S - 5, can_issue=False)
    with_gone = CertificateChain((*laptop.chain.ancestors, gone), laptop.chain.this)
    assert certificate.verify(with_gone, alice.hash, NOW_S) == NOW_S + 50


def test_a_chain_may_come_in_any_order() -> None:
    alice = account("alice")
    device = alice
    for number in range(8):
        device = device.issue(f"device {number}")
    backwards = CertificateChain(tuple(reversed(device.chain.ancestors)), device.chain.this)
    assert certificate.verify(backwards, alice.hash, NOW_S) == NEVER


def test_a_chain_of_more_certificates_than_anybody_has_is_refused_unread() -> None:
    alice = account("alice")
    most, more = (CertificateChain((alice.chain.this,) * count, alice.chain.this) for count in (63, 64))
    assert bcs.decode(CertificateChain, bcs.encode(most)) == most
    with pytest.raises(Malformed):
        bcs.decode(CertificateChain, bcs.encode(more))
    with pytest.raises(Malformed):
        jsonwire.decode(CertificateChain, jsonwire.encode(more))


def test_a_hostile_chain_costs_no_more_than_each_certificate_against_each_signer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = account("alice")
    device = alice
    for number in range(30):
        device = device.issue(f"device {number}")
    checks = 0

    def counted(*arguments: Any) -> bool:
        nonlocal checks
        checks += 1
        return verifies(*arguments)

    verifies = signing.verifies
    monkeypatch.setattr(signing, "verifies", counted)
    certificate.verify(CertificateChain(tuple(reversed(device.chain.ancestors)), device.chain.this), alice.hash, NOW_S)
    assert checks <= 31 * 31
