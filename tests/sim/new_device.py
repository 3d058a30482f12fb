"""A computer in a simulated world that is to become a device of an account that exists."""

import asyncio
from pathlib import Path

import pytest

from tests.sim.faults import Client
from tests.sim.virtual_time import until
from tests.sim.world import World
from xirtam_core.devices import PairingOffer
from xirtam_core.engine import joining_account, open_account
from xirtam_core.engine.engine import Engine
from xirtam_core.engine.joining_account import JoiningAccount, open_bundle, open_pairing, read_bundle
from xirtam_core.engine.open_account import OpenAccount
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import accounts
from xirtam_core.storage.keys import KeyPlace


class NewDevice:
    """It joins, can be cut off, and joins again."""

    def __init__(self, world: World, data_dir: Path, name: Username, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.data_dir = data_dir
        self.name = name
        self.link = world.link
        self.end = Client()
        self.offers: list[PairingOffer] = []
        self._joining: asyncio.Task[None] | None = None
        self._opened: OpenAccount | None = None
        self._engine: Engine | None = None
        for module in (open_account, joining_account):
            monkeypatch.setattr(module, "Network", world.networks(self.end))

    @property
    def is_in(self) -> bool:
        """Whether it is one of the account, as its data directory has it."""
        return accounts(self.data_dir) == [self.name]

    @property
    def has_failed(self) -> bool:
        """Whether it has given up for now."""
        return self._joining is not None and self._joining.done() and self._engine is None

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine

    def show_code(self) -> None:
        """Starts to wait for being paired."""
        clock = self.world.clock
        self._start(open_pairing(self.data_dir, self.link, self.name, KeyPlace.FILE, None, clock))

    def take_bundle(self, text: str) -> None:
        """Starts to join with a bundle."""
        clock = self.world.clock
        self._start(open_bundle(self.data_dir, self.link, read_bundle(text), KeyPlace.FILE, None, clock))

    def _start(self, joining: JoiningAccount) -> None:
        async def join() -> None:
            self._opened = await joining.join(self.offers.append)
            self._engine = self._opened.start()

        self._joining = asyncio.create_task(join())

    async def code(self) -> str:
        """The code that it shows."""
        await until(lambda: self.offers, "it shows its code", 60)
        return self.offers[-1].code

    async def joined(self, limit_s: float = 120.0) -> Engine:
        """Waits until it is in and its engine runs; fails with what has kept it from that."""
        assert self._joining is not None
        async with asyncio.timeout(limit_s):
            await self._joining
        return self.engine

    async def cut_off(self) -> None:
        """Ends whatever it does."""
        if self._joining is not None:
            self._joining.cancel()
            await asyncio.gather(self._joining, return_exceptions=True)
        if self._opened is not None:
            await self._opened.close()
        self._joining = self._opened = self._engine = None

    def texts(self, peer: Username) -> list[str]:
        """The texts of the chat with `peer`."""
        if all(chat.id != peer for chat in self.engine.conversations.chats()):
            return []
        return [message.text for message in self.engine.conversations.history(peer).messages]
