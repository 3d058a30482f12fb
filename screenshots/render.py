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
from tests.tui.fake_devices import device  # noqa: E402
from tests.tui.fake_owners import KEY, owner, recovery_owner  # noqa: E402
from tests.tui.piloting import machine_app  # noqa: E402
from xirtam_core.devices import OwnerKind  # noqa: E402
from xirtam_core.home_move import HomeStep  # noqa: E402


async def picture(
    name: str, size: tuple[int, int], machine: FakeMachine, *, sees: str, keys: tuple[str, ...], theme: str
) -> None:
    """Writes one SVG: the screen after `keys`, once it shows `sees`."""
    with tempfile.TemporaryDirectory() as folder:
        async with machine_app(machine, Path(folder), size, theme=theme) as driver:
            await driver.sees("xirtam")
            await driver.pilot.pause(0.3)
            for key in keys:
                await driver.press(key)
                await driver.pilot.pause(0.1)  # what a key opens has the focus before the next one comes
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
    await picture("wide", (140, 34), FakeMachine(demo_client()), sees="WHAT TO DO", keys=(), theme="xirtam-dark")
    await picture("moving", (100, 28), _moving(), sees="Moving @alice", keys=("alt+h",), theme="xirtam-dark")
    await picture("owners", (100, 28), _owned(), sees="on paper", keys=("alt+o",), theme="xirtam-dark")


def _moving() -> FakeMachine:
    """An account on its way to another home server."""
    client = demo_client()
    client.home.come(HomeStep.PROVE, share=0.42, seconds_left=12.0)
    return FakeMachine(client)


def _owned() -> FakeMachine:
    """An account whose name a second device owns, and a key on paper."""
    client = demo_client()
    client.devices.known.append(device(2, "phone"))
    client.ownership.owners += [owner(2, OwnerKind.DEVICE, device=f"{2:064x}", label="phone"), recovery_owner(KEY)]
    return FakeMachine(client)


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"
    time.tzset()
    asyncio.run(main())
