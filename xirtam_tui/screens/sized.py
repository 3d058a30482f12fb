"""A screen whose classes tell how large it is: `-narrow` or `-wide`, `-short`, and `-small` where a dialog lacks room.

Textual sets such classes after it has laid a screen out and painted it, and then does both once more. Here they are set before, and
one paint follows when all is in its place: each is the whole terminal, for which the app's loop stands still.
"""

import asyncio
from functools import cached_property
from typing import TypeVar

from textual import events
from textual.geometry import Size
from textual.screen import Screen

from xirtam_tui.running import running_app
from xirtam_tui.screens.painter import Painter
from xirtam_tui.steps import Steps, restyle

Result = TypeVar("Result")
_NARROW = 80
WIDE = 120
"""From so many columns on there is room for three panes."""
_SHORT, _SMALL = 30, 24
"""In less than so many lines."""
_LIMIT_S = 0.2
"""How long a screen may take to be laid out; whatever is there then is shown."""


class Sized(Screen[Result]):
    """Takes the classes for its size before it is laid out."""

    _limit: asyncio.TimerHandle | None = None  # while nothing is painted, as not all of it is laid out yet

    async def take_size(self, size: Size) -> None:
        """Gets ready to be laid out in so many columns and lines."""
        width, height = size
        is_small = width < _NARROW or height < _SMALL
        classes = {"-narrow": width < _NARROW, "-wide": width >= WIDE, "-short": height < _SHORT, "-small": is_small}
        before = frozenset(self.classes)
        if self.update_classes(classes, update=False).classes != before:
            await restyle([self, *self.walk_children()], running_app(self).stylesheet, Steps())

    async def on_compose(self) -> None:
        await self.take_size(running_app(self).size)  # before there is anything in it that would have to be restyled
        await self.let_others_run()

    async def on_resize(self, event: events.Resize) -> None:
        self.hold()
        await self.take_size(event.size)
        await self.let_others_run()
        self.call_later(self.let_go)

    def on_unmount(self) -> None:
        if self._limit is not None:
            self._limit.cancel()

    @property
    def is_held(self) -> bool:
        """Whether nothing is painted just now."""
        return self._limit is not None

    def hold(self) -> None:
        """Paints nothing until what comes next has been laid out."""
        if self._limit is None:
            self._limit = asyncio.get_running_loop().call_later(_LIMIT_S, self.let_go)

    def let_go(self) -> None:
        """Paints what has changed since."""
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
            self._painter.begin()

    def _compositor_refresh(self) -> None:
        """Paints what has changed. In a batch of Textual's it would be taken for painted, and not be."""
        if self._limit is None:
            self._painter.refresh()

    @cached_property
    def _painter(self) -> Painter:
        return Painter(self, super()._compositor_refresh, lambda: not self.is_held)

    async def let_others_run(self) -> None:
        """Ends a stretch in which the app's loop does nothing else: Textual goes from one step to the next without."""
        await asyncio.sleep(0)
