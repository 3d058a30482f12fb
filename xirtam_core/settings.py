"""An account's settings, as its owner may change them. Each has a default that suits a new account."""

from enum import StrEnum

import msgspec


class Routing(StrEnum):
    """How calls get to other people's servers (spec: client.md, Routing)."""

    DIRECT = "direct"
    """To each server directly, and through the home server where that does not work."""
    PROXY = "proxy"
    """Through the home server always, which hides this device's address from the others."""


class Strangers(StrEnum):
    """What becomes of somebody unknown who writes."""

    ASK = "ask"
    """They are a message request until accepted or blocked."""
    ACCEPT = "accept"
    """They are a contact at once, as a bot wants it."""
    REFUSE = "refuse"
    """What they write is not kept."""


class KeyPlace(StrEnum):
    """Where a database's key comes from."""

    KEYRING = "keyring"
    PASSPHRASE = "passphrase"  # noqa: S105 # a place, not a password
    FILE = "file"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of an account."""

    send_delivered: bool = True
    """Tell contacts that their messages have arrived."""
    send_read: bool = True
    """Tell contacts that their messages have been read."""
    send_typing: bool = True
    """Tell contacts when something is being written to them."""
    routing: Routing = Routing.DIRECT
    strangers: Strangers = Strangers.ASK
