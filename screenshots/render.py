"""Renders the pictures that the README shows, from the real app on the sample chats: `python screenshots/render.py`."""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # the sample chats are the tests'

from screenshots.svg import save  # noqa: E402
from tests.tui.demo import demo_client  # noqa: E402
from tests.tui.fake_client import FakeMachine  # noqa: E402
from tests.tui.piloting import machine_app  # noqa: E402


async def picture(
    name: str, size: tuple[int, int], machine: FakeMachine, *, sees: str, keys: tuple[str, ...], theme: str
) -> None:
    """Writes one SVG: the screen after `keys`, once it shows `sees`."""
    with tempfile.TemporaryDirectory() as folder:
        async with machine_app(machine, Path(folder), size, theme=theme) as driver:
            await driver.sees("xirtam")
            await driver.pilot.pause(0.3)
            await driver.press(*keys)
            await driver.sees(sees)
            await driver.pilot.pause(0.3)
            save(name, driver.app.export_screenshot(title="xirtam"))


async def main() -> None:
    await picture(
        "welcome", (90, 26), FakeMachine(), sees="a private network", keys=("tab", "enter"), theme="xirtam-dark"
    )
    await picture("chat", (110, 30), FakeMachine(demo_client()), sees="see you there", keys=(), theme="xirtam-dark")
    await picture(
        "chat-light", (110, 30), FakeMachine(demo_client()), sees="see you there", keys=(), theme="xirtam-light"
    )
    for name, keys, sees in (
        ("answer", ("up", "r"), "Esc gives up"),
        ("search", ("ctrl+r", *"half"), "3 found"),
        ("person", ("f10",), "Safety code of you two"),
        ("devices", ("alt+d",), "Your devices"),
        ("settings", ("ctrl+s",), "NOTIFICATIONS"),
    ):
        await picture(name, (100, 28), FakeMachine(demo_client()), sees=sees, keys=keys, theme="xirtam-dark")


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(main())
