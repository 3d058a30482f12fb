"""The steps of a registration, done and to do, with a bar and the time left where these can be told."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, ProgressBar, Static

from xirtam_core.registration import Progress, Step
from xirtam_tui.moments import span

_STEPS = [step for step in Step if step is not Step.DONE]


class RegistrationProgress(Vertical):
    """Shows `Progress` as it comes."""

    def compose(self) -> ComposeResult:
        yield Static("", id="making", markup=False)
        yield Static("", id="steps", markup=False)
        with Horizontal(id="meter"):
            yield ProgressBar(total=1.0, show_eta=False, show_percentage=True)
            yield Static("", id="left", markup=False)
        with Horizontal(id="progress-buttons"):
            yield Button("Cancel", id="cancel", compact=True, action="screen.cancel")

    def begin(self, name: str) -> None:
        """Starts over, for `name`."""
        self.query_one("#making", Static).update(f"Making the account {name}")
        self.show(Progress(_STEPS[0]))
        self.call_after_refresh(self.query_one("#cancel", Button).focus)

    def show(self, news: Progress) -> None:
        """Shows how far it is."""
        at = _STEPS.index(news.step) if news.step in _STEPS else len(_STEPS)
        self.query_one("#steps", Static).update(
            Content("\n").join(_line(step, n - at) for n, step in enumerate(_STEPS))
        )
        self.set_class(news.fraction is not None, "measured")
        if news.fraction is not None:
            self.query_one(ProgressBar).update(progress=min(max(news.fraction, 0.0), 1.0))
        left = f"about {span(news.seconds_left)} left" if news.seconds_left is not None else ""
        self.query_one("#left", Static).update(left)


def _line(step: Step, distance: int) -> Content:
    words = step.value[0].upper() + step.value[1:]
    if distance < 0:
        return Content.assemble(("  ✓ ", "$success"), (words, "$text-muted"))
    if distance == 0:
        return Content.assemble(("  ● ", "$accent"), (words + "…", "bold"))
    return Content.styled(f"  ○ {words}", "$text-disabled")
