"""Who may open an account on this server: anybody whom the directory sends here, those with an invite, or nobody new.

Whoever has an account is always let in again; the policy is for newcomers alone. An invite is redeemed for a name before the account
is made, so it counts once for each user however often they come.
"""

import secrets
import time
from enum import StrEnum

import msgspec

from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.names import Username
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_server.storage.interface import HomeStore

_NANOSECONDS = 1_000_000_000


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
    """How long an account that was prepared for a move waits for the directory, in seconds; 0: none is prepared."""


class Registrar:
    """Judges newcomers."""

    def __init__(self, policy: RegistrationPolicy, store: HomeStore) -> None:
        self._policy, self._store = policy, store

    async def lets_in(self, user: Username) -> bool:
        """Whether `user` has an account here or may have one."""
        match self._policy.new_users:
            case Registration.OPEN:
                return True
            case Registration.INVITE:
                return await self._has_account(user) or await self._store.is_invited(user)
            case Registration.CLOSED:
                return await self._has_account(user)

    async def _has_account(self, user: Username) -> bool:
        return await self._store.find_account(user) is not None

    async def redeem(self, user: Username, invite: AuthToken) -> None:
        """Takes one use of `invite` for `user`, if they need one; raises `AccessDenied` for one that lets nobody in."""
        if await self._has_account(user) or await self._store.is_invited(user):
            return
        if self._policy.new_users is Registration.CLOSED:
            raise AccessDenied
        if not await self._store.redeem_invite(token_hash(invite), user, time.time_ns()):
            raise AccessDenied


async def mint_invite(store: HomeStore, uses: int, valid_s: int) -> AuthToken:
    """A new invite that lets `uses` newcomers in during the next `valid_s` seconds. Only its hash is stored."""
    invite = AuthToken(secrets.token_bytes(AuthToken.size))
    await store.add_invite(token_hash(invite), uses, time.time_ns() + valid_s * _NANOSECONDS)
    return invite
