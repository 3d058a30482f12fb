"""What one makes of people: how they stand with the account, and whether their identity has been compared."""

from enum import StrEnum

import msgspec

from xirtam_core.names import ServerName, Username


class Standing(StrEnum):
    """How somebody stands with this account."""

    CONTACT = "contact"
    REQUEST = "request"
    """Somebody unknown who has written, and whom nobody has accepted or blocked yet."""
    BLOCKED = "blocked"


LONGEST_DISPLAY_NAME = 64
"""Characters of what people call themselves, as far as it is shown."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of themselves: `display_name` is what they call themselves, None for nothing. It is no proof of anything."""

    name: Username
    display_name: str | None


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person as this account knows them.

    `petname` is what this account calls them, `display_name` what they call themselves, as far as is known. `verified` says that their
    present identity is the one that was compared. `features` are what their client is known to understand beyond messages, None while
    it has said nothing. `alarm` is a changed identity, in words, until it is acknowledged.
    """

    name: Username
    standing: Standing
    petname: str | None
    server: ServerName | None
    verified: bool
    features: tuple[str, ...] | None
    alarm: str | None
    display_name: str | None = None


class SafetyCode(msgspec.Struct, frozen=True, kw_only=True):
    """What two people compare to know that nobody stands between them: the same on both sides.

    `digits` are twelve groups of five; `text` is what a QR code of it holds. `former_digits` are those before their identity changed,
    while nobody has acknowledged that. `devices_changed_s` is when they were last seen to have other devices than before, in Unix
    seconds.
    """

    peer: Username
    digits: str
    text: str
    verified: bool
    former_digits: str | None = None
    devices_changed_s: int | None = None
