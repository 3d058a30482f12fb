"""Keys in the operating system's keyring, one entry each."""

import contextlib
from typing import Final

from nacl.bindings import randombytes

from xirtam_core.codec.primitives import base64url_encode
from xirtam_core.errors import Locked

_SERVICE: Final = "xirtam"


def works() -> bool:
    """Whether there is a keyring that keeps what it is given."""
    import keyring
    from keyring.errors import KeyringError

    try:
        probe = base64url_encode(randombytes(9))
        keyring.set_password(_SERVICE, "probe", probe)
        kept = keyring.get_password(_SERVICE, "probe") == probe
        keyring.delete_password(_SERVICE, "probe")
    except (KeyringError, RuntimeError):
        return False
    return kept


def store(label: str, secret: str) -> None:
    """Keeps `secret` under `label`; raises `Locked` where the keyring does not take it."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_SERVICE, label, secret)
    except (KeyringError, RuntimeError) as fault:
        raise Locked(f"the keyring does not keep the key ({fault}): choose a passphrase or a key file") from None


def load(label: str) -> str:
    """What is kept under `label`; raises `Locked` where nothing is, or the keyring does not open."""
    import keyring
    from keyring.errors import KeyringError

    try:
        secret = keyring.get_password(_SERVICE, label)
    except (KeyringError, RuntimeError) as fault:
        raise Locked(f"the keyring does not open ({fault}): unlock it and try again") from None
    if secret is None:
        raise Locked(f"the keyring has no key named {label!r}: is this the right user's session?")
    return secret


def forget(label: str) -> None:
    """Removes the entry, if there is one and the keyring lets us."""
    import keyring
    from keyring.errors import KeyringError

    with contextlib.suppress(KeyringError, RuntimeError):
        keyring.delete_password(_SERVICE, label)
