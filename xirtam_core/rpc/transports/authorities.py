"""Who vouches for a server's name in TLS: the public authorities, unless a caller brings others."""

import ssl
from functools import cache


@cache
def public_authorities() -> ssl.SSLContext:
    """Verifies certificates and names as browsers do, and takes nothing from the environment."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)
