"""This device at its home server: signing in, and the token that comes of it (spec: extensions.md, Device authentication)."""

import asyncio
from collections.abc import Callable

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Hash
from xirtam_core.crypto import signing
from xirtam_core.engine.network import Network
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.rpc.envelope import METHOD_NOT_FOUND, CallError
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.storage import account as stored_account
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database

_DOMAIN = "xirtam-device-auth"


def challenge_bytes(server: ServerName, username: Username, challenge: Hash) -> bytes:
    """What a device signs to authenticate: it names the server, so that no server can use another's challenge."""
    return bcs.encode((_DOMAIN, server, username, challenge), tuple[str, ServerName, Username, Hash])


class Session:
    """The account, and what its home server lets it do."""

    def __init__(self, database: Database, account: Account, network: Network) -> None:
        self._database = database
        self._network = network
        self.account = account
        self.publishing = asyncio.Lock()
        """Held while a medium-term key is being published, so that no move comes in between."""
        self._lock = asyncio.Lock()
        self._on_signed_in_again: list[Callable[[], None]] = []

    def when_signed_in_again(self, then: Callable[[], None]) -> None:
        """Calls `then` when the home server did not know this device any more, and has let it in again: its key may be lost."""
        self._on_signed_in_again.append(then)

    async def server(self) -> HomeServer:
        """The account's home server."""
        return await self._network.home_server(self.account.server)

    async def token(self) -> AuthToken:
        """What the home server knows this device by; signs in where there is none yet."""
        return self.account.token or await self.authenticate(None)

    def token_for(self, server: ServerName) -> AuthToken:
        """What to show to `server`: the device's token at home, else nothing that names us."""
        return self.account.token if self.account.token and server == self.account.server else ANONYMOUS

    async def authenticate(self, refused: AuthToken | None) -> AuthToken:
        """Signs in, unless that has been done since `refused` was the token; raises `AccessDenied` or `Unreachable`."""
        async with self._lock:
            if self.account.token is not None and self.account.token != refused:
                return self.account.token
            token = await self.sign_in_at(self.account.server)
            stored_account.store_token(self._database, token)
            self.account = msgspec.structs.replace(self.account, token=token)
            for then in self._on_signed_in_again if refused is not None else ():
                then()
            return token

    async def move_to(self, name: ServerName, token: AuthToken, also: Callable[[Account], None]) -> None:
        """Makes `name` the account's home server, which knows this device by `token`; in one transaction with what `also` stores.

        `also` is given the account as it was. The caller has made sure that messages find their way there.
        """
        async with self._lock:  # so that no token of the old server is taken for one of the new
            before = self.account
            with self._database.transaction():
                stored_account.store_home(self._database, name, token)
                also(before)
            self.account = msgspec.structs.replace(before, server=name, token=token)

    async def adopt(self, chain: CertificateChain) -> None:
        """Uses another chain from now on, and signs in with it; raises `AccessDenied` or `Unreachable`.

        Until that has succeeded the old token is kept: it still opens the mailbox, also where the account moves away meanwhile.
        """
        async with self._lock:  # so that no token that the old chain got is taken for one that the new one got
            self.account = msgspec.structs.replace(self.account, chain=chain)
            token = await self.sign_in_at(self.account.server)
            stored_account.store_token(self._database, token)
            self.account = msgspec.structs.replace(self.account, token=token)

    async def sign_in_at(self, name: ServerName) -> AuthToken:
        """What the server `name` knows this device by; nothing is stored. Raises `AccessDenied` or `Unreachable`."""
        server, me = await self._network.home_server(name), self.account
        try:
            started = await server.device_auth_start(me.username)
        except CallError as error:
            if error.fault.code != METHOD_NOT_FOUND:
                raise
            return await server.device_auth(me.username, me.chain)
        message = challenge_bytes(name, me.username, started.challenge)
        signature = signing.sign(me.device_secret, message)
        return await server.device_auth_finish(me.username, me.chain, started.challenge, signature)
