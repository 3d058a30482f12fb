"""Device certificates and the chains that tie a device to a user's root key (spec: devices.md, Certificates).

A chain is a bag of certificates, of which one (`this`) is the device's own. Starting from the root hash that the directory gives for
the user, every certificate in the bag must turn out to be signed by a key that is trusted so far; one that does not spoils the chain.
"""

from typing import Annotated

from xirtam_core.codec import bcs
from xirtam_core.codec.bounds import AtMost
from xirtam_core.codec.integers import NEVER, Timestamp
from xirtam_core.codec.primitives import Hash, Signature, SigningPublic, SigningSecret
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.errors import Unverified

_MOST_CERTIFICATES = 64


class DeviceCertificate(Wire):
    """A device's key, until when it holds, and whether the device may certify others; signed by its issuer."""

    pk: SigningPublic
    expiry: Timestamp
    can_issue: bool
    signature: Signature

    def signed_bytes(self) -> bytes:
        """What the issuer signs."""
        return _signed_bytes(self.pk, self.expiry, self.can_issue)

    def device_hash(self) -> Hash:
        """The name of the device."""
        return bcs_hash(self.pk)


class CertificateChain(Wire):
    """A device's certificate with those above it, root first."""

    ancestors: Annotated[tuple[DeviceCertificate, ...], AtMost(_MOST_CERTIFICATES - 1)]
    this: DeviceCertificate

    @property
    def root(self) -> DeviceCertificate:
        """The certificate of the user's first device, from which the others follow; who made this chain says so."""
        return self.ancestors[0] if self.ancestors else self.this

    def issuer_hash(self) -> Hash | None:
        """Which of the chain's devices signed `this`; None for a root, and where none did."""
        signers = (each for each in self.ancestors if each.pk != self.this.pk and _is_signed_by(self.this, each.pk))
        found = next(signers, None)
        return None if found is None else found.device_hash()

    def issue(self, issuer: SigningSecret, pk: SigningPublic, expiry: int, *, can_issue: bool) -> "CertificateChain":
        """The chain of a new device with key `pk`, certified by the device of this chain, whose secret is `issuer`."""
        certificate = certify(issuer, pk, expiry, can_issue=can_issue)
        return CertificateChain((*self.ancestors, self.this), certificate)


def _signed_bytes(pk: SigningPublic, expiry: int, can_issue: bool) -> bytes:
    return bcs.encode((pk, expiry, can_issue), tuple[SigningPublic, Timestamp, bool])


def certify(issuer: SigningSecret, pk: SigningPublic, expiry: int, *, can_issue: bool) -> DeviceCertificate:
    """A certificate for `pk`, signed with `issuer`; `expiry` in Unix seconds."""
    signature = signing.sign(issuer, _signed_bytes(pk, expiry, can_issue))
    return DeviceCertificate(pk, expiry, can_issue, signature)


def self_signed(secret: SigningSecret) -> CertificateChain:
    """The chain of a user's first device: its own certificate, which never expires and may issue."""
    return CertificateChain((), certify(secret, signing.public_of(secret), NEVER, can_issue=True))


def verify(chain: CertificateChain, root_cert_hash: Hash, now_s: int) -> int:
    """Checks that `chain` ties its device to the root at `now_s` (Unix seconds); raises `Unverified`.

    Returns the earliest expiry still to come: until then the verdict stands, and may be kept.
    """
    certificates = [*chain.ancestors, chain.this]
    is_this_accepted, signers, remaining = _accept_roots(chain, certificates, root_cert_hash, now_s)
    for signer in signers:  # grows as it goes; each certificate meets each signer once, whatever their order
        signed = [certificate for certificate in remaining if _is_signed_by(certificate, signer)]
        remaining = [certificate for certificate in remaining if certificate not in signed]
        for certificate in signed:
            if certificate.expiry > now_s:
                is_this_accepted |= certificate == chain.this
                if certificate.can_issue:
                    signers.append(certificate.pk)
    if remaining:
        raise Unverified("a certificate in the chain is signed by nobody trusted")
    if not is_this_accepted:
        raise Unverified("the device's certificate has expired")
    return min(certificate.expiry for certificate in certificates if certificate.expiry > now_s)


def _accept_roots(
    chain: CertificateChain, certificates: list[DeviceCertificate], root_cert_hash: Hash, now_s: int
) -> tuple[bool, list[SigningPublic], list[DeviceCertificate]]:
    """Whether `this` is an unexpired root, the keys trusted through roots, and the certificates that are not roots."""
    signers: list[SigningPublic] = []
    others: list[DeviceCertificate] = []
    is_this_accepted = found = False
    for certificate in certificates:
        if certificate.device_hash() != root_cert_hash:
            others.append(certificate)
            continue
        if not _is_signed_by(certificate, certificate.pk):
            raise Unverified("a root certificate is not signed by its own key")
        if certificate.expiry > now_s:
            found = True
            is_this_accepted |= certificate == chain.this
            if certificate.can_issue:
                signers.append(certificate.pk)
    if not found:
        raise Unverified("the chain does not lead to the user's root key")
    return is_this_accepted, signers, others


def _is_signed_by(certificate: DeviceCertificate, signer: SigningPublic) -> bool:
    return signing.verifies(signer, certificate.signed_bytes(), certificate.signature)
