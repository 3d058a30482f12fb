"""Long work in steps, between which the app's loop does other things."""

import asyncio
import time
from collections.abc import Iterable

from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

_STEP_S = 0.006
"""After so long a step ends."""


class Steps:
    """The steps of one piece of work."""

    def __init__(self) -> None:
        self._end = time.perf_counter() + _STEP_S

    async def pause_if_due(self) -> None:
        """Lets the loop do other things, if it has not for a while."""
        if time.perf_counter() >= self._end:
            await asyncio.sleep(0)
            self._end = time.perf_counter() + _STEP_S


async def restyle(nodes: Iterable[DOMNode], stylesheet: Stylesheet, steps: Steps) -> None:
    """Styles what is on a screen anew; Textual would do it in one go."""
    for node in nodes:
        if node.is_attached or node.is_dom_root:
            stylesheet.update_nodes([node])
        await steps.pause_if_due()
