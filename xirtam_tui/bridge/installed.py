"""The engine that is installed."""

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xirtam_core.devices import PairingOffer
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.registration import NameAnswer, Progress, RecoveryProgress
from xirtam_tui.bridge.engine import Engine

if TYPE_CHECKING:
    from xirtam_core.recovery_key import RecoveryKey  # the start waits for nothing that is not painted


class InstalledEngines:
    """The real engine, imported on first use and off the screen's thread: it is heavy, and the first paint must not wait."""

    def __init__(self) -> None:
        self._importing: asyncio.Task[Any] | None = None

    async def _client(self) -> Any:
        if self._importing is None:
            self._importing = asyncio.create_task(asyncio.to_thread(_import_client))
        return await asyncio.shield(self._importing)

    async def accounts(self, data_dir: Path) -> list[Username]:
        client = await self._client()
        return await asyncio.to_thread(client.accounts, data_dir)

    async def open_account(self, data_dir: Path, account: Username, *, passphrase: str | None) -> Engine:
        await self._client()
        shared = await asyncio.to_thread(importlib.import_module, "xirtam_core.shared_client")
        return await shared.open_shared(data_dir, account, passphrase=passphrase)

    async def check_name(self, data_dir: Path, link: JoinLink, name: Username) -> NameAnswer:
        return await (await self._client()).check_name(data_dir, link, name)

    async def register(
        self,
        data_dir: Path,
        link: JoinLink,
        name: Username,
        on_progress: Callable[[Progress], None],
        *,
        passphrase: str | None,
    ) -> Engine:
        return await (await self._client()).register(data_dir, link, name, on_progress, passphrase=passphrase)

    async def join_by_pairing(
        self,
        data_dir: Path,
        link: JoinLink,
        name: Username,
        on_code: Callable[[PairingOffer], None],
        *,
        passphrase: str | None,
    ) -> Engine:
        return await (await self._client()).join_by_pairing(data_dir, link, name, on_code, passphrase=passphrase)

    async def recover(
        self,
        data_dir: Path,
        link: JoinLink,
        name: Username,
        key: "RecoveryKey | None",
        on_progress: Callable[[RecoveryProgress], None],
        *,
        server: ServerName | None,
        passphrase: str | None,
    ) -> Engine:
        recover = (await self._client()).recover
        return await recover(data_dir, link, name, key, on_progress, server=server, passphrase=passphrase)

    async def has_begun(self, data_dir: Path, name: Username) -> bool:
        return await asyncio.to_thread((await self._client()).has_begun, data_dir, name)

    async def restore(self, data_dir: Path, file: Path, passphrase: str) -> Username:
        return await (await self._client()).restore_backup(data_dir, file, passphrase)

    async def key_file(self, data_dir: Path, account: Username) -> Path | None:
        return await asyncio.to_thread((await self._client()).key_file, data_dir, account)

    async def local_network(self, data_dir: Path) -> JoinLink:
        return await (await self._client()).local_network(data_dir)


def _import_client() -> Any:
    return importlib.import_module("xirtam_core.accounts")
