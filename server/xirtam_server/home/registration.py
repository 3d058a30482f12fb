"""Who may open an account on this server: anybody whom the directory sends here, those with an invite, or nobody new."""

from enum import StrEnum

import msgspec


class Registration(StrEnum):
    """Whom a server takes as new users; those it has stay."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class RegistrationPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is let in."""

    new_users: Registration = Registration.OPEN
    """open: anybody; invite: who holds an invite (xirtam-server token); closed: nobody."""
    prepared_s: int = 86_400
    """How long an account that was prepared for a move waits for the directory, in seconds."""
