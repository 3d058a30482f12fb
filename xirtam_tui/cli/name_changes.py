"""Following a change of who owns the account's name until the directory has logged it."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from xirtam_core.client import Client
from xirtam_core.devices import NameOwnership, OwnerKey, OwnerKind
from xirtam_core.errors import Refused
from xirtam_tui.cli.output import Output, rfc3339
from xirtam_tui.cli.waiting import until
from xirtam_tui.text import line

_LOGGED_S = 600.0
"""How long a change may take: several proofs of work, and a directory that logs every half a minute."""
_LATER = "it is being changed, and goes on when xirtam runs"


async def changed(client: Client, change: Callable[[], Awaitable[NameOwnership]], output: Output) -> NameOwnership:
    """Has something changed, shows how far that is, and gives who owns the name then; raises `Refused` where it came to nothing."""
    seen, progress = await change(), _ProgressLine(output)

    async def is_logged() -> bool:
        nonlocal seen
        seen = await client.ownership.progress()
        progress.show(seen)
        return not seen.is_pending

    try:
        await until(is_logged, _LOGGED_S, _LATER)
    finally:
        progress.end()
    if seen.trouble is not None:
        raise Refused(seen.trouble)
    return await client.ownership.ownership()


class _ProgressLine:
    """How far a change is, as one line of a terminal, or as JSON events."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._step: str | None = None
        self._is_begun = False

    def show(self, seen: NameOwnership) -> None:
        """Shows how far it is."""
        is_new = seen.step is not None and seen.step != self._step
        self._step = seen.step or self._step
        if self._output.as_json and is_new:
            self._output.event({"event": "progress", "step": seen.step})
        elif not self._output.as_json and sys.stderr.isatty() and seen.step is not None:
            self._is_begun = True
            share = "" if seen.share is None else f"  {seen.share:4.0%}"
            left = "" if seen.seconds_left is None else f"  about {seen.seconds_left:.0f} s more"
            sys.stderr.write(f"\r\x1b[K{seen.step}{share}{left}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leaves the line."""
        if self._is_begun:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def show_owners(seen: NameOwnership, output: Output) -> None:
    """Shows each key that owns the name."""
    for owner in seen.owners:
        output.result(owner_object(owner), _owner_words(owner))
    if not seen.is_owner:
        output.note("this device does not own the name: it cannot change who does, nor move the account")


def owner_object(owner: OwnerKey) -> dict[str, Any]:
    """An owner as JSON output shows it."""
    fields = {name: value for name, value in msgspec.to_builtins(owner).items() if name != "since_s"}
    return {"event": "owner", **fields, "since": rfc3339(None if owner.since_s is None else owner.since_s * 10**9)}


def _owner_words(owner: OwnerKey) -> str:
    since = "" if owner.since_s is None else f", since {(rfc3339(owner.since_s * 10**9) or '')[:10]}"
    match owner.kind:
        case OwnerKind.THIS_DEVICE:
            whose = "this device"
        case OwnerKind.DEVICE:
            whose = line(owner.label) if owner.label else f"the device {(owner.device or '')[:8]}"
        case OwnerKind.RECOVERY:
            whose = "a recovery key"
        case OwnerKind.UNKNOWN:
            whose = "UNKNOWN: if you do not know whose it is, remove it"
    return f"{owner.fingerprint}  {whose}{since}"
