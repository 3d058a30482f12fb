"""`SharedClient`: an account for somebody who stays, whichever process has it open at the moment.

A command may have opened the account before and end sooner. Then this takes the account over, or goes on through whoever did, and
tells its listeners how things stand, as some of what happened in between may have been told to nobody.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xirtam_core.client import Client, Listener
from xirtam_core.engine.announcer import Announcer
from xirtam_core.errors import NotConnected, XirtamError
from xirtam_core.events import ChatChanged, MessageAdded, StatusChanged
from xirtam_core.faces.face import Operation
from xirtam_core.names import Username
from xirtam_core.remote_client import Ended, RemoteClient, reach

_PAUSE_S = 1.0
_RECENT = 60
_log = logging.getLogger(__name__)


class SharedClient(Client):
    """An account through its own engine or another process's; used in one event loop, the one that it was made in."""

    def __init__(self, data_dir: Path, passphrase: str | None, client: Client) -> None:
        """For `open_shared`, which makes clients."""
        super().__init__(client.account)
        self._data_dir, self._passphrase = data_dir, passphrase
        self._announcer = Announcer()
        self._client = client
        self._unsubscribe = client.subscribe(self._announcer.announce)
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._following = asyncio.create_task(self._follow(), name="account")

    async def _follow(self) -> None:
        while isinstance(self._client, RemoteClient):
            await self._client.ended()
            self._is_open.clear()
            self._unsubscribe()
            await self._client.close()
            self._client = await self._reach()
            self._unsubscribe = self._client.subscribe(self._announcer.announce)
            self._is_open.set()
            try:
                await self._tell_everything(self._client)
            except XirtamError as fault:  # it has ended again, which the next turn sees
                _log.info("the account changed hands twice: %s", type(fault).__name__)

    async def _reach(self) -> Client:
        while True:
            try:
                return await reach(self._data_dir, self.account, passphrase=self._passphrase)
            except XirtamError as fault:
                _log.warning("the account cannot be taken over yet: %s", fault)
            await asyncio.sleep(_PAUSE_S)

    async def _tell_everything(self, client: Client) -> None:
        self._announcer.announce(StatusChanged(await client.status()))
        for chat in await client.chats():
            self._announcer.announce(ChatChanged(chat))
            for message in (await client.history(chat.id, limit=_RECENT)).messages:
                self._announcer.announce(MessageAdded(message))

    async def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """See `Client`; waits where the account is just changing hands, and asks again where that does no harm."""
        while True:
            await self._is_open.wait()
            if self.is_closed:
                raise NotConnected("the account was closed here: open it again")
            client = self._client
            try:
                return await client.call(operation, arguments)
            except Ended as fault:
                if fault.was_asked and not operation.may_be_repeated(arguments):
                    raise
                if client is self._client:
                    self._is_open.clear()  # until it is in other hands

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See `Client`."""
        return self._announcer.subscribe(listener)

    async def close(self) -> None:
        """See `Client`."""
        if self.is_closed:
            return
        self.is_closed = True
        self._following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._following
        self._is_open.set()  # who waits for it need wait no longer
        self._unsubscribe()
        await self._client.close()
        self._end()


async def open_shared(data_dir: Path, account: Username, *, passphrase: str | None = None) -> SharedClient:
    """The account, opened here or through whoever has it open; raises `Locked` and `NotFound`."""
    return SharedClient(data_dir, passphrase, await reach(data_dir, account, passphrase=passphrase))
