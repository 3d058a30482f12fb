"""How the account stands at the moment, told whenever that changes."""

import asyncio

from xirtam_core.chat import Connection, Status
from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.expiry import warn_of_expiry
from xirtam_core.engine.routes import Routes
from xirtam_core.engine.session import Session
from xirtam_core.errors import StorageFault
from xirtam_core.events import AlarmRaised, Event, MessageAdded, MessageChanged, MessageRemoved, StatusChanged
from xirtam_core.storage import account, journal, medium_keys, outbox
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders

_PERIOD_S = 0.1


class AccountStatus:
    """The connection, the queues, the ages of keys and of what is known of the directory."""

    def __init__(
        self,
        database: Database,
        session: Session,
        headers: StoredHeaders,
        routes: Routes,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._session = session
        self._headers = headers
        self._routes = routes
        self._clock = clock
        self._announcer = announcer
        self._connection = Connection.CONNECTING
        self._detail = ""
        self._last: Status | None = None
        self._has_news = asyncio.Event()
        announcer.subscribe(self._follow)

    def connected(self, connection: Connection, detail: str) -> bool:
        """The connection to the home server changed; gives whether it has come up."""
        was, self._connection, self._detail = self._connection, connection, detail
        self.announce()
        return connection is Connection.CONNECTED and was is not connection

    def _follow(self, event: Event) -> None:
        if isinstance(event, MessageAdded | MessageChanged | MessageRemoved | AlarmRaised):
            self._has_news.set()

    async def run(self) -> None:
        """Announces what messages and alarms change in the status, at a pace that a flood of them does not quicken."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            self.announce()
            await asyncio.sleep(_PERIOD_S)

    def look_again(self) -> None:
        """Something changed that is in the status, at a moment when it cannot be read."""
        self._has_news.set()

    def announce(self) -> None:
        """Tells the status if it is another than was told last."""
        status = self.status()
        if status != self._last:
            self._last = status
            self._announcer.announce(StatusChanged(status))

    def status(self) -> Status:
        """The account's state at a glance; where the disk fails, what is known without it."""
        me = self._session.account
        try:
            return self._read(me)
        except StorageFault as fault:
            return Status(
                account=me.username, server=me.server, connection=self._connection, detail=self._detail, storage=str(fault),
                queued=0, waiting=0, rejected=0, anchor_height=None, anchor_age_s=None, medium_key_age_s=None,
            )  # fmt: skip

    def _read(self, me: Account) -> Status:
        anchor = self._headers.anchor()
        key = medium_keys.newest_published(self._database)
        return Status(
            account=me.username,
            server=me.server,
            connection=self._connection,
            detail=self._detail,
            queued=outbox.queued_count(self._database),
            waiting=journal.waiting_count(self._database),
            rejected=journal.rejected_count(self._database),
            anchor_height=None if anchor is None else anchor.last_header_height,
            anchor_age_s=self._headers.anchor_age_s(),
            medium_key_age_s=None if key is None else max(0, seconds(self._clock) - key.created_s),
            alarm=account.directory_alarm(self._database),
            certificate=warn_of_expiry(me.chain, seconds(self._clock)),
            proxied=self._routes.proxied(),
            storage=None if self._database.trouble is None else str(self._database.trouble),
        )
