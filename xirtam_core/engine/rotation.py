"""Fresh medium-term keys about hourly (spec: client.md, Rotation; devices.md, Medium-term keys).

Publish, then use, and never the other way round. A secret that was stored but not published is the next one to be published, however
often the program starts without a network.
"""

import asyncio
import random

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto import dh
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.clock_watch import ClockWatch
from xirtam_core.engine.session import Session
from xirtam_core.errors import XirtamError
from xirtam_core.protocol.medium_key import sign_medium_key
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import left_keys, medium_keys
from xirtam_core.storage.database import Database
from xirtam_core.storage.medium_keys import MediumSecret

_PERIOD_S = 3600
_CHECK_S = 60.0


class Rotation:
    """Keeps the published key fresh and destroys what nothing can need any more."""

    def __init__(self, database: Database, session: Session, clock: Clock) -> None:
        self._database = database
        self._session = session
        self._clock = clock
        self._period_s = _jittered()
        self._watch = ClockWatch(clock)
        self._kept_until = 0.0
        self._is_lost = False
        self._wake = asyncio.Event()
        session.when_signed_in_again(self._publish_again)

    def _publish_again(self) -> None:
        self._is_lost = True
        self._wake.set()

    async def run(self) -> None:
        """Rotates for ever, and at once where the home server may have lost what it had."""
        backoff = Backoff(2.0, 300.0)
        while True:
            self._wake.clear()
            try:
                if self._is_lost:
                    await self.rotate()
                    self._is_lost = False
                await self.rotate_if_due()
                self._destroy_spent()
            except XirtamError:
                await self._pause(backoff.next_s())
            else:
                backoff.reset()
                await self._pause(_CHECK_S)

    async def _pause(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return

    def _destroy_spent(self) -> None:
        """Destroys what nobody can need, unless the clock was put forward: what seems old then may be in use still."""
        now = asyncio.get_running_loop().time()
        if self._watch.was_put_forward():
            self._kept_until = now + medium_keys.GRACE_S
        if now >= self._kept_until:
            left_keys.forget_unread(self._database)
            medium_keys.destroy_spent(self._database, seconds(self._clock))

    async def rotate_if_due(self) -> None:
        """Publishes a new key if there is none or the present one is old; raises what the home server's call raises."""
        async with self._session.publishing:
            await self._rotate_if_due()

    async def _rotate_if_due(self) -> None:
        newest = medium_keys.newest(self._database)
        is_waiting = newest is not None and newest.published_s is None
        if is_waiting or not self._is_fresh(newest):
            await self._publish_next(await self._session.token())

    async def rotate(self) -> None:
        """Publishes a new key now, however fresh the present one is; raises what the home server's calls raise."""
        async with self._session.publishing:
            token = await self._session.token()
            try:
                await self._publish_next(token)
            except AccessDenied:  # it may not know this device any more
                await self._publish_next(await self._session.authenticate(token))

    async def _publish_next(self, token: AuthToken) -> None:
        newest = medium_keys.newest(self._database)
        if newest is None or newest.published_s is not None:
            newest = medium_keys.add(self._database, seconds(self._clock))
        server = await self._session.server()
        public = dh.public_of(newest.secret)
        await server.device_add_medium_pk(
            token, sign_medium_key(self._session.account.device_secret, public, newest.created_s)
        )
        medium_keys.mark_published(self._database, newest, seconds(self._clock))
        self._period_s = _jittered()

    def _is_fresh(self, key: MediumSecret | None) -> bool:
        """Whether `key` was published within the period. A time that is yet to come is a clock that was wrong."""
        if key is None or key.published_s is None:
            return False
        return 0 <= seconds(self._clock) - key.published_s < self._period_s


def _jittered() -> float:
    return _PERIOD_S * random.uniform(1.0, 1.1)  # noqa: S311 # nothing depends on it being unguessable
