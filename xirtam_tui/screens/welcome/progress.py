"""The steps of a registration or a recovery, done and to do, with a bar and the time left where these can be told."""

from collections.abc import Iterable
from enum import StrEnum

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, ProgressBar, Static

from xirtam_core.registration import Progress, RecoveryProgress
from xirtam_tui.moments import span


class StepsProgress(Vertical):
    """Shows progress as it comes. Its Cancel button calls the screen's `action_cancel`."""

    DEFAULT_CSS = """
    StepsProgress {
        height: auto;

        & #making { text-style: bold; margin-bottom: 1; }
        & #meter { height: 1; margin: 1 2; visibility: hidden; }
        &.measured #meter { visibility: visible; }
        & #meter ProgressBar { width: auto; margin-right: 2; }
        & Bar > .bar--bar, & Bar > .bar--complete { color: $accent; background: $hairline; }
        & #left { width: auto; color: $text-muted; }
        & #progress-buttons { height: 1; }
    }
    """

    def __init__(self, steps: Iterable[StrEnum]) -> None:
        """`steps` are those that take time, in order."""
        super().__init__()
        self._steps = list(steps)

    def compose(self) -> ComposeResult:
        yield Static("", id="making", markup=False)
        yield Static("", id="steps", markup=False)
        with Horizontal(id="meter"):
            yield ProgressBar(total=1.0, show_eta=False, show_percentage=True)
            yield Static("", id="left", markup=False)
        with Horizontal(id="progress-buttons"):
            yield Button("Cancel", id="cancel", compact=True, action="screen.cancel")

    def begin(self, words: str) -> None:
        """Starts over; `words` say what is being made."""
        self.query_one("#making", Static).update(words)
        self._show(self._steps[0], None, None)
        self.call_after_refresh(self._focus_cancel)

    def _focus_cancel(self) -> None:
        if self.display:  # it may have ended before it showed
            self.query_one("#cancel", Button).focus()

    def show(self, news: Progress | RecoveryProgress) -> None:
        """Shows how far it is."""
        self._show(news.step, news.fraction, news.seconds_left)

    def _show(self, step: StrEnum, fraction: float | None, seconds_left: float | None) -> None:
        at = self._steps.index(step) if step in self._steps else len(self._steps)
        self.query_one("#steps", Static).update(
            Content("\n").join(_line(each, n - at) for n, each in enumerate(self._steps))
        )
        self.set_class(fraction is not None, "measured")
        if fraction is not None:
            self.query_one(ProgressBar).update(progress=min(max(fraction, 0.0), 1.0))
        left = f"about {span(seconds_left)} left" if seconds_left is not None else ""
        self.query_one("#left", Static).update(left)


def _line(step: StrEnum, distance: int) -> Content:
    words = step.value[0].upper() + step.value[1:]
    if distance < 0:
        return Content.assemble(("  ✓ ", "$success"), (words, "$text-muted"))
    if distance == 0:
        return Content.assemble(("  ● ", "$accent"), (words + "…", "bold"))
    return Content.styled(f"  ○ {words}", "$text-disabled")
