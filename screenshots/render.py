"""Renders the gallery and the page that shows it, from the real app: `python -m screenshots.render [NAME…]`.

The screens are the states that the snapshots hold, on made-up machines. `two-people` is two real apps and a real server, in tmux.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from screenshots import two_people
from screenshots.gallery import GALLERY, Shot
from screenshots.svg import save
from tests.tui.picture import picture
from tests.tui.piloting import machine_app
from tests.tui.states import STATES
from tests.tui.states.still import held_still

HERE = Path(__file__).resolve().parent
_TWO_PEOPLE = "two-people"


async def take(shot: Shot) -> None:
    """Writes one picture."""
    state = STATES[shot.state]
    with tempfile.TemporaryDirectory() as scratch, held_still(Path(scratch)) as folder:
        async with machine_app(state.machine(), folder, (80, 24), theme=shot.theme) as driver:
            await state.act(driver)
            await driver.pilot.resize_terminal(*shot.size)
            await driver.pilot.pause()
            save(shot.name, await picture(driver, title="xirtam"))


def page() -> Iterator[str]:
    """The lines of the page that shows all of them."""
    yield "# What xirtam looks like"
    yield ""
    yield "Every picture is the app itself, drawn by `make screenshots`."
    yield ""
    yield f"![Two people, two terminals]({_TWO_PEOPLE}.svg)"
    for heading, shots in GALLERY.items():
        yield from ("", f"## {heading}")
        for shot in shots:
            yield from ("", f"{shot.words}:", "", f"![{shot.words}]({shot.name}.svg)")


async def take_all(names: list[str]) -> None:
    """Writes the pictures of these names, or all of them."""
    for shot in (shot for shots in GALLERY.values() for shot in shots):
        if not names or shot.name in names:
            await take(shot)


def main() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    names = sys.argv[1:]
    known = {shot.name for shots in GALLERY.values() for shot in shots} | {_TWO_PEOPLE}
    if unknown := set(names) - known:
        sys.exit(f"no such picture: {', '.join(sorted(unknown))}")
    asyncio.run(take_all(names))
    (HERE / "README.md").write_text("\n".join(page()) + "\n")
    if not names or _TWO_PEOPLE in names:
        if shutil.which("tmux") is None:
            sys.exit(f"{_TWO_PEOPLE}.svg stays as it was: it needs tmux")
        two_people.main()


if __name__ == "__main__":
    main()
