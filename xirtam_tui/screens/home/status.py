"""A move in the status line, and its end in a notice: most of it happens behind the dialog."""

from textual.screen import Screen

from xirtam_core.home_move import HomeMove, HomeStep
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import sentence
from xirtam_tui.moments import Clock
from xirtam_tui.running import running_app
from xirtam_tui.screens.home import words
from xirtam_tui.widgets.status_bar import StatusBar


async def watch_home(screen: Screen[None], bridge: Bridge) -> None:
    """Shows a move that is under way in the status line of `screen` from now on. Raises what the engine raises."""
    bar = screen.query_one(StatusBar)
    now = await bridge.home.state()
    bar.moving = words.status(now)
    was_under_way = now is not None and now.is_under_way

    def hear(move: HomeMove | None) -> None:
        nonlocal was_under_way
        bar.moving = words.status(move)
        if was_under_way and move is not None and not move.is_under_way and running_app(screen).screen is screen:
            _tell_end(screen, move)
        was_under_way = move is not None and move.is_under_way

    bridge.home.listen(hear)


def _tell_end(screen: Screen[None], move: HomeMove) -> None:
    if move.step is HomeStep.DONE:
        said = f"You live on {move.server} now. Nobody had to be told."
        screen.notify(said, title="Moved", timeout=10, markup=False)
    else:
        title = f"The move to {move.server} came to nothing"
        screen.notify(sentence(move.trouble or ""), title=title, severity="warning", timeout=10, markup=False)


async def show_home(screen: Screen[None], bridge: Bridge, clock: Clock, target: str = "") -> None:
    """The dialog, which asks `target` at once where one is given."""
    from xirtam_tui.screens.home.home import HomeSheet

    await running_app(screen).push_screen(HomeSheet(bridge, clock, target))
