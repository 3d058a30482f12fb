"""Doing what an account's passphrase is needed for, asking for it as often as it takes."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from textual.app import App

from xirtam_core.errors import InUse, Locked, PassphraseNeeded
from xirtam_core.names import Username

T = TypeVar("T")


async def unlocked(
    app: App[Any], account: Username, passphrase: str | None, work: Callable[[str | None], Awaitable[T]]
) -> T:
    """What `work` gives with the right passphrase; raises what it raises once a person gives up, and all else. In a worker only."""
    problem = ""
    while True:
        try:
            return await work(passphrase)
        except InUse:
            raise
        except Locked as locked:
            if passphrase is None and not isinstance(locked, PassphraseNeeded):
                raise
            problem = "" if passphrase is None else "That is not it. Nothing was changed; try again."
            from xirtam_tui.screens.passphrase.passphrase import Passphrase

            passphrase = await app.push_screen_wait(Passphrase(account, problem))
            if passphrase is None:
                raise
