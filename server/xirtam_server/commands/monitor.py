"""`monitor`: says when names in a directory change, and when the directory itself does what an honest one does not."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from xirtam_core.errors import InvalidName
from xirtam_core.names import GroupName, ServerName, Username
from xirtam_core.protocol.directory import Name
from xirtam_server import known_directory
from xirtam_server.config import BadConfiguration, ServerConfig
from xirtam_server.directory import watch_events
from xirtam_server.directory.watch_events import Value, WatchEvent
from xirtam_server.directory.watching import Watch

_MARKS = {"owner-removed": "!", "owner-added": "!", "value-changed": "!", "alarm": "ALARM", "bad-answer": "!"}


def watch(config: ServerConfig, names: Sequence[str], state: Path | None, report: Callable[[WatchEvent], None]) -> bool:
    """Hands what happens to `report` until it is interrupted (False) or the directory is caught lying (True)."""
    watched = [_name(text) for text in names]
    try:
        return asyncio.run(_watch(config, watched, state or config.place / "monitor", report))
    except KeyboardInterrupt:
        return False


def _name(text: str) -> Name:
    try:
        kind = {ServerName.sigil: ServerName, GroupName.sigil: GroupName}.get(text[:1], Username)
        return kind.parse(text)
    except InvalidName as fault:
        raise BadConfiguration(f"{text}: {fault}") from None


async def _watch(
    config: ServerConfig, names: Sequence[Name], state: Path, report: Callable[[WatchEvent], None]
) -> bool:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    known = known_directory.elsewhere(config.directory)
    watching = Watch(known.service, known.pk, names, state)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            async for event in watching.events():
                report(event)
                if isinstance(event, watch_events.Alarm):
                    return True
        return False
    finally:
        watching.close()
        await known.close()


def told(event: WatchEvent) -> str:
    """The event for a person."""
    kind = type(event).__struct_config__.tag
    mark = _MARKS.get(str(kind), " ")
    return f"{mark} {_words(event)}"


def _words(event: WatchEvent) -> str:
    match event:
        case watch_events.NameSeen(name, height, owners, value):
            return f"{name}: {len(owners)} owner(s), {_shown(value)} (height {height})"
        case watch_events.OwnerAdded(name, height, owner):
            return f"{name}: a new owner, the key {owner} (height {height})"
        case watch_events.OwnerRemoved(name, height, owner):
            return f"{name}: no owner any more: the key {owner} (height {height})"
        case watch_events.ValueChanged(name, height, old, new):
            return f"{name}: was {_shown(old)}, is now {_shown(new)} (height {height})"
        case watch_events.StandsStill(height, for_s):
            return f"the log has not grown for {for_s / 3600:.1f} h (height {height}): news may be kept back"
        case watch_events.MovesAgain(height):
            return f"the log grows again (height {height})"
        case watch_events.Unanswered(problem):
            return f"no answer: {problem}; asked again"
        case watch_events.BadAnswer(problem):
            return f"an answer that does not hold, which was not used: {problem}"
        case watch_events.Answers(height):
            return f"the directory answers (height {height})"
        case watch_events.Alarm(problem):
            return problem


def _shown(value: Value) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()
