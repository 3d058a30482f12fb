"""The private network of this machine: a server in the background that starts when it is needed and ends when nobody uses it.

Its data lie in `network/` of the data directory. `ready.json` there holds the line that the server printed when it was ready; the
server's lock on its data directory says whether that still holds.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, cast

import msgspec

from xirtam_core.errors import Malformed, Unreachable
from xirtam_core.join_link import JoinLink
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.rpc.transports.schemes import connect

_START_S = 30.0
_IDLE_S = 60
_CHECK_S = 2.0


def network_directory(data_dir: Path) -> Path:
    """Where the private network of a data directory keeps its state."""
    return data_dir / "network"


def known_link(data_dir: Path) -> JoinLink | None:
    """The join link of the private network as it last ran, or None when it never did."""
    ready = _ready(network_directory(data_dir) / "ready.json")
    try:
        return None if ready is None else JoinLink.parse(ready["join"])
    except (KeyError, Malformed, AttributeError):
        return None


async def ensure_running(data_dir: Path) -> JoinLink:
    """The join link of the private network, which runs when this returns; raises `Unreachable` when it does not start."""
    place = network_directory(data_dir)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        async with asyncio.timeout(_START_S):
            while not await _answers(_ready(place / "ready.json")):
                await _start(place)
    except TimeoutError:
        raise Unreachable(f"the private server did not start: {_last_words(place / 'server.log')}") from None
    link = known_link(data_dir)
    if link is None:
        raise Unreachable("the private server started without telling where it is")
    return link


def _ready(path: Path) -> dict[str, Any] | None:
    try:
        found: Any = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    ready = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return ready if ready.get("event") == "ready" else None  # an error is one line, too


async def _answers(ready: dict[str, Any] | None) -> bool:
    """Whether the server that wrote `ready` is the one that answers there."""
    if ready is None:
        return False
    try:
        transport = connect(ready["server_urls"]["http"])
    except (KeyError, TypeError, Malformed):
        return False
    try:
        info = await HomeServer.stub(transport, timeout_s=_CHECK_S).server_info()
    except Exception:  # whatever answers there, it is not our server
        return False
    finally:
        await transport.close()
    return info.server_name == ready.get("server_name")


async def _start(place: Path) -> None:
    """Starts the server and waits until it is ready or gone; another process may be starting it at the same time."""
    port = _last_port(_ready(place / "ready.json"))
    output = place / f"ready.{os.getpid()}"
    command = [sys.executable, "-m", "xirtam_server", "--json", "--data-dir", str(place), "--port", str(port)]
    with output.open("wb") as out, (place / "server.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            "--pow-effort", "1", "--exit-when-idle", str(_IDLE_S),
            stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        while _ready(output) is None:
            if process.returncode is not None:
                await _look_again(place, port)
                return
            await asyncio.sleep(0.05)
        output.replace(place / "ready.json")
    finally:
        output.unlink(missing_ok=True)


async def _look_again(place: Path, port: int) -> None:
    """What to do about a server that ended: another process's is about to be ready, or the port of last time is taken."""
    await asyncio.sleep(0.5)
    known = _ready(place / "ready.json")
    if port and not await _answers(known) and _ready(place / "ready.json") == known:
        (place / "ready.json").unlink(missing_ok=True)  # next time on a free port


def _last_port(ready: dict[str, Any] | None) -> int:
    """The port of last time, so that what clients remember of the network stays true; 0 for any free one."""
    try:
        return int(str(ready["server_urls"]["http"]).rstrip("/").rsplit(":", 1)[1]) if ready else 0
    except (KeyError, TypeError, ValueError, IndexError):
        return 0


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it said nothing; is the server part installed (pip install 'xirtam[server]')?"
