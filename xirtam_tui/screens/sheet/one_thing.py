"""What a person has begun in a sheet: one thing at a time, which no key ends."""

from collections.abc import Awaitable, Callable

from textual.screen import Screen

from xirtam_tui.running import running_app

Say = Callable[[str, str], None]
"""Shows words in the sheet, in a tone."""


class OneThing:
    """Another key is told to wait; leaving the sheet leaves the work going on, and its outcome is told by a notice."""

    def __init__(self, sheet: Screen[None], title: str, say: Say) -> None:
        self._sheet, self._title, self._say = sheet, title, say
        self._is_working = False

    def begin(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does `work`, unless something else is being done."""
        if self._is_working:
            self._say("Still working on what you began; wait for that.", "")
            return
        self._is_working = True
        # The app's own work: a sheet's ends with the sheet, and what is half done at the server would be left so.
        running_app(self._sheet).run_worker(self._do(work), group="begun")

    async def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        finally:
            self._is_working = False

    @property
    def is_shown(self) -> bool:
        """Whether the sheet is there."""
        return self._sheet in running_app(self._sheet).screen_stack

    def tell(self, words: str, tone: str = "") -> None:
        """Says how it has gone, in the sheet if that is there."""
        if self.is_shown:
            self._say(words, tone)
        elif words:
            severity = "warning" if tone == "failed" else "information"
            running_app(self._sheet).notify(words, title=self._title, severity=severity, timeout=10, markup=False)
