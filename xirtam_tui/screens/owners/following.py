"""A change of who owns the name, followed until the directory has logged it. It goes on without anybody who looks."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import ProgressBar, Static

from xirtam_core.devices import NameOwnership
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import explain, sentence
from xirtam_tui.moments import span

_LOOK_S = 0.5
_GOES_ON = "You may close this: it goes on whenever xirtam runs."


class Following(Vertical):
    """Shows how far a change is, while there is one."""

    DEFAULT_CSS = """
    Following {
        height: auto;
        margin-top: 1;
        padding: 0 2;
        display: none;

        & .meter { height: 1; display: none; }
        & .meter.measured { display: block; }
        & ProgressBar { width: auto; margin-right: 2; }
        & .left { width: auto; color: $text-muted; }
        & .goes-on { color: $text-muted; }
        & .trouble { color: $warning; }
        & Bar > .bar--bar, & Bar > .bar--complete { color: $accent; background: $hairline; }
    }
    """

    class Ended(Message):
        """No change is being made any more; `trouble` says why the last one came to nothing, if it did."""

        def __init__(self, trouble: str | None) -> None:
            super().__init__()
            self.trouble = trouble

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._is_following = False

    def compose(self) -> ComposeResult:
        yield Static("", classes="step", markup=False)
        with Horizontal(classes="meter"):
            yield ProgressBar(total=1.0, show_eta=False, show_percentage=True)
            yield Static("", classes="left", markup=False)
        yield Static("", classes="trouble", markup=False)
        yield Static(_GOES_ON, classes="goes-on", markup=False)

    def on_mount(self) -> None:
        self.set_interval(_LOOK_S, self._look)

    def follow(self, seen: NameOwnership) -> None:
        """Shows how a change stands, and goes on doing so by itself."""
        self._is_following = seen.is_pending
        self.display = seen.is_pending
        if seen.is_pending:
            self._show(seen)

    def _show(self, seen: NameOwnership) -> None:
        step = seen.step or "waiting for its turn"
        words = Content.assemble(("● ", "$accent"), (f"{sentence(step).removesuffix('.')}…", "bold"))
        self.query_one(".step", Static).update(words)
        self.query_one(".meter").set_class(seen.share is not None, "measured")
        self.query_one(ProgressBar).update(progress=min(max(seen.share or 0.0, 0.0), 1.0))
        left = "" if seen.seconds_left is None else f"about {span(seen.seconds_left)} left"
        self.query_one(".left", Static).update(left)
        self._show_trouble("" if seen.trouble is None else f"⚠ {sentence(seen.trouble)} It is tried again.")

    def _show_trouble(self, words: str) -> None:
        trouble = self.query_one(".trouble", Static)
        trouble.update(words)
        trouble.display = bool(words)

    async def _look(self) -> None:
        if not self._is_following:
            return
        try:
            seen = await self._bridge.owners.progress()
        except Exception as error:
            self._show_trouble(f"⚠ {explain(error).text}")
            return
        if not self._is_following:  # another look has come to the end meanwhile
            return
        self.follow(seen)
        if not seen.is_pending:
            self.post_message(self.Ended(seen.trouble))
