"""What is asked of the engine about the account's home server, and told of a move to another one."""

from collections.abc import Callable

import msgspec

from xirtam_core.home_move import HomeMove, HomeOffer
from xirtam_tui import text
from xirtam_tui.bridge.engine import Engine
from xirtam_tui.bridge.safe import safe_home_move

Listener = Callable[[HomeMove | None], None]
_NAME, _SAID = 60, 240


class Home:
    """Where the account lives."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listeners: list[Listener] = []

    async def offer(self, target: str) -> HomeOffer:
        """What the account would find at a server; raises as the engine's `home.offer` does."""
        return _safe_offer(await self._engine.home.offer(target))

    async def move(self, target: str) -> HomeMove:
        """Begins to move the account, or goes on; raises as the engine's `home.move` does."""
        return safe_home_move(await self._engine.home.move(target))

    async def state(self) -> HomeMove | None:
        """The move that is under way, else the latest one."""
        return _safe(await self._engine.home.state())

    async def undo(self) -> HomeMove | None:
        """Takes a move back; raises `Refused` where it is too late for that."""
        return _safe(await self._engine.home.undo())

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Has `listener` called whenever a move comes further, with None where it was undone, until what this returns is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def hear(self, move: HomeMove | None) -> None:
        """Tells those who listen."""
        for listener in list(self._listeners):
            listener(move)


def _safe(move: HomeMove | None) -> HomeMove | None:
    return None if move is None else safe_home_move(move)


def _safe_offer(offer: HomeOffer) -> HomeOffer:
    return msgspec.structs.replace(
        offer,
        software=text.brief(offer.software, _NAME),
        registration=None if offer.registration is None else text.brief(offer.registration, _NAME),
        groups=tuple(msgspec.structs.replace(each, title=text.brief(each.title, _NAME)) for each in offer.groups),
        obstacle=None if offer.obstacle is None else text.brief(offer.obstacle, _SAID),
    )
