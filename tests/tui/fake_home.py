"""Where the account of an engine in memory lives, and moving it: a test says what is offered, and how far a move comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from xirtam_core.errors import NotFound, XirtamError
from xirtam_core.events import HomeMoveChanged
from xirtam_core.home_move import HomeMove, HomeOffer, HomeStep, HostedGroup
from xirtam_core.names import ServerName

if TYPE_CHECKING:
    from tests.tui.fake_client import FakeClient

NOW_S = 1_795_524_300
HARBOR, ISLAND = ServerName("~harbor"), ServerName("~island")


def home_offer(**changes: object) -> HomeOffer:
    """What ~island offers to somebody who lives on ~harbor."""
    offer = HomeOffer(
        server=ISLAND, old=HARBOR, software="xirtam-server 0.1.0", registration="open", most_message_bytes=262_144,
        longest_ttl_s=30 * 86_400, fragment_quota=1_610_612_736, can_prepare=True, can_forward=True, is_old_there=True, groups=(),
        files=12, obstacle=None,
    )  # fmt: skip
    return msgspec.structs.replace(offer, **changes)


def hosted(title: str, *, is_admin: bool = False) -> HostedGroup:
    """A group on the server that is left."""
    return HostedGroup(id=title.encode().hex().ljust(64, "0"), title=title, is_admin=is_admin)


def home_move(step: HomeStep = HomeStep.PREPARE, **changes: object) -> HomeMove:
    """A move from ~harbor to ~island."""
    ended = NOW_S if step in (HomeStep.DONE, HomeStep.FAILED) else None
    before_directory = step in (HomeStep.PREPARE, HomeStep.PROFILE, HomeStep.PROVE)
    move = HomeMove(server=ISLAND, old=HARBOR, step=step, began_s=NOW_S - 60, ended_s=ended, can_undo=before_directory)
    return msgspec.structs.replace(move, **changes)


class FakeHome:
    """Moves no further than a test has it."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self.offered = home_offer()
        self.is_slow = False
        """Whether an offer does not come until it is given up."""
        self.offer_error: XirtamError | None = None
        self.move_error: XirtamError | None = None
        self.undo_error: XirtamError | None = None
        self.latest: HomeMove | None = None
        self.asked: list[str] = []
        self.begun: list[str] = []
        self.given_up = 0

    async def offer(self, target: str) -> HomeOffer:
        self.asked.append(target)
        if self.is_slow:
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up += 1
        if self.offer_error is not None:
            raise self.offer_error
        return self.offered

    async def move(self, target: str) -> HomeMove:
        if self.move_error is not None:
            raise self.move_error
        self.begun.append(target)
        return self.come(HomeStep.PREPARE)

    async def state(self) -> HomeMove | None:
        return self.latest

    async def undo(self) -> HomeMove | None:
        if self.undo_error is not None:
            raise self.undo_error
        if self.latest is None:
            raise NotFound("the account is not on its way to another server")
        self.latest = None
        await self._client.emit_first(HomeMoveChanged(None))
        return None

    def come(self, step: HomeStep, **changes: object) -> HomeMove:
        """The move comes so far."""
        self.latest = move = home_move(step, **changes)
        if step is HomeStep.DONE:
            self._client.set_status(server=move.server)
        self._client.emit(HomeMoveChanged(move))
        return move
