"""What people say of themselves: what `xirtam_core.faces.profiles` declares, as the engine does it (spec: devices.md, Profiles).

Whoever there is a chat with is asked about now and then, behind the look-ups that sending and receiving make anyway. What a server
shows counts only if a device of theirs has signed it, and nothing older than what was seen already.
"""

import asyncio
from collections.abc import Iterable

from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.lookups import Lookups
from xirtam_core.engine.network import Network
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.engine.short_text import one_line
from xirtam_core.errors import Refused, Unverified
from xirtam_core.events import ChatChanged
from xirtam_core.names import Username
from xirtam_core.people import LONGEST_DISPLAY_NAME, Profile, Standing
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import chats, people
from xirtam_core.storage import profiles as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.peers import Peer

_AGAIN_S = 3600
_AFTER_S = 5.0
_LATEST_S = 2**62


class Profiles:
    """The account's own profile, and those of others."""

    def __init__(
        self, database: Database, session: Session, network: Network, peers: Peers, clock: Clock, announcer: Announcer
    ) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._peers = peers
        self._clock = clock
        self._announcer = announcer
        self._lookups = Lookups(self._look_behind)
        self._tried_s: dict[Username, int] = {}
        peers.when_confirmed(self._look_now_and_then)

    async def run(self) -> None:
        """Has people asked about."""
        await self._lookups.run()

    def _look_now_and_then(self, peer: Peer) -> None:
        now_s = seconds(self._clock)
        looked_s = stored.looked_s(self._database, peer.username, peer.root_cert_hash)
        times = [at_s for at_s in (looked_s, self._tried_s.get(peer.username)) if at_s is not None]
        is_due = not any(0 <= now_s - at_s < _AGAIN_S for at_s in times)
        is_known = people.standing(self._database, peer.username) in (Standing.CONTACT, Standing.REQUEST)
        if is_due and is_known and peer.alarm is None and self._lookups.begin(peer.username) is not None:
            self._tried_s[peer.username] = now_s

    async def _look_behind(self, name: Username) -> None:
        """Asks about somebody once what waits for their identity has had its turn: sending, above all."""
        await asyncio.sleep(_AFTER_S)
        await self.profile(name)

    async def profile(self, name: Username) -> Profile:
        """See the face."""
        said = await self._published(await self._peers.identity(name))
        return Profile(name=name, display_name=None if said is None else _shown(said))

    async def set_display_name(self, display_name: str | None) -> Profile:
        """See the face."""
        wanted = one_line(display_name, LONGEST_DISPLAY_NAME, "the name that others see")
        me = await self._peers.identity(self._session.account.username)
        for is_last in (False, True):
            try:
                await self._publish(me, wanted)
                break
            except AccessDenied:  # another device was faster, within this second
                if is_last:
                    raise Refused(f"{me.server} does not take the profile just now: try again in a moment") from None
        await self._published(me)
        return Profile(name=me.username, display_name=wanted)

    async def _publish(self, me: Peer, display_name: str | None) -> None:
        before = await self._published(me)
        created_s = seconds(self._clock)
        if before is not None:
            created_s = max(created_s, before.created + 1)
        picture = None if before is None else before.avatar
        profile = UserProfile.signed(self._session.account.device_secret, display_name, picture, created_s)
        await (await self._network.home_server(me.server)).profile_set(me.username, profile)

    async def _published(self, peer: Peer) -> UserProfile | None:
        """What a person's server shows of them, and is theirs; kept, and told if it is news. Raises `Unverified` where it is not."""
        server = await self._network.home_server(peer.server)
        profile = await server.profile(peer.username)
        if profile is not None:
            self._check(profile, (await server.device_certs(peer.username) or {}).values(), peer)
        name, created_s = (None, 0) if profile is None else (_shown(profile), profile.created)
        now_s = seconds(self._clock)
        if stored.store(self._database, peer.username, peer.root_cert_hash, name, created_s, now_s):
            chat = chats.find(self._database, peer.username)
            if chat is not None:
                self._announcer.announce(ChatChanged(chat))
        return profile

    def _check(self, profile: UserProfile, chains: Iterable[CertificateChain], peer: Peer) -> None:
        signers = [chain for chain in chains if profile.is_signed_by(chain.this.pk)]
        if profile.created > _LATEST_S or not any(self._peers.has_device(peer, chain) for chain in signers):
            raise Unverified(f"what {peer.server} shows of {peer.username} is signed by none of their devices")


def _shown(profile: UserProfile) -> str | None:
    """The name as far as it is one: others can publish what they like."""
    name = " ".join((profile.display_name or "")[: 4 * LONGEST_DISPLAY_NAME].split())
    return name[:LONGEST_DISPLAY_NAME] or None
