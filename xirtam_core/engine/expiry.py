"""What to say of a certificate that expires, and when."""

from xirtam_core.engine.revocation import date
from xirtam_core.protocol.certificate import CertificateChain

_SOON_S = 14 * 86_400
_REMEDY = "renew it on another device of the account that may certify others (xirtam renew)"


def warn_of_expiry(chain: CertificateChain, now_s: int) -> str | None:
    """Words about a chain that expires within two weeks, or has expired; None for others."""
    expires_s = min(each.expiry for each in (*chain.ancestors, chain.this))
    if expires_s <= now_s:
        return (
            f"this device's certificate expired on {date(expires_s)}: other people's clients take nothing from it and write "
            f"to it no more. To go on, {_REMEDY}"
        )
    if expires_s <= now_s + _SOON_S:
        return f"this device's certificate expires on {date(expires_s)}: {_REMEDY} before that"
    return None
