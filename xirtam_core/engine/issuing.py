"""Certificates for this account's devices, issued by this one (spec: devices.md, Certificates)."""

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.integers import LATEST, NEVER
from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, Refused, Unverified
from xirtam_core.protocol import certificate
from xirtam_core.protocol.certificate import CertificateChain


class Issuer:
    """This device as one that certifies others, if it may."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def issue(self, pk: SigningPublic, expires_s: int | None, *, can_issue: bool = True) -> CertificateChain:
        """A chain for the device with key `pk`; raises `Refused` on a device that may not certify others, and `Malformed`."""
        account, now_s = self._session.account, seconds(self._clock)
        if not account.chain.this.can_issue:
            raise Refused("this device may not certify others: do it on one that may, such as the account's first")
        if expires_s is not None and not now_s < expires_s <= LATEST:
            raise Malformed("a certificate must expire in the future, or never")
        expiry = NEVER if expires_s is None else expires_s
        chain = account.chain.issue(account.device_secret, pk, expiry, can_issue=can_issue)
        try:
            certificate.verify(chain, account.chain.root.device_hash(), now_s)
        except Unverified as fault:
            raise Refused(
                f"what this device certifies does not count ({fault}): do it on another device of the account"
            ) from None
        return chain
