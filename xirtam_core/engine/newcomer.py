"""Whether a home server takes a newcomer, asked before a name is claimed for living there: a claimed name cannot be given back.

A server that does not say whom it takes, as a reference server, takes whom the directory names.
"""

from xirtam_core.crypto import signing
from xirtam_core.directory.ownership import NameTaken
from xirtam_core.engine.network import Network
from xirtam_core.errors import NewcomerRefused
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.rpc.envelope import CallError
from xirtam_core.rpc.home_server import AccessDenied, HomeServer
from xirtam_core.storage.account import Account

_BY_INVITE, _CLOSED = "invite", "closed"


class Newcomer:
    """An account that is to live on a server where it may be new."""

    def __init__(self, account: Account, network: Network) -> None:
        self._account, self._network = account, network
        self._policy: str | None = None
        self._is_claimed = False

    async def ask(self) -> None:
        """Asks to be let in, with the link's invite where one is needed; raises `NewcomerRefused`, and `NameTaken`."""
        me = self._account
        state = await self._network.directory.state(me.username)
        self._is_claimed = signing.public_of(me.device_secret) in state.owners
        if state.owners and not self._is_claimed:
            raise NameTaken(me.username)  # before an invite is spent on it
        server = await self._network.home_server(me.server)
        self._policy = await _policy_of(server)
        if self._policy == _BY_INVITE and me.link.invite is not None:
            await self._redeem(server)
        elif state.value != UserDescriptor(me.server, me.device_hash).blob():  # else it may have an account there
            self.explain_refusal()

    async def _redeem(self, server: HomeServer) -> None:
        me = self._account
        assert me.link.invite is not None
        try:
            await server.redeem_invite(me.username, me.link.invite)
        except AccessDenied:
            raise NewcomerRefused(
                f"{me.server} does not take the invite in this join link: it is used up or too old; {self._kept()}; "
                "ask for a new join link, and register again with it"
            ) from None

    def explain_refusal(self) -> None:
        """Raises `NewcomerRefused` with the reason if the server's policy is one."""
        server = self._account.server
        if self._policy == _CLOSED:
            raise NewcomerRefused(
                f"{server} takes no new users; {self._kept()}; register again with the join link of another server"
            )
        if self._policy == _BY_INVITE:
            raise NewcomerRefused(
                f"{server} takes new users by invite, and this join link holds none that counts; {self._kept()}; "
                "ask its operator for a join link with an invite, and register again with it"
            )

    def _kept(self) -> str:
        name = self._account.username
        return f"{name} stays yours, its key is kept" if self._is_claimed else f"{name} was not claimed"


async def _policy_of(server: HomeServer) -> str | None:
    try:
        return (await server.server_info()).registration
    except CallError:
        return None
