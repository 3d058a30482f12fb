"""The server as a process: starts the network, says so, and ends it on a signal or when nobody is left."""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from xirtam_server.config import Role, ServerConfig
from xirtam_server.data_dir import JOIN_LINK, locked, write_private
from xirtam_server.network import Network, Ready, running
from xirtam_server.service_manager import ServiceManager

_SWITCH_INTERVAL_S = 0.0005
"""The writer's thread gives the interpreter away with each statement, and would wait 5 ms to get it back from a busy loop."""


def run(config: ServerConfig, role: Role, *, as_json: bool) -> None:
    """Runs the server until it is told to end; raises `StartFailed` and what the stores raise that cannot be opened."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    _raise_file_limit()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner, contextlib.suppress(asyncio.CancelledError):
        runner.run(_serve(config, role, as_json=as_json))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _calm_collector() -> None:
    """Calls make and drop many objects without cycles; looking through them all the time would cost a tenth of the work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _raise_file_limit() -> None:
    """Each connection takes a file: as many as the system lets us have."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(config: ServerConfig, role: Role, *, as_json: bool) -> None:
    stop, starting, manager = asyncio.Event(), asyncio.current_task(), ServiceManager()
    assert starting is not None
    _on_signal(starting.cancel)  # until it is ready there is nothing to finish
    with locked(config.place) as data_dir:
        async with running(config, data_dir, role) as network:
            _on_signal(stop.set)
            chores = [asyncio.create_task(network.connections.sweep(), name="sweep")]
            if network.certificate is not None:
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, network.certificate.reload)
                chores.append(asyncio.create_task(network.certificate.watch(), name="TLS certificate"))
            if config.exit_when_idle_s is not None:
                _stop_when_idle(network, stop, config.exit_when_idle_s)
            _calm_collector()
            chores.append(asyncio.create_task(manager.keep_alive(), name="watchdog"))
            write_private(data_dir / JOIN_LINK, f"{network.ready.join}\n")
            _announce(network.ready, as_json=as_json)
            manager.say("READY=1")
            await stop.wait()
            manager.say("STOPPING=1")
            for chore in chores:
                chore.cancel()


def _on_signal(act: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, act)


def _stop_when_idle(network: Network, stop: asyncio.Event, after_s: float) -> None:
    """Sets `stop` once no client has been connected for `after_s`."""
    loop = asyncio.get_running_loop()
    alarm = loop.call_later(after_s, stop.set)

    def changed(connected: int) -> None:
        nonlocal alarm
        alarm.cancel()
        if connected == 0:
            alarm = loop.call_later(after_s, stop.set)

    network.connections.on_change = changed


def _announce(ready: Ready, *, as_json: bool) -> None:
    sys.stdout.write(json.dumps(_ready_event(ready)) + "\n" if as_json else _welcome(ready))
    sys.stdout.flush()


def _ready_event(ready: Ready) -> dict[str, Any]:
    at = {"http": None, "ws": None, "tcp": None, "lz4tcp": None}
    if ready.server_name is not None:
        at |= {"http": ready.http_url, "ws": ready.ws_url, "tcp": ready.tcp_url, "lz4tcp": ready.lz4_url}
    return {
        "event": "ready",
        "pid": os.getpid(),
        "server_name": ready.server_name,
        "server_urls": at,
        "directory_urls": {url.partition(":")[0]: url for url in reversed(ready.directory_urls)},
        "directory_pk": ready.directory_pk.text(),
        "join": str(ready.join),
    } | ({} if ready.metrics_url is None else {"metrics_url": ready.metrics_url})


def _welcome(ready: Ready) -> str:
    return (
        f"{ready.server_name or 'The directory'} is running. To join, in another terminal:\n\n"
        f"    xirtam register NAME --join '{ready.join}'\n\n"
        "Then `xirtam` opens the app. Ctrl+C here ends the server; everything is kept for the next start.\n"
    )
